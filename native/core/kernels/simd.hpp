// Four doubles as one value, by the vector extensions of GCC and Clang, from one source:
// one 32-byte register where there is AVX, else two of 16 bytes (SSE2, NEON).
#pragma once

namespace trimpot::TRIMPOT_ISA {

#ifdef __AVX__

using v4 = double __attribute__((vector_size(32)));
using v4_unaligned = double __attribute__((vector_size(32), aligned(8), may_alias));

inline v4 load(const double* p) { return *reinterpret_cast<const v4_unaligned*>(p); }
inline v4 broadcast(double a) { return v4{a, a, a, a}; }

inline double sum(v4 a) { return (a[0] + a[2]) + (a[1] + a[3]); }

#else

using v2 = double __attribute__((vector_size(16)));
using v2_unaligned = double __attribute__((vector_size(16), aligned(8), may_alias));

struct v4 {
  v2 low, high;

  double operator[](int lane) const { return lane < 2 ? low[lane] : high[lane - 2]; }
  v4& operator+=(v4 b) { return low += b.low, high += b.high, *this; }
  friend v4 operator+(v4 a, v4 b) { return {a.low + b.low, a.high + b.high}; }
  friend v4 operator*(v4 a, v4 b) { return {a.low * b.low, a.high * b.high}; }
  friend v4 operator*(double a, v4 b) { return {a * b.low, a * b.high}; }
};

inline v4 load(const double* p) {
  return {*reinterpret_cast<const v2_unaligned*>(p), *reinterpret_cast<const v2_unaligned*>(p + 2)};
}
inline v4 broadcast(double a) { return {v2{a, a}, v2{a, a}}; }

inline double sum(v4 a) {
  const v2 half = a.low + a.high;
  return half[0] + half[1];
}

#endif

} // namespace trimpot::TRIMPOT_ISA

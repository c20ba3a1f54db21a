// Four doubles as one value, by the vector extensions of GCC and Clang, from one source:
// one 32-byte register where there is AVX, else two of 16 bytes (SSE2, NEON).
#pragma once

namespace trimpot::TRIMPOT_ISA {

#ifdef __AVX__

using v4 = double __attribute__((vector_size(32)));
using v4_unaligned = double __attribute__((vector_size(32), aligned(8), may_alias));

inline v4 load(const double* p) { return *reinterpret_cast<const v4_unaligned*>(p); }
inline v4 broadcast(double a) { return v4{a, a, a, a}; }

// Sums over the lanes of a, b, c, d.
inline v4 sums(v4 a, v4 b, v4 c, v4 d) {
  const v4 ab = __builtin_shufflevector(a, b, 0, 4, 2, 6) + __builtin_shufflevector(a, b, 1, 5, 3, 7);
  const v4 cd = __builtin_shufflevector(c, d, 0, 4, 2, 6) + __builtin_shufflevector(c, d, 1, 5, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

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

inline v4 sums(v4 a, v4 b, v4 c, v4 d) {
  const v2 sa = a.low + a.high, sb = b.low + b.high, sc = c.low + c.high, sd = d.low + d.high;
  return {__builtin_shufflevector(sa, sb, 0, 2) + __builtin_shufflevector(sa, sb, 1, 3),
          __builtin_shufflevector(sc, sd, 0, 2) + __builtin_shufflevector(sc, sd, 1, 3)};
}

#endif

} // namespace trimpot::TRIMPOT_ISA

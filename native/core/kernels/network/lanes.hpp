// Sixteen channels at once, as numbers or as numbers with a derivative: what is written once for
// both gives, in the second form, derivatives of derivatives.
#pragma once

#include "../simd.hpp"
#include "../switches.hpp"

namespace trimpot::TRIMPOT_ISA {

constexpr int width = 16; // channels of a block

template <class T>
using Block16 = Vec<T, width>;

// A number and its derivative along one direction.
template <class T>
struct DualNumber {
  T v{}, d{};
  DualNumber& operator+=(DualNumber b) { return v += b.v, d += b.d, *this; }
  friend DualNumber operator+(DualNumber a, DualNumber b) { return {a.v + b.v, a.d + b.d}; }
  friend DualNumber operator-(DualNumber a, DualNumber b) { return {a.v - b.v, a.d - b.d}; }
  friend DualNumber operator*(DualNumber a, DualNumber b) { return {a.v * b.v, a.v * b.d + a.d * b.v}; }
  friend DualNumber operator*(T a, DualNumber b) { return {a * b.v, a * b.d}; }
  friend DualNumber operator+(T a, DualNumber b) { return {a + b.v, b.d}; }
};

template <class T>
DualNumber<T> inverse(DualNumber<T> a) {
  const T y = T(1) / a.v;
  return {y, -y * y * a.d};
}
inline float inverse(float a) { return 1.0f / a; }
inline double inverse(double a) { return 1.0 / a; }

template <class T>
DualNumber<T> root(DualNumber<T> a) {
  const T y = std::sqrt(a.v);
  return {y, T(0.5) * a.d / y};
}
inline float root(float a) { return std::sqrt(a); }
inline double root(double a) { return std::sqrt(a); }

template <class T>
T value_of(DualNumber<T> a) { return a.v; }
inline float value_of(float a) { return a; }
inline double value_of(double a) { return a; }

template <class T>
struct DualBlock {
  Block16<T> v, d;
  TRIMPOT_INLINE DualBlock& operator+=(DualBlock b) { return v += b.v, d += b.d, *this; }
  TRIMPOT_INLINE friend DualBlock operator+(DualBlock a, DualBlock b) { return {a.v + b.v, a.d + b.d}; }
  TRIMPOT_INLINE friend DualBlock operator-(DualBlock a, DualBlock b) { return {a.v - b.v, a.d - b.d}; }
  TRIMPOT_INLINE friend DualBlock operator*(DualBlock a, DualBlock b) { return {a.v * b.v, a.v * b.d + a.d * b.v}; }
  TRIMPOT_INLINE friend DualBlock operator*(Block16<T> a, DualBlock b) { return {a * b.v, a * b.d}; }
};

// The types that go together.
template <class T, bool WithDerivative>
struct Numbers {
  using Real = T;
  using Scalar = T;
  using Lanes = Block16<T>;
};
template <class T>
struct Numbers<T, true> {
  using Real = T;
  using Scalar = DualNumber<T>;
  using Lanes = DualBlock<T>;
};

template <class T>
TRIMPOT_INLINE Block16<T> spread(T a) { return broadcast<width>(a); }
template <class T>
TRIMPOT_INLINE DualBlock<T> spread(DualNumber<T> a) { return {broadcast<width>(a.v), broadcast<width>(a.d)}; }

// The sum of all lanes, without a way through memory where there are words for it.
template <class T>
TRIMPOT_INLINE T total(Block16<T> a) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>)
    return _mm512_reduce_add_ps(a.v);
  else
    return _mm512_reduce_add_pd((a.low + a.high).v);
#else
  return sum(a);
#endif
}
template <class T>
TRIMPOT_INLINE DualNumber<T> total(DualBlock<T> a) { return {total(a.v), total(a.d)}; }

// A number among the lanes of blocks that lie one after the other.
template <class T>
TRIMPOT_INLINE T lane_of(const Block16<T>* a, int i) { return reinterpret_cast<const T*>(a)[i]; }
template <class T>
TRIMPOT_INLINE DualNumber<T> lane_of(const DualBlock<T>* a, int i) {
  const T* const p = reinterpret_cast<const T*>(a + i / width) + i % width;
  return {p[0], p[width]};
}
template <class T>
TRIMPOT_INLINE void set_lane(Block16<T>* a, int i, T x) { reinterpret_cast<T*>(a)[i] = x; }
template <class T>
TRIMPOT_INLINE void set_lane(DualBlock<T>* a, int i, DualNumber<T> x) {
  T* const p = reinterpret_cast<T*>(a + i / width) + i % width;
  p[0] = x.v, p[width] = x.d;
}

template <class T>
TRIMPOT_INLINE Block16<T> exponential_of(Block16<T> a) { return exponential(a); }
template <class T>
TRIMPOT_INLINE DualBlock<T> exponential_of(DualBlock<T> a) {
  const auto e = exponential(a.v);
  return {e, e * a.d};
}

template <class T>
TRIMPOT_INLINE Block16<T> constant(const Block16<T>&, T a) { return broadcast<width>(a); }
template <class T>
TRIMPOT_INLINE DualBlock<T> constant(const DualBlock<T>&, T a) { return {broadcast<width>(a), Block16<T>{}}; }

// 1 / (1 + e^-a)
template <class T>
TRIMPOT_INLINE Block16<T> sigmoid(Block16<T> a) {
  return near_reciprocal(broadcast<width>(T(1)) + exponential(Block16<T>{} - a));
}
template <class T>
TRIMPOT_INLINE DualBlock<T> sigmoid(DualBlock<T> a) { // not by e^-a, which may be so large that it is no number
  const auto s = sigmoid(a.v);
  return {s, s * (broadcast<width>(T(1)) - s) * a.d};
}

// a sigmoid(a) and its derivative.
template <class L>
struct Activated {
  L value, slope;
};
template <class L>
TRIMPOT_INLINE Activated<L> silu(L a) {
  using T = std::decay_t<decltype(value_of(lane_of(&a, 0)))>;
  const L s = sigmoid(a), value = a * s;
  return {value, s + value * (constant(a, T(1)) - s)};
}

} // namespace trimpot::TRIMPOT_ISA

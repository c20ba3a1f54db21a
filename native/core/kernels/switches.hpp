// Switches of screening, for whole vectors (src/trimpot/envelopes/switches.py).
#pragma once

#include "../specs.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

// e^a to a few units in the last place; a is cut off where the result is no ordinary number.
template <class T, int N>
TRIMPOT_INLINE Vec<T, N> exponential(Vec<T, N> a) {
  if constexpr (!in_one_register<T, N>) {
    return {exponential(a.low), exponential(a.high)};
  } else {
    using Bits = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;
    typedef Bits Integers __attribute__((vector_size(sizeof(T) * N)));
    constexpr bool is_double = sizeof(T) == 8;
    constexpr T most = is_double ? T(700) : T(80);
    constexpr int digits = is_double ? 52 : 23, order = is_double ? 13 : 7;
    constexpr T high = is_double ? T(0.693147180369123816490) : T(0.693359375);
    constexpr T low = is_double ? T(1.90821492927058770002e-10) : T(-2.12194440e-4);
    const auto x = minimum(maximum(a, broadcast<N>(-most)), broadcast<N>(most));
    const auto shifted = x * broadcast<N>(T(1.44269504088896340736)) + broadcast<N>(whole<T>);
    const auto n = shifted - broadcast<N>(whole<T>);
    const auto rest = (x - n * broadcast<N>(high)) - n * broadcast<N>(low); // of n ln 2
    T factor = T(1);
    for (int p = 2; p <= order; ++p) factor /= static_cast<T>(p);
    auto sum = broadcast<N>(factor);
    for (int p = order; p > 0; --p) {
      factor *= static_cast<T>(p);
      sum = sum * rest + broadcast<N>(factor);
    }
    const auto power = reinterpret_cast<Integers>(shifted.v) << digits; // n in the place of the exponent
    return {reinterpret_cast<typename Vec<T, N>::Native>(reinterpret_cast<Integers>(sum.v) + power)};
  }
}

template <class V>
struct SwitchValues {
  V value, log_slope; // s, d log s / dx
};

// For 0 < x < 1.
template <class T, int N>
TRIMPOT_INLINE SwitchValues<Vec<T, N>> switch_values(ScreeningSpec::Switch kind, Vec<T, N> x) {
  using V = Vec<T, N>;
  const V one = broadcast<N>(T(1)), y = one - x;
  switch (kind) {
    case ScreeningSpec::Switch::quintic: {
      const V rest = x * (T(6) * x - broadcast<N>(T(15))) + broadcast<N>(T(10));
      return {x * x * x * rest, T(30) * y * y * near_reciprocal(x * rest)};
    }
    case ScreeningSpec::Switch::meam: {
      const V cube = y * y * y, root = one - cube * y;
      return {root * root, T(8) * cube * near_reciprocal(root)};
    }
    case ScreeningSpec::Switch::bump: {
      const V by_x = near_reciprocal(x), by_y = near_reciprocal(y);
      const V e = exponential(by_x - by_y), value = near_reciprocal(one + e);
      return {value, (by_x * by_x + by_y * by_y) * (e * value)}; // e s = 1 - s, with all its digits
    }
    case ScreeningSpec::Switch::smooth: break;
  }
  const V by_x = near_reciprocal(x), by_y = near_reciprocal(y), depth = T(0.262) * (by_x * exponential(one - by_y));
  return {exponential(V{} - depth), depth * (by_x + by_y * by_y)};
}

} // namespace trimpot::TRIMPOT_ISA

// Sorting of integers by whole vectors: a bitonic network in which every comparison puts the
// larger number behind, so that it works for any number of vectors (those that are missing
// stand for the largest number and never move).
#pragma once

#include <cstdint>
#include <utility>

#include "../kernels/simd.hpp"

namespace trimpot::TRIMPOT_ISA {

constexpr int key_lanes = register_bytes / 4;
using Keys = Vec<std::int32_t, key_lanes>;

TRIMPOT_INLINE Keys smaller(Keys a, Keys b) {
#if defined(__AVX512F__)
  return {reinterpret_cast<Keys::Native>(
      _mm512_maskz_min_epi32(0xffff, reinterpret_cast<__m512i>(a.v), reinterpret_cast<__m512i>(b.v)))};
#elif defined(__AVX2__)
  return {reinterpret_cast<Keys::Native>(
      _mm256_min_epi32(reinterpret_cast<__m256i>(a.v), reinterpret_cast<__m256i>(b.v)))};
#else
  return minimum(a, b);
#endif
}

TRIMPOT_INLINE Keys larger(Keys a, Keys b) {
#if defined(__AVX512F__)
  return {reinterpret_cast<Keys::Native>(
      _mm512_maskz_max_epi32(0xffff, reinterpret_cast<__m512i>(a.v), reinterpret_cast<__m512i>(b.v)))};
#elif defined(__AVX2__)
  return {reinterpret_cast<Keys::Native>(
      _mm256_max_epi32(reinterpret_cast<__m256i>(a.v), reinterpret_cast<__m256i>(b.v)))};
#else
  return maximum(a, b);
#endif
}

namespace detail {

// Lane l beside lane l ^ Partner; those with the bit Upper keep the larger number.
template <int Partner, int Upper, int... L>
TRIMPOT_INLINE Keys compared(Keys a, std::integer_sequence<int, L...>) {
  const Keys b{__builtin_shufflevector(a.v, a.v, (L ^ Partner)...)};
#if defined(__AVX512F__)
  constexpr unsigned upper = ((L & Upper ? 1u << L : 0u) | ...);
  return {reinterpret_cast<Keys::Native>(_mm512_mask_max_epi32(
      reinterpret_cast<__m512i>(smaller(a, b).v), static_cast<__mmask16>(upper),
      reinterpret_cast<__m512i>(a.v), reinterpret_cast<__m512i>(b.v)))};
#else
  return {__builtin_shufflevector(smaller(a, b).v, larger(a, b).v,
                                  (L & Upper ? key_lanes + L : L)...)};
#endif
}

template <int Partner, int Upper>
TRIMPOT_INLINE Keys compared(Keys a) {
  return compared<Partner, Upper>(a, std::make_integer_sequence<int, key_lanes>{});
}

// Sorts each run of 2 Half lanes that is bitonic.
template <int Half>
TRIMPOT_INLINE Keys merged(Keys a) {
  if constexpr (Half == 0)
    return a;
  else
    return merged<Half / 2>(compared<Half, Half>(a));
}

template <int Size = 2>
TRIMPOT_INLINE Keys sorted(Keys a) {
  if constexpr (Size > key_lanes)
    return a;
  else
    return sorted<2 * Size>(merged<Size / 4>(compared<Size - 1, Size / 2>(a)));
}

TRIMPOT_INLINE Keys reversed(Keys a) {
  return [&]<int... L>(std::integer_sequence<int, L...>) {
    return Keys{__builtin_shufflevector(a.v, a.v, (key_lanes - 1 - L)...)};
  }(std::make_integer_sequence<int, key_lanes>{});
}

} // namespace detail

// Behind the n keys the largest number must follow up to a whole vector.
inline void sort_keys(std::int32_t* keys, std::int64_t n) {
  using namespace detail;
  const std::int64_t count = (n + key_lanes - 1) / key_lanes;
  auto at = [keys](std::int64_t v) { return load<key_lanes>(keys + key_lanes * v); };
  auto put = [keys](std::int64_t v, Keys a) { store(keys + key_lanes * v, a); };
  for (std::int64_t v = 0; v < count; ++v) put(v, sorted(at(v)));
  for (std::int64_t half = 1; half < count; half *= 2) {
    for (std::int64_t block = 0; block + half < count; block += 2 * half) {
      for (std::int64_t low = block + half - 1, high = block + half;
           high < count && high < block + 2 * half; --low, ++high) {
        const Keys a = at(low), b = reversed(at(high));
        put(low, smaller(a, b));
        put(high, reversed(larger(a, b)));
      }
    }
    for (std::int64_t step = half / 2; step > 0; step /= 2) {
      for (std::int64_t block = 0; block + step < count; block += 2 * step) {
        for (std::int64_t low = block; low < block + step && low + step < count; ++low) {
          const Keys a = at(low), b = at(low + step);
          put(low, smaller(a, b));
          put(low + step, larger(a, b));
        }
      }
    }
    for (std::int64_t v = 0; v < count; ++v) put(v, merged<key_lanes / 2>(at(v)));
  }
}

} // namespace trimpot::TRIMPOT_ISA

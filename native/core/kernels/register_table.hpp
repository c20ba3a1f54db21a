// Tables that are looked up without touching memory.
#pragma once

#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

// Tables of up to 64 numbers in registers, where the instruction set looks up by lane.
#if defined(__AVX512F__)
template <class T, int N>
constexpr bool has_register_tables = std::is_same_v<T, float> && N == 16;

struct RegisterTable {
  Vec<float, 16> part[4];

  void fill(const float* values, int n) {
    alignas(64) float all[64] = {};
    std::copy(values, values + n, all);
    for (int i = 0; i < 4; ++i) part[i] = load<16>(all + 16 * i);
  }
  // Wide: of 64 numbers, else of 32.
  template <bool Wide>
  TRIMPOT_INLINE Vec<float, 16> at(Vec<std::int32_t, 16> index) const {
    const __m512i i = reinterpret_cast<__m512i>(index.v);
    const __m512 low = _mm512_permutex2var_ps(part[0].v, i, part[1].v);
    if constexpr (!Wide) return {low};
    const __m512 high = _mm512_permutex2var_ps(part[2].v, i, part[3].v);
    return {_mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_slli_epi32(i, 26)), low, high)};
  }
};
#else
template <class T, int N>
constexpr bool has_register_tables = false;

struct RegisterTable {};
#endif

} // namespace trimpot::TRIMPOT_ISA

// Tables that are looked up without touching memory.
#pragma once

#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

// How many numbers a table in two registers has; one in four has twice as many. 0: the
// instruction set does not look up by lane.
#if defined(__AVX512F__)
template <class T>
constexpr int register_table_size = 128 / static_cast<int>(sizeof(T));

template <class T>
struct RegisterTable {
  static constexpr int N = 64 / static_cast<int>(sizeof(T));
  Vec<T, N> part[4];

  void fill(const T* values, int n) {
    alignas(64) T all[4 * N] = {};
    std::copy(values, values + n, all);
    for (int i = 0; i < 4; ++i) part[i] = load<N>(all + N * i);
  }

  // The entries whose numbers are the last bits of each lane.
  template <bool wide>
  TRIMPOT_INLINE Vec<T, N> at(Vec<T, N> index) const {
    const Vec<T, N> low = pick(part[0], part[1], index);
    if constexpr (!wide)
      return low;
    else
      return blend(index, low, pick(part[2], part[3], index));
  }

  // The entries with these numbers, 0 .. register_table_size - 1.
  TRIMPOT_INLINE Vec<T, N> at(Vec<std::int32_t, N> index) const {
    if constexpr (sizeof(T) == 4)
      return {_mm512_permutex2var_ps(part[0].v, reinterpret_cast<__m512i>(index.v), part[1].v)};
    else
      return {_mm512_permutex2var_pd(part[0].v, _mm512_cvtepi32_epi64(reinterpret_cast<__m256i>(index.v)), part[1].v)};
  }

  // From memory that has register_table_size numbers.
  TRIMPOT_INLINE static RegisterTable from(const T* values) {
    RegisterTable table;
    table.part[0] = load<N>(values);
    table.part[1] = load<N>(values + N);
    return table;
  }

 private:
  TRIMPOT_INLINE static __m512i bits(Vec<T, N> index) { return reinterpret_cast<__m512i>(index.v); }
  TRIMPOT_INLINE static Vec<T, N> pick(Vec<T, N> a, Vec<T, N> b, Vec<T, N> index) {
    if constexpr (sizeof(T) == 4)
      return {_mm512_permutex2var_ps(a.v, bits(index), b.v)};
    else
      return {_mm512_permutex2var_pd(a.v, bits(index), b.v)};
  }
  // b where the bit above those that pick() reads is set.
  TRIMPOT_INLINE static Vec<T, N> blend(Vec<T, N> index, Vec<T, N> a, Vec<T, N> b) {
    if constexpr (sizeof(T) == 4)
      return {_mm512_mask_blend_ps(_mm512_movepi32_mask(_mm512_slli_epi32(bits(index), 26)), a.v, b.v)};
    else
      return {_mm512_mask_blend_pd(_mm512_movepi64_mask(_mm512_slli_epi64(bits(index), 59)), a.v, b.v)};
  }
};

#else
template <class T>
constexpr int register_table_size = 0;

template <class T>
struct RegisterTable {
  void fill(const T*, int) {}
  template <bool wide>
  Vec<T, lanes<T>> at(Vec<T, lanes<T>>) const { return {}; }
  Vec<T, lanes<T>> at(Vec<std::int32_t, lanes<T>>) const { return Vec<T, lanes<T>>(); }
  static RegisterTable from(const T*) { return {}; }
};
#endif

} // namespace trimpot::TRIMPOT_ISA

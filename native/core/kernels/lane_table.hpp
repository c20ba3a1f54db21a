// Short tables that are looked up lane by lane: parameters by species, or by pair of species.
#pragma once

#include <vector>

#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class T>
class LaneTable {
 public:
  LaneTable() : values_(16, T(0)) {}

  void push_back(T value) {
    if (size_ < 16)
      values_[size_] = value;
    else
      values_.push_back(value);
    ++size_;
  }

  T operator[](int i) const { return values_[static_cast<std::size_t>(i)]; }

  template <int N>
  TRIMPOT_INLINE Vec<T, N> at(Vec<std::int32_t, N> index) const {
    if (size_ == 1) return broadcast<N>(values_[0]);
#if defined(__AVX512F__)
    if (size_ <= 16) {
      if constexpr (N == 16 && std::is_same_v<T, float>)
        return {_mm512_permutexvar_ps(reinterpret_cast<__m512i>(index.v), load<16>(values_.data()).v)};
      if constexpr (N == 16 && std::is_same_v<T, std::int32_t>)
        return {reinterpret_cast<typename Vec<T, N>::Native>(_mm512_permutexvar_epi32(
            reinterpret_cast<__m512i>(index.v), reinterpret_cast<__m512i>(load<16>(values_.data()).v)))};
      if constexpr (N == 8 && std::is_same_v<T, double>)
        return {_mm512_permutex2var_pd(load<8>(values_.data()).v, _mm512_cvtepi32_epi64(reinterpret_cast<__m256i>(index.v)),
                                       load<8>(values_.data() + 8).v)};
      if constexpr (N == 8 && std::is_same_v<T, std::int32_t>)
        return {reinterpret_cast<typename Vec<T, N>::Native>(_mm256_permutex2var_epi32(
            reinterpret_cast<__m256i>(load<8>(values_.data()).v), reinterpret_cast<__m256i>(index.v),
            reinterpret_cast<__m256i>(load<8>(values_.data() + 8).v)))};
    }
#endif
    T found[N];
    for (int l = 0; l < N; ++l) found[l] = values_[static_cast<std::size_t>(index[l])];
    return load<N>(found);
  }

 private:
  std::vector<T> values_;
  std::size_t size_ = 0;
};

} // namespace trimpot::TRIMPOT_ISA

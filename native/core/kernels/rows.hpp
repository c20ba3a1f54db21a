// Rows of four numbers and tiles of 4 x 4, as vectors see them: atoms (x, y, z, species), basis
// values, coefficients. Rows are read and written as they lie in memory and turned in registers.
#pragma once

#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

namespace detail {

// Shuffles of whole rows of four: lane l of the result is lane f(l) of (a, b).
template <class F, class T, int N, int... L>
TRIMPOT_INLINE Vec<T, N> shuffled(Vec<T, N> a, Vec<T, N> b, std::integer_sequence<int, L...>) {
  return {__builtin_shufflevector(a.v, b.v, F::template at<N>(L)...)};
}

template <class F, class T, int N>
TRIMPOT_INLINE Vec<T, N> shuffled(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (in_one_register<T, N>)
    return shuffled<F>(a, b, std::make_integer_sequence<int, N>{});
  else
    return {shuffled<F>(a.low, b.low), shuffled<F>(a.high, b.high)};
}

struct LowPairs { // a0 b0 a1 b1
  template <int N>
  static constexpr int at(int l) { return l / 4 * 4 + l % 4 / 2 + l % 2 * N; }
};
struct HighPairs { // a2 b2 a3 b3
  template <int N>
  static constexpr int at(int l) { return LowPairs::at<N>(l) + 2; }
};
struct EvenPairs { // a0 b0 a2 b2
  template <int N>
  static constexpr int at(int l) { return l / 2 * 2 + l % 2 * N; }
};
struct OddPairs { // a1 b1 a3 b3
  template <int N>
  static constexpr int at(int l) { return EvenPairs::at<N>(l) + 1; }
};
struct LowHalves { // a0 a1 b0 b1
  template <int N>
  static constexpr int at(int l) { return l / 4 * 4 + l % 2 + l % 4 / 2 * N; }
};
struct HighHalves { // a2 a3 b2 b3
  template <int N>
  static constexpr int at(int l) { return LowHalves::at<N>(l) + 2; }
};

template <class T, int N>
TRIMPOT_INLINE Vec<T, 2 * N> joined(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (in_one_register<T, 2 * N>) {
    return [&]<int... L>(std::integer_sequence<int, L...>) {
      return Vec<T, 2 * N>{__builtin_shufflevector(a.v, b.v, L...)};
    }(std::make_integer_sequence<int, 2 * N>{});
  } else {
    return {a, b};
  }
}

// Rows first, first + 4, ... behind one another. Parts that come straight from memory are put
// in place by any port, halves from registers only by the one that shuffles.
template <int N, class T, class Row>
TRIMPOT_INLINE Vec<T, N> every_fourth(Row&& row, int first) {
  if constexpr (N == 4) return load<4>(row(first));
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, double> && N == 8)
    return {_mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(row(first))), _mm256_loadu_pd(row(first + 4)), 1)};
#endif
#if defined(__AVX2__)
  if constexpr (std::is_same_v<T, float> && N == 8)
    return {_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row(first))), _mm_loadu_ps(row(first + 4)), 1)};
#endif
  if constexpr (N > 4 && !in_one_register<T, N>)
    return joined(every_fourth<N / 2, T>(row, first), every_fourth<N / 2, T>(row, first + N / 2));
}

// Four lanes from 4 `group` on.
template <int group, class T, int N>
TRIMPOT_INLINE Vec<T, 4> row_of(Vec<T, N> a) {
  if constexpr (N == 4)
    return a;
  else if constexpr (!in_one_register<T, N>)
    return group < N / 8 ? row_of<group % (N / 8)>(a.low) : row_of<group % (N / 8)>(a.high);
  else
    return {__builtin_shufflevector(a.v, a.v, 4 * group, 4 * group + 1, 4 * group + 2, 4 * group + 3)};
}

} // namespace detail

template <class T, int N>
struct Columns {
  Vec<T, N> x, y, z, w;
};

// In each group of four lanes: the 4 x 4 numbers of a, b, c, d transposed.
template <class T, int N>
TRIMPOT_INLINE Columns<T, N> transpose(Vec<T, N> a, Vec<T, N> b, Vec<T, N> c, Vec<T, N> d) {
  using namespace detail;
  if constexpr (in_one_register<T, 4> && sizeof(T) == 8) { // shuffles within 16 bytes are cheap
    const auto ab = shuffled<EvenPairs>(a, b), cd = shuffled<EvenPairs>(c, d);
    const auto ab2 = shuffled<OddPairs>(a, b), cd2 = shuffled<OddPairs>(c, d);
    return {shuffled<LowHalves>(ab, cd), shuffled<LowHalves>(ab2, cd2),
            shuffled<HighHalves>(ab, cd), shuffled<HighHalves>(ab2, cd2)};
  } else if constexpr (in_one_register<T, 4>) {
    const auto ab = shuffled<LowPairs>(a, b), cd = shuffled<LowPairs>(c, d);
    const auto ab2 = shuffled<HighPairs>(a, b), cd2 = shuffled<HighPairs>(c, d);
    return {shuffled<LowHalves>(ab, cd), shuffled<HighHalves>(ab, cd),
            shuffled<LowHalves>(ab2, cd2), shuffled<HighHalves>(ab2, cd2)};
  } else if constexpr (N > 4) {
    const auto l = transpose(a.low, b.low, c.low, d.low), h = transpose(a.high, b.high, c.high, d.high);
    return {{l.x, h.x}, {l.y, h.y}, {l.z, h.z}, {l.w, h.w}};
  } else { // two numbers a register
    auto two = [](auto p, auto q, int lane) { return Vec<T, 2>{typename Vec<T, 2>::Native{p[lane], q[lane]}}; };
    return {{two(a.low, b.low, 0), two(c.low, d.low, 0)}, {two(a.low, b.low, 1), two(c.low, d.low, 1)},
            {two(a.high, b.high, 0), two(c.high, d.high, 0)}, {two(a.high, b.high, 1), two(c.high, d.high, 1)}};
  }
}

// Reads N rows of four numbers, row(l) pointing to that of lane l.
template <int N, class T, class Row>
TRIMPOT_INLINE Columns<T, N> load_rows(Row&& row) {
#if defined(__AVX512F__) // parts of half a register are put together more cheaply than of a quarter
  if constexpr (std::is_same_v<T, float> && N == 16) {
    const auto a = load_rows<8, T>(row), b = load_rows<8, T>([&](int l) { return row(l + 8); });
    auto join = [](Vec<T, 8> p, Vec<T, 8> q) { return Vec<T, 16>{_mm512_insertf32x8(_mm512_castps256_ps512(p.v), q.v, 1)}; };
    return {join(a.x, b.x), join(a.y, b.y), join(a.z, b.z), join(a.w, b.w)};
  } else
#endif
  return transpose(detail::every_fourth<N, T>(row, 0), detail::every_fourth<N, T>(row, 1),
                   detail::every_fourth<N, T>(row, 2), detail::every_fourth<N, T>(row, 3));
}

// N fours (a_l, b_l, c_l, d_l) in the order in which the registers hold them after a transposition:
// that of lane l stands at place_of_four(l).
template <int N>
constexpr int place_of_four(int lane) {
  return lane % 4 * (N / 4) + lane / 4;
}

template <class T, int N>
TRIMPOT_INLINE void store_fours(T* p, Vec<T, N> a, Vec<T, N> b, Vec<T, N> c, Vec<T, N> d) {
  const auto t = transpose(a, b, c, d);
  store(p, t.x);
  store(p + N, t.y);
  store(p + 2 * N, t.z);
  store(p + 3 * N, t.w);
}

// N rows of four numbers (a_l, b_l, c_l, d_l), one after the other.
template <class T, int N>
TRIMPOT_INLINE void store_rows(T* p, Vec<T, N> a, Vec<T, N> b, Vec<T, N> c, Vec<T, N> d) {
  const auto t = transpose(a, b, c, d);
  [&]<int... R>(std::integer_sequence<int, R...>) {
    (store(p + 4 * R, detail::row_of<R / 4>(R % 4 == 0 ? t.x : R % 4 == 1 ? t.y : R % 4 == 2 ? t.z : t.w)), ...);
  }(std::make_integer_sequence<int, N>{});
}

// In each group of four lanes: {sum of those of a, of b, of c, of d}.
template <class T, int N>
TRIMPOT_INLINE Vec<T, N> sums_of_groups(Vec<T, N> a, Vec<T, N> b, Vec<T, N> c, Vec<T, N> d) {
  using namespace detail;
  if constexpr (in_one_register<T, 4>) {
    using First = std::conditional_t<sizeof(T) == 8, EvenPairs, LowPairs>;
    using Second = std::conditional_t<sizeof(T) == 8, OddPairs, HighPairs>;
    const auto ab = shuffled<First>(a, b) + shuffled<Second>(a, b);
    const auto cd = shuffled<First>(c, d) + shuffled<Second>(c, d);
    return shuffled<LowHalves>(ab, cd) + shuffled<HighHalves>(ab, cd);
  } else {
    const auto t = transpose(a, b, c, d);
    return (t.x + t.y) + (t.z + t.w);
  }
}

// The sums of N fours that stand in the order of store_fours.
template <int N, class T>
TRIMPOT_INLINE Vec<T, N> sums_of_fours(const T* p) {
  return sums_of_groups(load<N>(p), load<N>(p + N), load<N>(p + 2 * N), load<N>(p + 3 * N));
}

// Each of four numbers four times in a row.
template <class T>
TRIMPOT_INLINE Vec<T, 16> each_four_times(Vec<T, 4> a) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float>) {
    const __m512i lane = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    return {_mm512_permutexvar_ps(lane, _mm512_castps128_ps512(a.v))};
  } else {
    const __m512d wide = _mm512_castpd256_pd512(a.v);
    return {{_mm512_permutexvar_pd(_mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1), wide)},
            {_mm512_permutexvar_pd(_mm512_setr_epi64(2, 2, 2, 2, 3, 3, 3, 3), wide)}};
  }
#elif defined(__AVX2__)
  if constexpr (std::is_same_v<T, float>) {
    const __m256 wide = _mm256_castps128_ps256(a.v);
    return {{_mm256_permutevar8x32_ps(wide, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1))},
            {_mm256_permutevar8x32_ps(wide, _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3))}};
  } else {
    return {{{_mm256_permute4x64_pd(a.v, 0x00)}, {_mm256_permute4x64_pd(a.v, 0x55)}},
            {{_mm256_permute4x64_pd(a.v, 0xaa)}, {_mm256_permute4x64_pd(a.v, 0xff)}}};
  }
#else
  return {{broadcast<4>(a[0]), broadcast<4>(a[1])}, {broadcast<4>(a[2]), broadcast<4>(a[3])}};
#endif
}

// The lanes of a quarter of the vector, added up: lane c is the sum of lanes c, c + 4, ...
template <class T, int N>
TRIMPOT_INLINE Vec<T, 4> fold(Vec<T, N> a) {
  if constexpr (N == 4) {
    return a;
  } else if constexpr (in_one_register<T, N>) {
    return [&]<int... L>(std::integer_sequence<int, L...>) {
      const Vec<T, N / 2> low{__builtin_shufflevector(a.v, a.v, L...)};
      const Vec<T, N / 2> high{__builtin_shufflevector(a.v, a.v, (L + N / 2)...)};
      return fold(low + high);
    }(std::make_integer_sequence<int, N / 2>{});
  } else {
    return fold(a.low + a.high);
  }
}

// {sum(a), sum(b), sum(c), sum(d)}
template <class T, int N>
TRIMPOT_INLINE Vec<T, 4> sums(Vec<T, N> a, Vec<T, N> b, Vec<T, N> c, Vec<T, N> d) {
  return fold(sums_of_groups(a, b, c, d));
}

// The four numbers at p, again and again.
template <int N, class T>
TRIMPOT_INLINE Vec<T, N> load_repeated(const T* p) {
  if constexpr (N == 4) {
    return load<4>(p);
  } else if constexpr (!in_one_register<T, N>) {
    return {load_repeated<N / 2>(p), load_repeated<N / 2>(p)};
  } else {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float> && N == 16) return {_mm512_broadcast_f32x4(_mm_loadu_ps(p))};
    if constexpr (std::is_same_v<T, double> && N == 8) return {_mm512_broadcast_f64x4(_mm256_loadu_pd(p))};
#endif
    return detail::joined(load_repeated<N / 2>(p), load_repeated<N / 2>(p));
  }
}

// Four fours one after the other.
template <class T>
TRIMPOT_INLINE Vec<T, 16> joined_fours(const T* a, const T* b, const T* c, const T* d) {
  return detail::joined(detail::joined(load<4>(a), load<4>(b)), detail::joined(load<4>(c), load<4>(d)));
}

} // namespace trimpot::TRIMPOT_ISA

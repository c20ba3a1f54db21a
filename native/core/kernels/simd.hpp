// Vectors of numbers by the vector extensions of GCC and Clang, from one source for every
// instruction set: Vec<T, N> is one register where N numbers fit, else two halves.
//
// Intrinsics stand only where the extensions have no word: reciprocal square roots, table
// lookups in registers, and packing of chosen lanes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace trimpot::TRIMPOT_ISA {

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16; // SSE2, NEON
#endif

// Vectors stay in registers only if nothing is called; compilers count instructions and think
// these too long to inline.
#define TRIMPOT_INLINE [[gnu::always_inline]] inline

template <class T, int N>
constexpr bool in_one_register = static_cast<int>(sizeof(T)) * N <= register_bytes;

// Lanes of a loop over atoms: a register full, but at least the four numbers of a row.
template <class T>
constexpr int lanes = std::max(register_bytes / static_cast<int>(sizeof(T)), 4);

template <class T, int N, bool Single = in_one_register<T, N>>
struct Vec;

template <class T, int N>
struct Vec<T, N, true> {
  typedef T Native __attribute__((vector_size(sizeof(T) * N)));
  typedef T Unaligned __attribute__((vector_size(sizeof(T) * N), aligned(alignof(T)), may_alias));
  Native v;

  T operator[](int lane) const { return v[lane]; }
  TRIMPOT_INLINE Vec& operator+=(Vec b) { return v += b.v, *this; }
  TRIMPOT_INLINE Vec& operator-=(Vec b) { return v -= b.v, *this; }
  TRIMPOT_INLINE friend Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
  TRIMPOT_INLINE friend Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
  TRIMPOT_INLINE friend Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
  TRIMPOT_INLINE friend Vec operator*(T a, Vec b) { return {a * b.v}; }
};

template <class T, int N>
struct Vec<T, N, false> {
  using Half = Vec<T, N / 2>;
  Half low, high;

  T operator[](int lane) const { return lane < N / 2 ? low[lane] : high[lane - N / 2]; }
  TRIMPOT_INLINE Vec& operator+=(Vec b) { return low += b.low, high += b.high, *this; }
  TRIMPOT_INLINE Vec& operator-=(Vec b) { return low -= b.low, high -= b.high, *this; }
  TRIMPOT_INLINE friend Vec operator+(Vec a, Vec b) { return {a.low + b.low, a.high + b.high}; }
  TRIMPOT_INLINE friend Vec operator-(Vec a, Vec b) { return {a.low - b.low, a.high - b.high}; }
  TRIMPOT_INLINE friend Vec operator*(Vec a, Vec b) { return {a.low * b.low, a.high * b.high}; }
  TRIMPOT_INLINE friend Vec operator*(T a, Vec b) { return {a * b.low, a * b.high}; }
};

template <int N, class T>
TRIMPOT_INLINE Vec<T, N> load(const T* p) {
  if constexpr (in_one_register<T, N>)
    return {*reinterpret_cast<const typename Vec<T, N>::Unaligned*>(p)};
  else
    return {load<N / 2>(p), load<N / 2>(p + N / 2)};
}

template <class T, int N>
TRIMPOT_INLINE void store(T* p, Vec<T, N> a) {
  if constexpr (in_one_register<T, N>) {
    *reinterpret_cast<typename Vec<T, N>::Unaligned*>(p) = a.v;
  } else {
    store(p, a.low);
    store(p + N / 2, a.high);
  }
}

template <int N, class T>
TRIMPOT_INLINE Vec<T, N> broadcast(T a) {
  if constexpr (in_one_register<T, N>)
    return {a - typename Vec<T, N>::Native{}};
  else
    return {broadcast<N / 2>(a), broadcast<N / 2>(a)};
}

template <class T, int N>
TRIMPOT_INLINE Vec<T, N> minimum(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (in_one_register<T, N>)
    return {a.v < b.v ? a.v : b.v};
  else
    return {minimum(a.low, b.low), minimum(a.high, b.high)};
}

template <class T, int N>
TRIMPOT_INLINE Vec<T, N> maximum(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (in_one_register<T, N>)
    return {a.v > b.v ? a.v : b.v};
  else
    return {maximum(a.low, b.low), maximum(a.high, b.high)};
}

// start, start + 1, ...
template <int N>
TRIMPOT_INLINE Vec<std::int32_t, N> iota(std::int32_t start) {
  std::int32_t parts[N];
  for (int l = 0; l < N; ++l) parts[l] = start + l;
  return load<N>(parts);
}

// Conversion lane by lane; to integers it cuts off the fraction.
template <class To, class From, int N>
TRIMPOT_INLINE Vec<To, N> convert(Vec<From, N> a) {
#if defined(__AVX2__) // compilers split these into halves
  if constexpr (std::is_same_v<To, double> && std::is_same_v<From, float> && N == 4) return {_mm256_cvtps_pd(a.v)};
  if constexpr (std::is_same_v<To, float> && std::is_same_v<From, double> && N == 4) return {_mm256_cvtpd_ps(a.v)};
#endif
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<To, double> && std::is_same_v<From, std::int32_t> && N == 8)
    return {_mm512_cvtepi32_pd(reinterpret_cast<__m256i>(a.v))};
  if constexpr (std::is_same_v<To, std::int32_t> && std::is_same_v<From, double> && N == 8)
    return {reinterpret_cast<typename Vec<To, N>::Native>(_mm512_cvttpd_epi32(a.v))};
#endif
  if constexpr (in_one_register<To, N> && in_one_register<From, N>) {
    return {__builtin_convertvector(a.v, typename Vec<To, N>::Native)};
  } else if constexpr (in_one_register<From, N>) { // wider results
    constexpr int H = N / 2;
    From parts[N];
    store(parts, a);
    return {convert<To>(load<H>(parts)), convert<To>(load<H>(parts + H))};
  } else if constexpr (in_one_register<To, N>) { // narrower results
    To parts[N];
    store(parts, convert<To>(a.low));
    store(parts + N / 2, convert<To>(a.high));
    return load<N>(parts);
  } else {
    return {convert<To>(a.low), convert<To>(a.high)};
  }
}

template <class T, int N>
TRIMPOT_INLINE T sum(Vec<T, N> a) {
  if constexpr (!in_one_register<T, N>) {
    return sum(a.low + a.high);
  } else if constexpr (N == 2) {
    return a.v[0] + a.v[1];
  } else {
    T parts[N];
    store(parts, a);
    return sum(load<N / 2>(parts) + load<N / 2>(parts + N / 2));
  }
}

template <class T, int N>
TRIMPOT_INLINE T smallest(Vec<T, N> a) {
  T least = a[0];
  for (int l = 1; l < N; ++l) least = std::min(least, a[l]);
  return least;
}

// 1 / sqrt(a) for a > 0, to a few units in the last place.
template <class T, int N>
TRIMPOT_INLINE Vec<T, N> inverse_sqrt(Vec<T, N> a) {
  if constexpr (!in_one_register<T, N>) {
    return {inverse_sqrt(a.low), inverse_sqrt(a.high)};
  } else {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) * N == 64) {
      Vec<T, N> y; // 14 bits; each step of Newton's doubles them
      if constexpr (std::is_same_v<T, float>)
        y.v = _mm512_rsqrt14_ps(a.v);
      else
        y.v = _mm512_rsqrt14_pd(a.v);
      const Vec<T, N> half = T(0.5) * a;
      for (int step = 0; step < (sizeof(T) == 4 ? 1 : 2); ++step)
        y = y * (broadcast<N>(T(1.5)) - half * y * y);
      return y;
    }
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float> && N == 8)
      return {1.0f / _mm256_sqrt_ps(a.v)};
    if constexpr (std::is_same_v<T, double> && N == 4)
      return {1.0 / _mm256_sqrt_pd(a.v)};
#endif
    Vec<T, N> y;
    for (int l = 0; l < N; ++l) y.v[l] = std::sqrt(a.v[l]);
    return {T(1) / y.v};
  }
}

template <class T, int N>
TRIMPOT_INLINE Vec<T, N> reciprocal(Vec<T, N> a) {
  if constexpr (in_one_register<T, N>)
    return {T(1) / a.v};
  else
    return {reciprocal(a.low), reciprocal(a.high)};
}

// Bit l is set where lane l of a is below b.
template <class T, int N>
TRIMPOT_INLINE std::uint32_t below(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (!in_one_register<T, N>) {
    return below(a.low, b.low) | below(a.high, b.high) << (N / 2);
  } else {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float> && N == 16) return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ);
    if constexpr (std::is_same_v<T, double> && N == 8) return _mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ);
#elif defined(__AVX2__)
    if constexpr (std::is_same_v<T, float> && N == 8)
      return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)));
    if constexpr (std::is_same_v<T, double> && N == 4)
      return static_cast<std::uint32_t>(_mm256_movemask_pd(_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ)));
#endif
    std::uint32_t bits = 0;
    for (int l = 0; l < N; ++l) bits |= static_cast<std::uint32_t>(a.v[l] < b.v[l]) << l;
    return bits;
  }
}

// Bit l is set where lane l is the number.
template <int N>
TRIMPOT_INLINE std::uint32_t equal(Vec<std::int32_t, N> a, std::int32_t number) {
#if defined(__AVX512F__)
  if constexpr (N == 16) return _mm512_cmpeq_epi32_mask(reinterpret_cast<__m512i>(a.v), _mm512_set1_epi32(number));
  if constexpr (N == 8) return _mm256_cmpeq_epi32_mask(reinterpret_cast<__m256i>(a.v), _mm256_set1_epi32(number));
#endif
  std::uint32_t bits = 0;
  for (int l = 0; l < N; ++l) bits |= static_cast<std::uint32_t>(a[l] == number) << l;
  return bits;
}

// Writes the lanes whose bit is set one after the other to p; may write N numbers.
template <class T, int N>
TRIMPOT_INLINE void pack(T* p, std::uint32_t bits, Vec<T, N> a) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float> && N == 16) {
    _mm512_storeu_ps(p, _mm512_maskz_compress_ps(static_cast<__mmask16>(bits), a.v));
    return;
  } else if constexpr (std::is_same_v<T, double> && N == 8) {
    _mm512_storeu_pd(p, _mm512_maskz_compress_pd(static_cast<__mmask8>(bits), a.v));
    return;
  } else if constexpr (std::is_same_v<T, std::int32_t> && N == 16) {
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi32(static_cast<__mmask16>(bits),
                                                       reinterpret_cast<__m512i>(a.v)));
    return;
  } else if constexpr (std::is_same_v<T, std::int32_t> && N == 8) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm256_maskz_compress_epi32(static_cast<__mmask8>(bits),
                                                    reinterpret_cast<__m256i>(a.v)));
    return;
  }
#endif
  int count = 0;
  for (int l = 0; l < N; ++l) {
    p[count] = a[l];
    count += static_cast<int>(bits >> l & 1u);
  }
}

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
  if constexpr (std::is_same_v<T, float> && N == 16) {
    __m512 a = _mm512_castps128_ps512(_mm_loadu_ps(row(first)));
    a = _mm512_insertf32x4(a, _mm_loadu_ps(row(first + 4)), 1);
    a = _mm512_insertf32x4(a, _mm_loadu_ps(row(first + 8)), 2);
    return {_mm512_insertf32x4(a, _mm_loadu_ps(row(first + 12)), 3)};
  }
  if constexpr (std::is_same_v<T, double> && N == 8)
    return {_mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_loadu_pd(row(first))), _mm256_loadu_pd(row(first + 4)), 1)};
#elif defined(__AVX2__)
  if constexpr (std::is_same_v<T, float> && N == 8)
    return {_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row(first))), _mm_loadu_ps(row(first + 4)), 1)};
#endif
  if constexpr (N > 4 && !in_one_register<T, N>)
    return joined(every_fourth<N / 2, T>(row, first), every_fourth<N / 2, T>(row, first + N / 2));
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
  if constexpr (in_one_register<T, 4>) {
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

// N / 4 tiles of 4 x 4 numbers, one every `stride`, with the rows of each added up.
template <int N, class T>
TRIMPOT_INLINE Vec<T, N> fold_tiles(const T* p, int stride = 16) {
  if constexpr (N == 4) {
    return (load<4>(p) + load<4>(p + 4)) + (load<4>(p + 8) + load<4>(p + 12));
  } else if constexpr (N == 8) {
    const auto a = load<8>(p) + load<8>(p + 8), b = load<8>(p + stride) + load<8>(p + stride + 8);
    return Vec<T, 8>{__builtin_shufflevector(a.v, b.v, 0, 1, 2, 3, 8, 9, 10, 11)} +
           Vec<T, 8>{__builtin_shufflevector(a.v, b.v, 4, 5, 6, 7, 12, 13, 14, 15)};
  } else {
    auto halves = [](Vec<T, 16> a, Vec<T, 16> b) {
      return Vec<T, 16>{__builtin_shufflevector(a.v, b.v, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)} +
             Vec<T, 16>{__builtin_shufflevector(a.v, b.v, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)};
    };
    const auto a = halves(load<16>(p), load<16>(p + stride));
    const auto b = halves(load<16>(p + 2 * stride), load<16>(p + 3 * stride));
    return Vec<T, 16>{__builtin_shufflevector(a.v, b.v, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)} +
           Vec<T, 16>{__builtin_shufflevector(a.v, b.v, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)};
  }
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
  const auto t = transpose(a, b, c, d);
  return fold((t.x + t.y) + (t.z + t.w));
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

// Vectors of numbers by the vector extensions of GCC and Clang, from one source for every
// instruction set: Vec<T, N> is one register where N numbers fit, else two halves.
//
// Intrinsics stand only where the extensions have no word or compilers no good one: reciprocal
// square roots, conversions, packing of chosen lanes. Rows of four numbers: rows.hpp; tables held
// in registers: register_table.hpp.
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
  if constexpr (std::is_same_v<To, double> && std::is_same_v<From, std::int32_t> && N == 4)
    return {_mm256_cvtepi32_pd(reinterpret_cast<__m128i>(a.v))};
  if constexpr (std::is_same_v<To, std::int32_t> && std::is_same_v<From, double> && N == 4)
    return {reinterpret_cast<typename Vec<To, N>::Native>(_mm256_cvttpd_epi32(a.v))};
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

// Numbers near this one have no digits behind the point; added to a small number it leaves the
// nearest integer in the last bits.
template <class T>
constexpr T whole = sizeof(T) == 4 ? T(3 << 22) : T(3ll << 51);

// The nearest integers, |a| < 2^22.
template <class T, int N>
TRIMPOT_INLINE Vec<std::int32_t, N> nearest(Vec<T, N> a) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float> && N == 16)
    return {reinterpret_cast<typename Vec<std::int32_t, N>::Native>(_mm512_cvtps_epi32(a.v))};
  if constexpr (std::is_same_v<T, double> && N == 8)
    return {reinterpret_cast<typename Vec<std::int32_t, N>::Native>(_mm512_cvtpd_epi32(a.v))};
#endif
#if defined(__AVX2__)
  if constexpr (std::is_same_v<T, float> && N == 8)
    return {reinterpret_cast<typename Vec<std::int32_t, N>::Native>(_mm256_cvtps_epi32(a.v))};
  if constexpr (std::is_same_v<T, double> && N == 4)
    return {reinterpret_cast<typename Vec<std::int32_t, N>::Native>(_mm256_cvtpd_epi32(a.v))};
#endif
  return convert<std::int32_t>((a + broadcast<N>(whole<T>)) - broadcast<N>(whole<T>));
}

// The first n lanes; the others become 0.
template <class T, int N>
TRIMPOT_INLINE Vec<T, N> first_lanes(Vec<T, N> a, int n) {
#if defined(__AVX512F__)
  const std::uint32_t bits = n >= N ? ~0u : n <= 0 ? 0u : (1u << n) - 1u;
  if constexpr (std::is_same_v<T, float> && N == 16) return {_mm512_maskz_mov_ps(static_cast<__mmask16>(bits), a.v)};
  if constexpr (std::is_same_v<T, double> && N == 8) return {_mm512_maskz_mov_pd(static_cast<__mmask8>(bits), a.v)};
#endif
  if constexpr (in_one_register<T, N>) {
    T lane[N];
    for (int l = 0; l < N; ++l) lane[l] = static_cast<T>(l);
    return {load<N>(lane).v < broadcast<N>(static_cast<T>(n)).v ? a.v : Vec<T, N>{}.v};
  } else {
    return {first_lanes(a.low, n), first_lanes(a.high, n - N / 2)};
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

// 1 / sqrt(a) for a > 0, to a few units in the last place.
template <class T, int N>
TRIMPOT_INLINE Vec<T, N> inverse_sqrt(Vec<T, N> a) {
  if constexpr (!in_one_register<T, N>) {
    return {inverse_sqrt(a.low), inverse_sqrt(a.high)};
  } else {
#if defined(__AVX2__)
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
struct Roots {
  Vec<T, N> root, inverse;
  Vec<T, N> guess; // of the root, at least half of its digits: single precision knows it earlier
};

#if defined(__AVX512F__)
// 1 / sqrt(a) to 14 bits.
template <class T, int N>
TRIMPOT_INLINE Vec<T, N> inverse_sqrt_guess(Vec<T, N> a) {
  if constexpr (!in_one_register<T, N>)
    return {inverse_sqrt_guess(a.low), inverse_sqrt_guess(a.high)};
  else if constexpr (std::is_same_v<T, float>)
    return {_mm512_rsqrt14_ps(a.v)};
  else
    return {_mm512_rsqrt14_pd(a.v)};
}
#endif

// sqrt(a) and 1 / sqrt(a) for a > 0, to a few units in the last place.
template <class T, int N>
TRIMPOT_INLINE Roots<T, N> roots(Vec<T, N> a) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) * N >= 64) {
    const auto y = inverse_sqrt_guess(a), guess = a * y; // y = sqrt((1 - e) / a), e below 2^-13
    if constexpr (std::is_same_v<T, float>) {
      const auto half_e = broadcast<N>(T(0.5)) - (T(0.5) * y) * guess;
      return {guess * half_e + guess, y * half_e + y, guess};
    } else { // e / 2 + 3/8 e^2 + 5/16 e^3
      const auto e = broadcast<N>(T(1)) - y * guess;
      const auto change = e * (e * (T(0.3125) * e + broadcast<N>(T(0.375))) + broadcast<N>(T(0.5)));
      const auto root = guess * change + guess;
      return {root, y * change + y, root};
    }
  }
#endif
  const auto y = inverse_sqrt(a), root = a * y;
  return {root, y, root};
}

template <class T, int N>
TRIMPOT_INLINE Vec<T, N> reciprocal(Vec<T, N> a) {
  if constexpr (in_one_register<T, N>)
    return {T(1) / a.v};
  else
    return {reciprocal(a.low), reciprocal(a.high)};
}

// 1 / a for ordinary a, to a few units in the last place: cheaper than a division where it can be.
template <class T, int N>
TRIMPOT_INLINE Vec<T, N> near_reciprocal(Vec<T, N> a) {
#if defined(__AVX512F__)
  if constexpr (std::is_same_v<T, float> && N == 16) {
    const Vec<T, N> y{_mm512_rcp14_ps(a.v)};
    return y + y * (broadcast<N>(T(1)) - a * y);
  }
#endif
  return reciprocal(a);
}

// The same numbers, which the compiler takes for others.
template <class T, int N>
TRIMPOT_INLINE Vec<T, N> unshared(Vec<T, N> a) {
  if constexpr (!in_one_register<T, N>) {
    return {unshared(a.low), unshared(a.high)};
  } else {
#if defined(__AVX512F__)
    asm("" : "+v"(a.v));
#elif defined(__x86_64__)
    asm("" : "+x"(a.v));
#elif defined(__aarch64__)
    asm("" : "+w"(a.v));
#endif
    return a;
  }
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
#endif
#if defined(__AVX512VL__)
    if constexpr (std::is_same_v<T, float> && N == 8) return _mm256_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ);
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

// Bit l is set where lane l has a minus sign; of numbers alone, for what is none may have one.
template <class T, int N>
TRIMPOT_INLINE std::uint32_t negative(Vec<T, N> a) {
#if defined(__AVX__)
  if constexpr (std::is_same_v<T, float> && N == 8) return static_cast<std::uint32_t>(_mm256_movemask_ps(a.v));
  if constexpr (std::is_same_v<T, double> && N == 4) return static_cast<std::uint32_t>(_mm256_movemask_pd(a.v));
#endif
  return below(a, Vec<T, N>{});
}

// The same number, which the compiler takes for another: it does not gather such numbers in vectors.
TRIMPOT_INLINE std::uint32_t apart(std::uint32_t a) {
  asm("" : "+r"(a));
  return a;
}

// Numbers of a byte each.
template <int N>
TRIMPOT_INLINE Vec<std::int32_t, N> widened(const std::uint8_t* p) {
#if defined(__AVX512F__)
  if constexpr (N == 16)
    return {reinterpret_cast<typename Vec<std::int32_t, N>::Native>(
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
#endif
  std::int32_t lane[N];
  for (int l = 0; l < N; ++l) lane[l] = p[l];
  return load<N>(lane);
}

// Bits that are set in both.
template <int N>
TRIMPOT_INLINE Vec<std::int32_t, N> both(Vec<std::int32_t, N> a, Vec<std::int32_t, N> b) {
  if constexpr (!in_one_register<std::int32_t, N>)
    return {both(a.low, b.low), both(a.high, b.high)};
  else
    return {a.v & b.v};
}

// Bit l is set where lane l is not 0.
template <int N>
TRIMPOT_INLINE std::uint32_t not_zero(Vec<std::int32_t, N> a) {
  if constexpr (!in_one_register<std::int32_t, N>) {
    return not_zero(a.low) | not_zero(a.high) << (N / 2);
  } else {
#if defined(__AVX512F__)
    if constexpr (N == 16)
      return _mm512_test_epi32_mask(reinterpret_cast<__m512i>(a.v), reinterpret_cast<__m512i>(a.v));
#endif
    std::uint32_t bits = 0;
    for (int l = 0; l < N; ++l) bits |= static_cast<std::uint32_t>(a.v[l] != 0) << l;
    return bits;
  }
}

// Lane by lane: a where the bit is set, else b.
template <int N>
TRIMPOT_INLINE Vec<std::int32_t, N> select(std::uint32_t bits, Vec<std::int32_t, N> a, Vec<std::int32_t, N> b) {
#if defined(__AVX512F__)
  if constexpr (N == 16)
    return {reinterpret_cast<typename Vec<std::int32_t, N>::Native>(_mm512_mask_blend_epi32(
        static_cast<__mmask16>(bits), reinterpret_cast<__m512i>(b.v), reinterpret_cast<__m512i>(a.v)))};
  if constexpr (N == 8)
    return {reinterpret_cast<typename Vec<std::int32_t, N>::Native>(_mm256_mask_blend_epi32(
        static_cast<__mmask8>(bits), reinterpret_cast<__m256i>(b.v), reinterpret_cast<__m256i>(a.v)))};
#endif
  std::int32_t lane[N];
  for (int l = 0; l < N; ++l) lane[l] = bits >> l & 1u ? a[l] : b[l];
  return load<N>(lane);
}

// Writes the lanes whose bit is set one after the other to p; may write N numbers.
template <class T, int N>
TRIMPOT_INLINE void pack(T* p, std::uint32_t bits, Vec<T, N> a) {
  if constexpr (!in_one_register<T, N>) {
    const std::uint32_t low = bits & ((1u << (N / 2)) - 1u);
    pack(p, low, a.low);
    return pack(p + __builtin_popcount(low), bits >> (N / 2), a.high);
  }
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

// The numbers at p, one after the other, in the lanes whose bit is set; 0 in the others. May read
// N numbers.
template <int N, class T>
TRIMPOT_INLINE Vec<T, N> unpack(const T* p, std::uint32_t bits) {
  if constexpr (!in_one_register<T, N>) {
    const std::uint32_t low = bits & ((1u << (N / 2)) - 1u);
    return {unpack<N / 2>(p, low), unpack<N / 2>(p + __builtin_popcount(low), bits >> (N / 2))};
  }
#if defined(__AVX512F__)
  const auto a = load<N>(p);
  if constexpr (std::is_same_v<T, float> && N == 16)
    return {_mm512_maskz_expand_ps(static_cast<__mmask16>(bits), a.v)};
  else if constexpr (std::is_same_v<T, double> && N == 8)
    return {_mm512_maskz_expand_pd(static_cast<__mmask8>(bits), a.v)};
#endif
  T lane[N];
  for (int l = 0, next = 0; l < N; ++l) {
    lane[l] = bits >> l & 1u ? p[next] : T(0);
    next += static_cast<int>(bits >> l & 1u);
  }
  return load<N>(lane);
}

// Writes zeros to n numbers, n a multiple of a vector. Compilers would call memset, which takes longer.
template <class Real>
TRIMPOT_INLINE void clear(Real* p, int n) {
  const auto zero = unshared(Vec<Real, lanes<Real>>{});
  for (int i = 0; i < n; i += lanes<Real>) store(p + i, zero);
}

} // namespace trimpot::TRIMPOT_ISA

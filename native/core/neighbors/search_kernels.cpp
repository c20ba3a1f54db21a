// Compiled once per instruction set, with TRIMPOT_ISA naming its namespace.
#ifndef TRIMPOT_ISA
#error "define TRIMPOT_ISA"
#endif

#include "search_kernels.hpp"

#include <algorithm>

#include "../kernels/rows.hpp"
#include "../kernels/simd.hpp"
#include "sort_network.hpp"

namespace trimpot::TRIMPOT_ISA {
namespace {

using namespace neighbors_detail;

constexpr int width = register_bytes / 4;
constexpr int parts = static_cast<int>(group) / width;
using Floats = Vec<float, width>;
using Ints = Vec<std::int32_t, width>;

// Bit l is set where lane l of a is below b.
TRIMPOT_INLINE std::uint32_t lanes_below(Floats a, Floats b) {
#if defined(__SSE2__) && !defined(__AVX2__)
  return static_cast<std::uint32_t>(__builtin_ia32_movmskps(a.v < b.v));
#else
  return below(a, b);
#endif
}

TRIMPOT_INLINE std::uint32_t lanes_below(Ints a, Ints b) {
#if defined(__AVX512F__)
  return _mm512_cmplt_epi32_mask(reinterpret_cast<__m512i>(a.v), reinterpret_cast<__m512i>(b.v));
#elif defined(__AVX2__)
  return static_cast<std::uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(a.v < b.v)));
#elif defined(__SSE2__)
  return static_cast<std::uint32_t>(__builtin_ia32_movmskps(reinterpret_cast<Floats::Native>(a.v < b.v)));
#else
  std::uint32_t bits = 0;
  for (int l = 0; l < width; ++l) bits |= static_cast<std::uint32_t>(a[l] < b[l]) << l;
  return bits;
#endif
}

// Number of set bits among the lowest Lanes ones; the others are 0.
template <int Lanes = static_cast<int>(group)>
TRIMPOT_INLINE int count_bits(std::uint32_t bits) {
#if defined(__x86_64__) && !defined(__POPCNT__)
  constexpr std::uint64_t counts = 0x4332322132212110; // of each number of four bits
  int n = 0;
  for (int nibble = 0; nibble < Lanes / 4; ++nibble)
    n += static_cast<int>(counts >> (bits >> (4 * nibble) & 15u) * 4u & 15u);
  return n;
#else
  return __builtin_popcount(bits);
#endif
}

TRIMPOT_INLINE int first_bit(std::uint32_t bits) { return __builtin_ctz(bits); }

// Writes the lanes whose bit is set one after the other; may write all lanes.
TRIMPOT_INLINE void pack_lanes(std::int32_t* p, std::uint32_t bits, Ints a) {
#if defined(__AVX2__) && !defined(__AVX512F__)
  // The set bits spread to bytes of ones pick as many of the bytes 0 .. 7: lanes for a shuffle.
  static constexpr auto lanes = [] {
    struct { std::uint64_t of[256]; } table{};
    for (unsigned b = 0; b < 256; ++b)
      for (unsigned l = 0, n = 0; l < 8; ++l)
        if (b >> l & 1u) table.of[b] |= std::uint64_t{l} << (8 * n++);
    return table;
  }();
  const __m256i order = _mm256_cvtepu8_epi32(
      _mm_loadl_epi64(reinterpret_cast<const __m128i*>(lanes.of + bits)));
  const __m256i packed = _mm256_permutevar8x32_epi32(reinterpret_cast<__m256i>(a.v), order);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), packed);
#else
  pack(p, bits, a);
#endif
}

// (p[l] - origin) * scale in single precision.
TRIMPOT_INLINE Floats relative(const double* p, double origin, double scale) {
  constexpr int half = width / 2; // doubles in a register
  const auto o = broadcast<half>(origin);
  const auto low = convert<float>(scale * (load<half>(p) - o));
  const auto high = convert<float>(scale * (load<half>(p + half) - o));
  return detail::joined(low, high);
}

// start, start + 1, ...
TRIMPOT_INLINE Ints numbers(std::int64_t start) {
  static constexpr auto lane = [] {
    struct { std::int32_t at[width]; } table{};
    for (int l = 0; l < width; ++l) table.at[l] = l;
    return table;
  }();
  return {load<width>(lane.at).v + broadcast<width>(static_cast<std::int32_t>(start)).v};
}

TRIMPOT_INLINE Floats beyond(Floats a, float half) {
  const auto zero = Floats{};
  const Floats magnitude = maximum(a, zero - a);
  return maximum(magnitude - broadcast<width>(half), zero);
}

TRIMPOT_INLINE Ints as_ints(Floats a) { return {reinterpret_cast<typename Ints::Native>(a.v)}; }

TRIMPOT_INLINE void pack_floats(float* p, std::uint32_t bits, Floats a) {
  pack_lanes(reinterpret_cast<std::int32_t*>(p), bits, as_ints(a));
}

void collect(CandidateArrays& c, std::int64_t begin, std::int64_t end) {
  const double scale = 1.0 / c.cutoff;
  const bool all = c.outer == 0.0f;
  const auto reach = broadcast<width>(c.outer);
  const float half[3] = {static_cast<float>(c.half[0]), static_cast<float>(c.half[1]),
                         static_cast<float>(c.half[2])};
  std::int64_t size = c.size;
  for (std::int64_t s = begin; s < end; s += width) {
    const Floats x = relative(c.points.x + s, c.center[0], scale);
    const Floats y = relative(c.points.y + s, c.center[1], scale);
    const Floats z = relative(c.points.z + s, c.center[2], scale);
    const Floats dx = beyond(x, half[0]), dy = beyond(y, half[1]), dz = beyond(z, half[2]);
    std::uint32_t bits = lanes_below(dx * dx + dy * dy + dz * dz, reach);
    const std::uint32_t present = end - s >= width ? ~0u >> (32 - width) : (1u << (end - s)) - 1u;
    bits = all ? present : bits & present;
    pack_floats(c.x + size, bits, x);
    pack_floats(c.y + size, bits, y);
    pack_floats(c.z + size, bits, z);
    pack_lanes(c.slots + size, bits, numbers(s));
    size += count_bits<width>(bits);
  }
  c.size = size;
}

struct Center {
  Floats x, y, z;
};

TRIMPOT_INLINE Center center_at(const CandidateArrays& c, std::int64_t i) {
  return {broadcast<width>(c.x[i]), broadcast<width>(c.y[i]), broadcast<width>(c.z[i])};
}

TRIMPOT_INLINE Floats squares(const CandidateArrays& c, const Center& center, std::int64_t j) {
  const Floats dx = load<width>(c.x + j) - center.x;
  const Floats dy = load<width>(c.y + j) - center.y;
  const Floats dz = load<width>(c.z + j) - center.z;
  return dx * dx + dy * dy + dz * dz;
}

// Takes away marks of candidates that are not within the cutoff; returns how many are left.
[[gnu::noinline]] std::int32_t settle(const CandidateArrays& c, std::int64_t i,
                                      std::uint16_t* marks) {
  const double square = c.cutoff * c.cutoff;
  std::int32_t count = 0;
  for (std::int64_t g = 0; g < c.n_groups(); ++g) {
    std::uint32_t kept = 0;
    for (std::uint32_t left = marks[g]; left != 0; left &= left - 1) {
      const std::int32_t other = c.slots[group * g + first_bit(left)];
      if (square_distance(c.points, c.slots[i], other) < square) kept |= left & (0u - left);
    }
    marks[g] = static_cast<std::uint16_t>(kept);
    count += count_bits(kept);
  }
  return count;
}

struct KeyWriter {
  int shift;
  float scale;
  Ints largest;

  explicit KeyWriter(int bits)
      : shift(bits), scale(static_cast<float>(1u << (31 - bits))),
        largest(broadcast<width>((1 << (31 - bits)) - 1)) {}

  // Writes the keys of the candidates j .. whose bit is set; returns how many.
  TRIMPOT_INLINE std::int64_t write(std::int32_t* keys, Floats r2, std::int64_t j,
                                    std::uint32_t bits) const {
    // Whatever the conversion makes of atoms far away: their bits are not set.
    const Ints square = smaller(convert<std::int32_t>(scale * r2), largest);
    pack_lanes(keys, bits, Ints{(square.v << shift) | numbers(j).v});
    return count_bits<width>(bits);
  }
};

// The keys of a row whose marks have been settled.
[[gnu::noinline]] void rewrite_keys(const CandidateArrays& c, std::int64_t i,
                                    const std::uint16_t* marks, const KeyWriter& writer,
                                    std::int32_t* keys) {
  const Center center = center_at(c, i);
  for (std::int64_t g = 0; g < c.n_groups(); ++g) {
    for (int part = 0; part < parts; ++part) {
      const std::int64_t j = group * g + width * part;
      const std::uint32_t bits = marks[g] >> (width * part) & (~0u >> (32 - width));
      keys += writer.write(keys, squares(c, center, j), j, bits);
    }
  }
}

void mark_all(const CandidateArrays& c, std::int64_t i, std::uint16_t* marks) {
  for (std::int64_t g = 0; g < c.n_groups(); ++g) {
    const std::int64_t left = c.size - group * g;
    marks[g] = static_cast<std::uint16_t>(left >= group ? 0xffffu : (1u << left) - 1u);
  }
  marks[i / group] = static_cast<std::uint16_t>(marks[i / group] & ~(1u << i % group));
}

template <bool WithKeys>
void mark_rows(const CandidateArrays& candidates, std::uint16_t* marks, std::int32_t* counts,
               const KeyWriter& writer, std::int32_t* keys) {
  const CandidateArrays c = candidates; // a copy that the stores below cannot change
  const std::int64_t n_groups = c.n_groups(), row_length = c.keys_per_row();
  const auto inner = broadcast<width>(c.inner), outer = broadcast<width>(c.outer);
  for (std::int64_t i = 0; i < c.n_own; ++i, marks += n_groups, keys += WithKeys ? row_length : 0) {
    const Center center = center_at(c, i);
    const std::int64_t own_group = i / group;
    const std::uint32_t own = 1u << i % group;
    std::uint32_t doubts = 0;
    std::int64_t count = 0;
    for (std::int64_t g = 0; g < n_groups; ++g) {
      const std::uint32_t others = ~(g == own_group ? own : 0u);
      std::uint32_t marked = 0;
      for (int part = 0; part < parts; ++part) {
        const std::int64_t j = group * g + width * part;
        const Floats r2 = squares(c, center, j);
        const std::uint32_t bits = lanes_below(r2, outer);
        doubts |= bits ^ lanes_below(r2, inner);
        const std::uint32_t kept = bits & others >> (width * part);
        marked |= kept << (width * part);
        if constexpr (WithKeys) count += writer.write(keys + count, r2, j, kept);
      }
      if constexpr (!WithKeys) count += count_bits(marked);
      marks[g] = static_cast<std::uint16_t>(marked);
    }
    counts[i] = static_cast<std::int32_t>(count);
    if (c.outer == 0.0f) mark_all(c, i, marks);
    if (c.outer == 0.0f || doubts != 0) {
      counts[i] = settle(c, i, marks);
      if constexpr (WithKeys) rewrite_keys(c, i, marks, writer, keys);
    }
  }
}

void mark(const CandidateArrays& c, std::uint16_t* marks, std::int32_t* counts) {
  mark_rows<false>(c, marks, counts, KeyWriter(16), nullptr);
}

void mark_keys(const CandidateArrays& c, std::uint16_t* marks, std::int32_t* counts, int shift,
               std::int32_t* keys) {
  mark_rows<true>(c, marks, counts, KeyWriter(shift), keys);
}

void write(const std::uint16_t* marks, std::int64_t n_groups, const std::int32_t* atoms,
           [[maybe_unused]] std::int32_t* scratch, std::int32_t* out) {
#if defined(__AVX512F__)
  for (std::int64_t g = 0; g < n_groups; ++g) {
    const std::uint32_t bits = marks[g];
    const int n = count_bits(bits);
    const __m512i packed = _mm512_maskz_compress_epi32(static_cast<__mmask16>(bits),
                                                       _mm512_loadu_si512(atoms + group * g));
    _mm512_mask_storeu_epi32(out, static_cast<__mmask16>((1u << n) - 1u), packed);
    out += n;
  }
#elif defined(__AVX2__)
  std::int64_t count = 0;
  for (std::int64_t g = 0; g < n_groups; ++g) {
    for (int part = 0; part < parts; ++part) {
      const std::uint32_t bits = marks[g] >> (width * part) & 255u;
      pack_lanes(scratch + count, bits, load<width>(atoms + group * g + width * part));
      count += count_bits<width>(bits);
    }
  }
  std::copy_n(scratch, count, out);
#else
  for (std::int64_t g = 0; g < n_groups; ++g) {
    for (std::uint32_t left = marks[g]; left != 0; left &= left - 1) {
      *out++ = atoms[group * g + first_bit(left)];
    }
  }
#endif
}

bool sort(const RowOrder& order, std::int32_t* keys, std::int64_t count, std::uint16_t* row) {
  const auto pad = broadcast<width>(std::int32_t{2147483647});
  for (int part = 0; part <= parts; ++part) store(keys + count + width * part, pad);
  sort_keys(keys, count);
  const std::uint32_t mask = (1u << order.shift) - 1u;
  const std::uint16_t* const number = order.numbers;
#pragma GCC unroll 8
  for (std::int64_t k = 0; k < count; ++k) row[k] = number[static_cast<std::uint32_t>(keys[k]) & mask];
  std::uint32_t close = 0;
  for (std::int64_t k = 0; k < count; k += width) {
    const Ints key = load<width>(keys + k), next = load<width>(keys + k + 1);
    const std::int64_t left = count - 1 - k; // keys that have a successor
    const std::uint32_t present = left >= width ? ~0u >> (32 - width) : (1u << left) - 1u;
    close |= lanes_below(Ints{next.v - key.v}, broadcast<width>(order.step)) & present;
  }
  return close != 0;
}

} // namespace

neighbors_detail::SearchKernels search_kernels() {
  return {collect, mark, write, mark_keys, sort};
}

} // namespace trimpot::TRIMPOT_ISA

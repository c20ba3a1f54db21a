// Which edges of a graph survive a screening, and which others screen them in part: for hosts that
// work out the weights on their own.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "../kernels.hpp"
#include "../memory.hpp"
#include "../specs.hpp"
#include "../term.hpp"
#include "screening.hpp"
#include "screening_search.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

class EdgeScreening {
 public:
  // For atoms with up to this many edges.
  EdgeScreening(const EdgeScreeningSpec& spec, const EdgesView& edges, std::int64_t most)
      : limits_(spec.screening), edges_(edges), widest_(raised(spec.screening, spec.span)),
        reach_(spec.reach), search_(widest_, arena_, static_cast<int>(most), spec.reach),
        found_(search_.places(arena_)) {
    const std::int64_t size = most + 2 * N;
    row_ = arena_.take<Entry>(size);
    for (double** a : {&x_, &y_, &z_, &r_}) *a = arena_.take<double>(size);
    ends_ = arena_.take<int>(size);
  }

  EdgeScreening(const EdgeScreening&) = delete; // the search refers to the limits
  EdgeScreening& operator=(const EdgeScreening&) = delete;

  // Writes which edges of an atom survive, and appends what screens them in part.
  void run(std::int64_t atom, std::uint8_t* alive, PartialScreenings& partials) {
    first_ = edges_.first[atom];
    const Environment<double> env = environment(atom, alive);
    search_.run(env, found_);
    for (int j = 0; j < env.count; ++j) alive[first_ + row_[j].edge] = found_.alive[j / N] >> (j % N) & 1u;
    append(env, partials);
  }

 private:
  static constexpr int N = lanes<double>;
  static constexpr int M = ScreeningSearch<double>::M;
  static constexpr double nothing = 1e-290; // up to this r^2 is 0: ratios of squares would not be finite

  struct Entry {
    double square;     // r^2
    std::int32_t edge; // of the atom
  };

  static ScreeningSpec raised(ScreeningSpec spec, double span) {
    for (double& c : spec.c_max)
      if (c > 0.0) c += span; // below: does not screen
    return spec;
  }

  const double* vector(std::int64_t edge) const { return edges_.vectors + 3 * (first_ + edge); }
  int end(std::int64_t edge) const { return edges_.ends[first_ + edge]; }

  static double dot(const double* a, const double* b) { return a[0] * b[0] + (a[1] * b[1] + a[2] * b[2]); }

  // The edges of an atom that can screen or be screened, nearest first. Those of length 0 can not: they
  // survive, and so do those that are no numbers.
  Environment<double> environment(std::int64_t atom, std::uint8_t* alive) {
    const double farthest = widest_.stretch() * reach_ * (1.0 + 1e-12);
    int count = 0;
    for (std::int64_t e = 0, n = edges_.first[atom + 1] - first_; e < n; ++e) {
      const double square = dot(vector(e), vector(e));
      row_[count] = {square, static_cast<std::int32_t>(e)};
      count += square > nothing && square < farthest * farthest ? 1 : 0; // keeps the slot only then
      alive[first_ + e] = !(square > nothing);
    }
    std::sort(row_, row_ + count, [](const Entry& a, const Entry& b) { return a.square < b.square; });
    fill(count);
    Environment<double> env;
    env.species = edges_.species[atom];
    env.count = count;
    env.x = x_, env.y = y_, env.z = z_, env.r = r_;
    env.neighbor_species = ends_;
    env.arena = &arena_;
    return env;
  }

  void fill(int count) {
    for (int j = 0; j < count; ++j) {
      const double* const d = vector(row_[j].edge);
      x_[j] = d[0], y_[j] = d[1], z_[j] = d[2];
      r_[j] = std::sqrt(row_[j].square);
      ends_[j] = end(row_[j].edge);
    }
    for (double* a : {x_, y_, z_, r_}) std::fill(a + count, a + count + 2 * N, 1e4);
    std::fill(ends_ + count, ends_ + count + 2 * N, 0);
  }

  // Pairs of edges in the order in which they were given.
  void append(const Environment<double>& env, PartialScreenings& partials) {
    const Arena::Scope scope(arena_);
    std::int64_t n = 0;
    for_each_partial(env, [&](int, int) { ++n; });
    auto* const pairs = arena_.take<std::uint64_t>(n);
    auto* next = pairs;
    for_each_partial(env, [&](int j, int k) {
      *next++ = static_cast<std::uint64_t>(row_[j].edge) << 32 | static_cast<std::uint64_t>(row_[k].edge);
    });
    std::sort(pairs, next);
    for (const std::uint64_t* pair = pairs; pair != next; ++pair) {
      const auto j = static_cast<std::int64_t>(*pair >> 32), k = static_cast<std::int64_t>(*pair & 0xffffffffu);
      partials.screened.push_back(first_ + j);
      partials.screening.push_back(first_ + k);
      partials.x.push_back(share(widest_.trio(env.species, end(j), end(k)), vector(j), vector(k)));
    }
  }

  // Calls visit(j, k) for the neighbours k that screen survivors j in part.
  template <class Visit>
  void for_each_partial(const Environment<double>& env, Visit&& visit) const {
    for (int j = 0; j < env.count; j += M) {
      const std::uint64_t lanes_left = found_.alive[j / N] >> (j % N) & ((1u << M) - 1u);
      const std::uint64_t left = lanes_left * 0x0101010101010101u; // for eight k at once
      const std::uint8_t* const masks = found_.partial + std::ptrdiff_t{j / M} * search_.width();
      for (int k = 0; k < found_.ends[j / M]; k += 8) {
        std::uint64_t bits;
        std::memcpy(&bits, masks + k, sizeof(bits));
        for (bits &= left; bits != 0; bits &= bits - 1) {
          const int bit = __builtin_ctzll(bits);
          visit(j + bit % 8, k + bit / 8);
        }
      }
    }
  }

  // Where C of r_ij = u, r_ik = v lies between its limits, without span.
  double share(std::size_t trio, const double* u, const double* v) const {
    const double square = dot(u, u), t = dot(u, v) / square, scale = square * t * (1.0 - t);
    if (!(scale > 0.0)) return 1.0; // only by rounding: k does not stand between
    const double q[3] = {v[0] - t * u[0], v[1] - t * u[1], v[2] - t * u[2]};
    const double low = limits_.c_min[trio], high = limits_.c_max[trio];
    const double c = dot(q, q) / scale + high * widest_.lift_at(std::sqrt(square)).value;
    return (c - low) / (high - low);
  }

  const ScreeningSpec& limits_;
  const EdgesView& edges_;
  Screening widest_;
  double reach_;
  Arena arena_;
  ScreeningSearch<double> search_;
  Found found_;
  std::int64_t first_ = 0; // edge of the atom
  Entry* row_;
  double *x_, *y_, *z_, *r_;
  int* ends_;
};

// See Kernels::screening_partials.
inline void screening_partials(const EdgeScreeningSpec& spec, const EdgesView& edges, std::int64_t begin,
                               std::int64_t end, std::uint8_t* alive, PartialScreenings& partials) {
  std::int64_t most = 0;
  for (std::int64_t i = begin; i < end; ++i) most = std::max(most, edges.first[i + 1] - edges.first[i]);
  EdgeScreening screening(spec, edges, most);
  for (std::int64_t i = begin; i < end; ++i) screening.run(i, alive, partials);
}

} // namespace trimpot::TRIMPOT_ISA

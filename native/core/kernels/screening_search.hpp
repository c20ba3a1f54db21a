// Which neighbours of an atom have a weight, and which atoms screen them in part.
//
// With u = r_ij, v = r_ik, t = u.v / u^2:  C = h^2 / (t - t^2), h^2 = v^2 / u^2 - t^2. Whether C is
// below a limit needs no division. Vectors run over j; a loop over k, sorted by distance, ends when
// nothing of the vector is left. Nothing branches on single atoms: what a vector of k says is
// written down, and read for survivors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../memory.hpp"
#include "../term.hpp"
#include "screening.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

// What is found for one atom.
struct Found {
  std::uint32_t* alive;  // survivors, by vector of neighbours
  std::uint8_t* partial; // by shorter vector of j, and by k: lanes that k screens in part
  int* ends;             // by shorter vector of j: how many k were looked at
};

template <class Real>
class ScreeningSearch {
 public:
  static constexpr int N = lanes<Real>;
  static constexpr int M = std::min(N, 8); // neighbours j at once, and k between questions who is left

  // For environments with up to this many neighbours, of which those within reach get weights.
  ScreeningSearch(const Screening& screening, Arena& arena, int most, double reach)
      : screening_(screening), spec_(screening.spec()), reach_(static_cast<Real>(reach)),
        stretch_(static_cast<Real>(screening.stretch())), plain_(screening.plain()), vectors_((most + 2 * N) / N),
        width_((most + 31) / 16 * 16) {
    square_ = arena.take<Real>(std::int64_t{vectors_} * N);
    per_square_ = arena.take<Real>(std::int64_t{vectors_} * N);
    nearest_ = arena.take<Real>(vectors_ * N / M + 1);
    limits_ = arena.take<Real>(std::int64_t{2} * M * spec_.n_species);
  }

  // Places for what is found for one atom.
  Found places(Arena& arena) const {
    return {arena.take<std::uint32_t>(vectors_), arena.take<std::uint8_t>(std::int64_t{vectors_ * N / M} * width_),
            arena.take<int>(vectors_ * N / M)};
  }

  // Of the masks that belong to a vector of j.
  int width() const { return width_; }

  void run(const Environment<Real>& env, const Found& found) const {
    plain_ ? run<true>(env, found) : run<false>(env, found);
  }

 private:
  using V = Vec<Real, N>;
  using U = Vec<Real, M>;

  // A vector of neighbours j while the k are gone through.
  struct Sweep {
    U x, y, z, per_square; // u / u^2, 1 / u^2
    U low, high;           // limits of C where all pairs have the same
  };

  template <bool plain>
  void run(const Environment<Real>& env, const Found& found) const {
    measure(env);
    for (int j = 0; j < env.count; j += N) {
      std::uint32_t alive = 0;
      for (int l = 0; l < N; l += M) {
        const int v = (j + l) / M;
        alive |= survivors<plain>(env, j + l, found.partial + std::ptrdiff_t{v} * width_, found.ends[v]) << l;
      }
      found.alive[j / N] = alive;
    }
  }

  // Squares of distances, and the smallest distance from each vector on: neighbours are sorted but for
  // small moves.
  void measure(const Environment<Real>& env) const {
    const Real *const env_x = env.x, *const env_y = env.y, *const env_z = env.z, *const env_r = env.r;
    Real *const squares = square_, *const per_squares = per_square_, *const nearest = nearest_;
    const int count = env.count, blocks = (count + M - 1) / M;
    for (int b = 0; b < blocks; ++b) nearest[b] = extreme<false>(load<M>(env_r + b * M)); // behind the last: far away
    Real least = nearest[blocks] = Real(1e30);
    for (int b = blocks - 1; b >= 0; --b) nearest[b] = least = std::min(nearest[b], least);
    for (int j = 0; j < count; j += N) {
      const V x = load<N>(env_x + j), y = load<N>(env_y + j), z = load<N>(env_z + j);
      const V square = maximum(x * x + (y * y + z * z), broadcast<N>(Real(1e-20))); // of an atom at the same place
      store(squares + j, square);
      store(per_squares + j, near_reciprocal(square));
    }
  }

  // The smallest or largest of all lanes.
  template <bool largest, class T, int L>
  TRIMPOT_INLINE static T extreme(Vec<T, L> a) {
    T parts[L];
    store(parts, a);
    if constexpr (L == 2) {
      return largest ? std::max(parts[0], parts[1]) : std::min(parts[0], parts[1]);
    } else {
      const auto low = load<L / 2>(parts), high = load<L / 2>(parts + L / 2);
      return extreme<largest>(largest ? maximum(low, high) : minimum(low, high));
    }
  }

  // Limits of C for the neighbours from j on, by species of k, less what lifts C for close pairs.
  void set_limits(const Environment<Real>& env, int j) const {
    for (int l = 0; l < M; ++l) {
      const Real lift = static_cast<Real>(screening_.lift_at(static_cast<double>(env.r[j + l])).value);
      for (int k = 0; k < spec_.n_species; ++k) {
        const std::size_t trio = screening_.trio(env.species, env.neighbor_species[j + l], k);
        const Real high = static_cast<Real>(spec_.c_max[trio]);
        limits_[2 * M * k + l] = static_cast<Real>(spec_.c_min[trio]) - std::abs(high) * lift;
        limits_[2 * M * k + M + l] = high - std::abs(high) * lift;
      }
    }
  }

  // Survivors among the neighbours from j on.
  template <bool plain>
  TRIMPOT_INLINE std::uint32_t survivors(const Environment<Real>& all, int j, std::uint8_t* partial, int& end) const {
    const Environment<Real> env = all; // numbers of its own, which no store can change
    const Real *const nearest = nearest_, *const squares = square_;
    const U r = load<M>(env.r + j);
    const int left = std::clamp(env.count - j, 0, M);
    std::uint32_t alive = below(r, broadcast<M>(reach_)) & ((1u << left) - 1u);
    end = 0;
    if (alive == 0) return 0;
    if constexpr (!plain) set_limits(env, j);
    const U per_square = load<M>(per_square_ + j);
    const Sweep sweep{load<M>(env.x + j) * per_square, load<M>(env.y + j) * per_square, load<M>(env.z + j) * per_square,
                      per_square, broadcast<M>(static_cast<Real>(spec_.c_min[0])),
                      broadcast<M>(static_cast<Real>(spec_.c_max[0]))};
    const Real farthest = stretch_ * extreme<true>(minimum(r, broadcast<M>(reach_)));
    int k = 0;
    for (; k < env.count && nearest[k / M] < farthest && alive != 0; k += M)
      alive &= ~screened_by<plain>(env, squares, k, sweep, partial);
    store(partial + k, Vec<std::uint8_t, 16>{});
    if (alive != 0) end = k;
    return alive;
  }

  // Lanes that the next few neighbours k screen in full; those screened in part are written down.
  template <bool plain>
  TRIMPOT_INLINE std::uint32_t screened_by(const Environment<Real>& env, const Real* squares, int first,
                                           const Sweep& sweep, std::uint8_t* partial) const {
    const Real *kx = env.x + first, *ky = env.y + first, *kz = env.z + first, *k_square = squares + first;
    const U rounding = broadcast<M>(Real(64) * std::numeric_limits<Real>::epsilon()); // j is not between i and j
    std::uint32_t gone = 0;
    const int* const species = env.neighbor_species + first;
    const Real* const all_limits = limits_;
#pragma GCC unroll 8
    for (int k = 0; k < M; ++k) { // behind the last neighbour: far away
      const U t = sweep.x * broadcast<M>(kx[k]) + (sweep.y * broadcast<M>(ky[k]) + sweep.z * broadcast<M>(kz[k]));
      const U square = t * t;
      U height = (sweep.per_square * broadcast<M>(k_square[k]) + rounding) - square;
      U along = t - square; // not above 0: k does not stand between
      U low = sweep.low, high = sweep.high;
      if constexpr (!plain) {
        const Real* limits = all_limits + 2 * M * species[k];
        low = load<M>(limits), high = load<M>(limits + M);
        along = maximum(along, U{}); // limits may be less than 0
        height = maximum(height, U{}); // by rounding, far behind j
      }
      const std::uint32_t near = negative(height - high * along), full = negative(height - low * along);
      gone |= full;
      partial[first + k] = static_cast<std::uint8_t>(apart(near & ~full));
    }
    return gone;
  }

  const Screening& screening_;
  const ScreeningSpec& spec_;
  Real reach_, stretch_;
  bool plain_;
  int vectors_, width_;
  Real *square_, *per_square_, *nearest_, *limits_;
};

} // namespace trimpot::TRIMPOT_ISA

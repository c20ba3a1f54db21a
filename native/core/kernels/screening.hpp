// Weights of neighbours by what stands between them and the central atom
// (docs/theory/envelopes.md; src/trimpot/envelopes/reference.py is the specification).
//
// With u = r_ij, v = r_ik, d = u.v:  C = |u x v|^2 / (d (u^2 - d)). Whether C is below a limit needs
// no division. Vectors run over j; a loop over k ends when nothing of the vector is left. The few
// (j, k) between both limits are kept, and worked out for whole vectors of them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../memory.hpp"
#include "../specs.hpp"
#include "../term.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "switches.hpp"

namespace trimpot::TRIMPOT_ISA {

class Screening {
 public:
  explicit Screening(ScreeningSpec spec) : spec_(std::move(spec)) {
    double largest = 2.0; // up to this C_max what screens a pair is closer to both ends than they are
    for (const double c : spec_.c_max) largest = std::max(largest, c);
    stretch_ = largest / (2.0 * std::sqrt(largest - 1.0));
  }

  const ScreeningSpec& spec() const { return spec_; }

  // How far from an end of a pair a screening atom can be, in lengths of the pair.
  double stretch() const { return stretch_; }

  // C_min and C_max of centre i, neighbour j, screening k.
  std::size_t trio(int i, int j, int k) const {
    return static_cast<std::size_t>((i * spec_.n_species + j) * spec_.n_species + k);
  }

 private:
  ScreeningSpec spec_;
  double stretch_ = 1.0;
};

// The weights of one atom's neighbours, and how they change with the displacements.
template <class Real>
class Weights {
 public:
  // Neighbours within reach get weights; what screens them lies within stretch() times that.
  Weights(const Screening& screening, const Environment<Real>& env, double reach)
      : screening_(screening), spec_(screening.spec()), env_(env), reach_(static_cast<Real>(reach)),
        plain_(spec_.n_species == 1 && spec_.outer == 0.0 && spec_.c_min[0] >= 0.0) {
    Arena& arena = *env.arena;
    const std::int64_t count = env.count, padded = count + N;
    weight_ = arena.take<Real>(6 * padded + count / step + 2 + std::int64_t{2} * N * spec_.n_species);
    square_ = weight_ + padded;
    rows_ = square_ + padded;
    limits_ = rows_ + 4 * padded;
    nearest_ = limits_ + 2 * N * spec_.n_species;
    find_nearest();
    for (int j = 0; j < env.count; j += N) store(weight_ + j, V{});
    const std::int64_t groups = (count + N - 1) / N;
    partial_ = arena.take<Mask>(groups * padded);
    alive_ = arena.take<Mask>(2 * groups);
    end_ = alive_ + groups;
    for (int j = 0; j < env.count; j += N) search(j);
    list_partials();
  }

  // The steps after the search; all atoms of a batch go through one before the next, so that what one
  // writes has arrived when the next reads it.
  void work_out() { // shares of all partial screening and derivatives of C
    if (n_ == 0) return;
    Arena& arena = *env_.arena;
    const int padded = (n_ + N - 1) / N * N;
    slope_ = arena.take<Real>(std::int64_t{11} * padded);
    share_ = slope_ + padded;
    by_u_ = share_ + padded;
    by_v_ = by_u_ + 4 * padded;
    per_width_ = by_v_ + 4 * padded;
    Real* const in = arena.take<Real>(plain_ ? 0 : std::int64_t{3} * (padded + N));
    gather(in, padded + N);
    for (int e = 0; e < n_; e += N) work_out(e, in + e, padded + N, per_width_ + e);
  }
  void combine() { // the weights and dS/dC
    if (n_ == 0) return;
    if (spec_.softmin)
      add_shortfalls();
    else
      multiply_shares();
  }

  // Of each neighbour; 0: it is gone.
  const Real* weight() const { return weight_; }

  // How many of the first neighbours have a weight or change one.
  int touched() const { return touched_; }

  // Adds what dE/dweight of each neighbour means for the displacements.
  void pull_back(const Real* by_weight, Gradient<Real> g) const {
    if (n_ == 0) return;
    const int padded = (touched_ + N - 1) / N * N;
    Real* const copies = env_.arena->template take<Real>(std::int64_t{8} * padded);
    clear(copies, 8 * padded);
    for (int e = 0; e < n_; ++e) { // entries add to the same places: the copies do not wait for each other
      const auto scale = broadcast<4>(by_weight[j_[e]] * slope_[e]);
      const int at = 4 * (e / N * N + place_of_four<N>(e % N));
      Real* const rows = copies + e % 2 * 4 * padded;
      Real *on_j = rows + 4 * j_[e], *on_k = rows + 4 * k_[e];
      store(on_j, load<4>(on_j) + scale * load<4>(by_u_ + at));
      store(on_k, load<4>(on_k) + scale * load<4>(by_v_ + at));
    }
    for (int j = 0; j < touched_; j += N) {
      const auto a = load_rows<N, Real>([&](int l) { return copies + 4 * (j + l); });
      const auto b = load_rows<N, Real>([&](int l) { return copies + 4 * (padded + j + l); });
      store(g.x + j, load<N>(g.x + j) + (a.x + b.x));
      store(g.y + j, load<N>(g.y + j) + (a.y + b.y));
      store(g.z + j, load<N>(g.z + j) + (a.z + b.z));
    }
  }

  // Calls visit(j, k, dS_j/dd_j, dS_j/dd_k) for the parts of the weights' derivatives.
  template <class Visit>
  void for_each_derivative(Visit&& visit) const {
    for (int e = 0; e < n_; ++e) {
      const int at = 4 * (e / N * N + place_of_four<N>(e % N));
      Real on_j[4], on_k[4];
      store(on_j, broadcast<4>(slope_[e]) * load<4>(by_u_ + at));
      store(on_k, broadcast<4>(slope_[e]) * load<4>(by_v_ + at));
      visit(j_[e], k_[e], on_j, on_k);
    }
  }

 private:
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;
  using Mask = std::uint16_t;
  static constexpr int step = std::min(N, 8); // neighbours k after which it is asked who is left

  // The smallest distance from each vector of neighbours on: they are sorted but for small moves.
  void find_nearest() {
    const int blocks = (env_.count + step - 1) / step;
    for (int b = 0; b < blocks; ++b) nearest_[b] = extreme<false>(load<step>(env_.r + b * step)); // behind the last: far away
    nearest_[blocks] = Real(1e30);
    for (int b = blocks - 1; b >= 0; --b) nearest_[b] = std::min(nearest_[b], nearest_[b + 1]);
    for (int j = 0; j < env_.count; j += N) {
      const V x = load<N>(env_.x + j), y = load<N>(env_.y + j), z = load<N>(env_.z + j);
      store(square_ + j, x * x + (y * y + z * z));
    }
  }

  // The smallest or largest of all lanes.
  template <bool largest, class T, int M>
  TRIMPOT_INLINE static T extreme(Vec<T, M> a) {
    T parts[M];
    store(parts, a);
    if constexpr (M == 2) {
      return largest ? std::max(parts[0], parts[1]) : std::min(parts[0], parts[1]);
    } else {
      const auto low = load<M / 2>(parts), high = load<M / 2>(parts + M / 2);
      return extreme<largest>(largest ? maximum(low, high) : minimum(low, high));
    }
  }

  // Limits of C for the neighbours from j on, by species of k, less what lifts C for close pairs.
  TRIMPOT_INLINE void set_limits(int j) {
    for (int l = 0; l < N; ++l) {
      const Real lift = lift_at(env_.r[j + l]).value;
      for (int k = 0; k < spec_.n_species; ++k) {
        const std::size_t trio = screening_.trio(env_.species, env_.neighbor_species[j + l], k);
        const Real high = static_cast<Real>(spec_.c_max[trio]);
        limits_[2 * N * k + l] = static_cast<Real>(spec_.c_min[trio]) - std::abs(high) * lift;
        limits_[2 * N * k + N + l] = high - std::abs(high) * lift;
      }
    }
  }

  struct Lift {
    Real value = Real(0), slope = Real(0);
  };

  // Falls from 1 to 0 between the inner and the outer radius.
  Lift lift_at(Real r) const {
    if (!(r < spec_.outer)) return {};
    if (r <= spec_.inner) return {Real(1), Real(0)};
    const double per_length = 1.0 / (spec_.outer - spec_.inner);
    const double x = std::clamp((spec_.outer - r) * per_length, 1e-5, 1.0 - 1e-5);
    const auto bump = switch_values(ScreeningSpec::Switch::bump, broadcast<lanes<double>>(x));
    return {static_cast<Real>(bump.value[0]), static_cast<Real>(-bump.value[0] * bump.log_slope[0] * per_length)};
  }

  // A vector of neighbours j while the k are gone through.
  struct Sweep {
    V x, y, z, square;
    V low, high; // limits of C, of one species without radii
    int j;
    Mask* partial; // by k: lanes that it screens in part
  };

  // The weights of the neighbours from j on that are 0 or 1, and who else screens them. Nothing
  // branches on single atoms: what a vector of k says is written down, and read for survivors.
  TRIMPOT_INLINE void search(int j) {
    const V r = load<N>(env_.r + j);
    const int left = env_.count - j;
    std::uint32_t alive = below(r, broadcast<N>(reach_)) & (left < N ? (1u << left) - 1u : ~0u >> (32 - N));
    alive_[j / N] = end_[j / N] = 0;
    if (alive == 0) return;
    if (!plain_) set_limits(j);
    Sweep sweep{load<N>(env_.x + j), load<N>(env_.y + j), load<N>(env_.z + j), load<N>(square_ + j),
                broadcast<N>(static_cast<Real>(spec_.c_min[0])), broadcast<N>(static_cast<Real>(spec_.c_max[0])), j,
                partial_ + j / N * (std::ptrdiff_t{env_.count} + N)};
    const Real farthest = static_cast<Real>(screening_.stretch()) * extreme<true>(minimum(r, broadcast<N>(reach_)));
    int end = 0;
    for (; end < env_.count && nearest_[end / step] < farthest && alive != 0; end += step)
      alive &= ~(plain_ ? screened_by<true>(end, sweep) : screened_by<false>(end, sweep));
    if (alive == 0) return;
    for (int l = 0; l < N; ++l) weight_[j + l] = static_cast<Real>(alive >> l & 1u);
    touched_ = std::max(touched_, std::min(env_.count, std::max(end, j + N)));
    alive_[j / N] = static_cast<Mask>(alive);
    end_[j / N] = static_cast<Mask>(std::min(end, env_.count));
  }

  // Writes down (j, k) of what screens a survivor in part.
  void list_partials() {
    const std::int64_t stride = env_.count + N;
    auto for_each_word = [&](auto&& visit) { // masks of four k at once
      for (int j = 0; j < touched_; j += N) {
        const Mask* const partial = partial_ + j / N * stride;
        const std::uint64_t alive = alive_[j / N] * 0x0001000100010001u;
        for (int k = 0; k < end_[j / N]; k += 4) {
          std::uint64_t bits;
          std::memcpy(&bits, partial + k, sizeof bits);
          visit(bits & alive, j, k);
        }
      }
    };
    int n = 0;
    for_each_word([&](std::uint64_t bits, int, int) { n += __builtin_popcountll(bits); });
    j_ = env_.arena->template take<std::int32_t>(2 * (n + N));
    k_ = j_ + n + N;
    for_each_word([&](std::uint64_t bits, int j, int k) {
      for (; bits != 0; bits &= bits - 1u) {
        const int bit = __builtin_ctzll(bits);
        j_[n_] = j + bit % 16;
        k_[n_++] = k + bit / 16;
      }
    });
  }

  // Lanes that the next few neighbours k screen in full; those screened in part are written down.
  template <bool plain>
  TRIMPOT_INLINE std::uint32_t screened_by(int first, const Sweep& sweep) {
    const Real *kx = env_.x + first, *ky = env_.y + first, *kz = env_.z + first, *k_square = square_ + first;
    const std::uint32_t own = first / N * N == sweep.j ? 1u << (first - sweep.j) : 0u; // it does not screen itself
    std::uint32_t gone = 0;
    auto look_at = [&](int k) __attribute__((always_inline)) {
      const V d = sweep.x * broadcast<N>(kx[k]) + (sweep.y * broadcast<N>(ky[k]) + sweep.z * broadcast<N>(kz[k]));
      // |u x v|^2; rounding must not make it less than nothing.
      const V across = maximum(sweep.square * broadcast<N>(k_square[k]) - d * d, V{});
      V along = d * (sweep.square - d); // not above 0: k does not stand between
      V low = sweep.low, high = sweep.high;
      if constexpr (!plain) {
        const Real* limits = limits_ + 2 * N * env_.neighbor_species[first + k];
        low = load<N>(limits), high = load<N>(limits + N);
        along = maximum(along, V{}); // limits may be less than 0
      }
      const std::uint32_t near = below(across, high * along) & ~(own << k);
      const std::uint32_t partial = near & below(low * along, across);
      gone |= near & ~partial;
      sweep.partial[first + k] = static_cast<Mask>(partial);
    };
    const int stop = std::min(env_.count - first, step);
    if (stop == step) [[likely]] {
#pragma GCC unroll 8
      for (int k = 0; k < step; ++k) look_at(k);
      return gone;
    }
    for (int k = 0; k < stop; ++k) look_at(k);
    for (int k = stop; k % 4 != 0; ++k) sweep.partial[first + k] = 0;
    return gone;
  }

  // C_min, C_max - C_min, what lifts C of all partial screenings, each `stride` numbers.
  TRIMPOT_INLINE void gather(Real* in, int stride) const {
    for (int e = 0; e < (plain_ ? 0 : n_); ++e) {
      const int j = j_[e], k = k_[e];
      const std::size_t trio = screening_.trio(env_.species, env_.neighbor_species[j], env_.neighbor_species[k]);
      const Lift lifted = lift_at(env_.r[j]);
      const Real high = static_cast<Real>(spec_.c_max[trio]), low = static_cast<Real>(spec_.c_min[trio]);
      in[e] = low - high * lifted.value;
      in[stride + e] = high - low;
      in[2 * stride + e] = high * lifted.slope / env_.r[j];
    }
    for (int a = 0; a < (plain_ ? 0 : 3); ++a) store(in + a * stride + n_, broadcast<N>(static_cast<Real>(a % 2)));
    // Idle lanes look at the first pair of neighbours again.
    store(j_ + n_, broadcast<N>(j_[0]));
    store(k_ + n_, broadcast<N>(k_[0]));
    for (int j = 0; j < touched_; j += N)
      store_fours(rows_ + 4 * j, load<N>(env_.x + j), load<N>(env_.y + j), load<N>(env_.z + j), V{});
  }

  // Vectors to neighbours.
  TRIMPOT_INLINE Columns<Real, N> vectors_to(const std::int32_t* index) const {
    static constexpr auto place = [] {
      std::array<std::uint32_t, N> p{};
      for (int l = 0; l < N; ++l) p[static_cast<std::size_t>(l)] = static_cast<std::uint32_t>(4 * (place_of_four<N>(l) - l));
      return p;
    }();
    return load_rows<N, Real>([&](int l) {
      const auto at = static_cast<std::uint32_t>(index[l]);
      return rows_ + static_cast<std::int32_t>(4 * at + place[at % N]);
    });
  }

  // Shares x and derivatives of C for the entries from e on.
  TRIMPOT_INLINE void work_out(int e, const Real* in, int stride, Real* per_width) {
    const auto u = vectors_to(j_ + e), v = vectors_to(k_ + e);
    const V one = broadcast<N>(Real(1));
    const V square = u.x * u.x + (u.y * u.y + u.z * u.z), dot = u.x * v.x + (u.y * v.y + u.z * v.z);
    const V t = dot * near_reciprocal(square);
    const V qx = v.x - t * u.x, qy = v.y - t * u.y, qz = v.z - t * u.z;
    const V scale = square * near_reciprocal(dot * (square - dot)); // 1 / (u^2 t (1 - t))
    const V c = (qx * qx + (qy * qy + qz * qz)) * scale;
    const V low = plain_ ? broadcast<N>(static_cast<Real>(spec_.c_min[0])) : load<N>(in);
    const V range = plain_ ? broadcast<N>(static_cast<Real>(spec_.c_max[0] - spec_.c_min[0])) : load<N>(in + stride);
    const V lift = plain_ ? V{} : load<N>(in + 2 * stride);
    const V per_range = near_reciprocal(range), x = (c - low) * per_range;
    store(share_ + e, minimum(maximum(x, broadcast<N>(smallest)), broadcast<N>(Real(1) - smallest)));
    store(per_width, per_range);
    const V skew = c * (one - Real(2) * t);
    const V along_v = V{} - skew * scale, across_v = Real(2) * scale;
    store_fours(by_v_ + 4 * e, across_v * qx + along_v * u.x, across_v * qy + along_v * u.y, across_v * qz + along_v * u.z, V{});
    const V along_u = lift - c * t * scale, across_u = V{} - (Real(2) * t + skew) * scale;
    store_fours(by_u_ + 4 * e, along_u * u.x + across_u * qx, along_u * u.y + across_u * qy, along_u * u.z + across_u * qz, V{});
  }

  void multiply_shares() {
    for (int e = 0; e < n_; e += N) {
      const auto s = switch_values(spec_.kind, load<N>(share_ + e));
      store(share_ + e, s.value);
      store(slope_ + e, s.log_slope * load<N>(per_width_ + e));
    }
    for (int e = 0; e < n_; ++e) weight_[j_[e]] *= share_[e];
    for (int e = 0; e < n_; ++e) slope_[e] *= weight_[j_[e]];
  }

  // S = s(1 - y), y^4 = sum_k (1 - x_k)^4.
  void add_shortfalls() {
    Arena& arena = *env_.arena;
    const int padded = (env_.count + N - 1) / N * N;
    Real *const sum = arena.take<Real>(padded), *const factor = arena.take<Real>(padded);
    std::fill(sum, sum + padded, Real(0));
    for (int e = 0; e < n_; ++e) {
      const Real y = Real(1) - share_[e];
      sum[j_[e]] += (y * y) * (y * y);
    }
    for (int j = 0; j < env_.count; ++j) {
      if (sum[j] == Real(0)) continue;
      const Real y = std::sqrt(std::sqrt(sum[j]));
      const auto s = switch_values(spec_.kind, broadcast<N>(std::clamp(Real(1) - y, smallest, Real(1) - smallest)));
      weight_[j] *= y < Real(1) ? s.value[0] : Real(0);
      factor[j] = y < Real(1) ? s.value[0] * s.log_slope[0] / (y * y * y) : Real(0);
    }
    for (int e = 0; e < n_; ++e) {
      const Real y = Real(1) - share_[e];
      slope_[e] = factor[j_[e]] * (y * y * y) * per_width_[e];
    }
  }

  static constexpr Real smallest = sizeof(Real) == 4 ? Real(1e-6) : Real(1e-14); // share of its range

  const Screening& screening_;
  const ScreeningSpec& spec_;
  const Environment<Real>& env_;
  Real reach_;
  bool plain_;      // one species, no radii
  int n_ = 0;       // partial screenings
  int touched_ = 0; // neighbours behind it neither survive nor screen
  Real *weight_, *nearest_, *limits_;
  std::int32_t *j_ = nullptr, *k_ = nullptr;
  Real* square_;  // of distances
  Real* rows_;    // x, y, z of neighbours, fours in the order of store_fours
  Mask* partial_; // by vector of j and k: lanes that it screens in part
  Mask *alive_, *end_; // by vector of j: survivors, and how many k were looked at
  Real *slope_ = nullptr, *share_ = nullptr, *per_width_ = nullptr; // dS_j/dC; x of one k; dx/dC
  Real *by_u_ = nullptr, *by_v_ = nullptr;   // dC/dd_j, dC/dd_k, fours in the order of store_fours
};

} // namespace trimpot::TRIMPOT_ISA

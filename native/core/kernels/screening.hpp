// Weights of neighbours by what stands between them and the central atom
// (docs/theory/envelopes.md; src/trimpot/envelopes/reference.py is the specification).
//
// With u = r_ij, v = r_ik, d = u.v:  C = |u x v|^2 / (d (u^2 - d)). Whether C is below a limit needs
// no division. Vectors run over j; a loop over k ends when nothing of the vector is left. The few
// (j, k) between both limits are kept, and worked out for whole vectors of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
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
      : screening_(screening), spec_(screening.spec()), env_(env), reach_(static_cast<Real>(reach)) {
    Arena& arena = *env.arena;
    const std::int64_t count = env.count, padded = count + N;
    weight_ = arena.take<Real>(padded);
    nearest_ = arena.take<Real>(count / N + 2);
    limits_ = arena.take<Real>(std::int64_t{2} * N * spec_.n_species);
    j_ = arena.take<std::int32_t>(count * count + N);
    k_ = arena.take<std::int32_t>(count * count + N);
    find_nearest();
    for (int j = 0; j < env.count; j += N) store(weight_ + j, V{});
    for (int j = 0; j < env.count; j += N) search(j);
    keep_partials_of_survivors();
    work_out();
  }

  // Of each neighbour; 0: it is gone.
  const Real* weight() const { return weight_; }

  // Adds what dE/dweight of each neighbour means for the displacements.
  void pull_back(const Real* by_weight, Gradient<Real> g) const {
    if (n_ == 0) return;
    Real* const rows = env_.arena->template take<Real>(std::int64_t{4} * (env_.count + N));
    std::fill(rows, rows + 4 * (env_.count + N), Real(0));
    for (int e = 0; e < n_; ++e) {
      const auto scale = broadcast<4>(by_weight[j_[e]] * slope_[e]);
      const int at = 4 * (e / N * N + place_of_four<N>(e % N));
      Real *on_j = rows + 4 * j_[e], *on_k = rows + 4 * k_[e];
      store(on_j, load<4>(on_j) + scale * load<4>(by_u_ + at));
      store(on_k, load<4>(on_k) + scale * load<4>(by_v_ + at));
    }
    for (int j = 0; j < env_.count; j += N) {
      const auto row = load_rows<N, Real>([&](int l) { return rows + 4 * (j + l); });
      store(g.x + j, load<N>(g.x + j) + row.x);
      store(g.y + j, load<N>(g.y + j) + row.y);
      store(g.z + j, load<N>(g.z + j) + row.z);
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

  // The smallest distance from each vector of neighbours on: they are sorted but for small moves.
  void find_nearest() {
    const int blocks = (env_.count + N - 1) / N;
    nearest_[blocks] = Real(1e30);
    for (int b = blocks - 1; b >= 0; --b) {
      Real smallest = nearest_[b + 1];
      for (int l = b * N; l < std::min(env_.count, b * N + N); ++l) smallest = std::min(smallest, env_.r[l]);
      nearest_[b] = smallest;
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

  TRIMPOT_INLINE void search(int j) {
    const V r = load<N>(env_.r + j);
    const int left = env_.count - j;
    std::uint32_t alive = below(r, broadcast<N>(reach_)) & (left < N ? (1u << left) - 1u : ~0u >> (32 - N));
    if (alive == 0) return;
    const bool plain = spec_.n_species == 1 && spec_.outer == 0.0;
    if (plain) {
      store(limits_, broadcast<N>(static_cast<Real>(spec_.c_min[0])));
      store(limits_ + N, broadcast<N>(static_cast<Real>(spec_.c_max[0])));
    } else {
      set_limits(j);
    }
    const V x = load<N>(env_.x + j), y = load<N>(env_.y + j), z = load<N>(env_.z + j);
    const V square = x * x + (y * y + z * z);
    Real farthest = Real(0);
    for (int l = 0; l < std::min(N, left); ++l) farthest = std::max(farthest, std::min(env_.r[j + l], reach_));
    farthest *= static_cast<Real>(screening_.stretch());
    for (int k = 0; k < env_.count; ++k) {
      if (k % N == 0 && nearest_[k / N] >= farthest) break;
      const V kx = broadcast<N>(env_.x[k]), ky = broadcast<N>(env_.y[k]), kz = broadcast<N>(env_.z[k]);
      const V d = x * kx + (y * ky + z * kz);
      const V cx = y * kz - z * ky, cy = z * kx - x * kz, cz = x * ky - y * kx;
      const V across = cx * cx + (cy * cy + cz * cz);
      const V along = maximum(d * (square - d), V{}); // not above 0: k does not stand between
      const Real* limits = plain ? limits_ : limits_ + 2 * N * env_.neighbor_species[k];
      std::uint32_t near = below(across, load<N>(limits + N) * along) & alive;
      if (static_cast<unsigned>(k - j) < N) near &= ~(1u << (k - j));
      if (near == 0) continue;
      const std::uint32_t partial = near & below(load<N>(limits) * along, across);
      alive &= ~(near & ~partial);
      if (alive == 0) return;
      for (std::uint32_t bits = partial; bits != 0; bits &= bits - 1u) {
        j_[n_] = j + __builtin_ctz(bits);
        k_[n_++] = k;
      }
    }
    for (int l = 0; l < N; ++l) weight_[j + l] = static_cast<Real>(alive >> l & 1u);
  }

  void keep_partials_of_survivors() {
    int kept = 0;
    for (int e = 0; e < n_; ++e) {
      j_[kept] = j_[e];
      k_[kept] = k_[e];
      kept += weight_[j_[e]] > Real(0) ? 1 : 0;
    }
    n_ = kept;
  }

  // Shares of all partial screening, the weights and dS/dC.
  void work_out() {
    Arena& arena = *env_.arena;
    const int padded = (n_ + N - 1) / N * N;
    slope_ = arena.take<Real>(padded);
    share_ = arena.take<Real>(padded);
    by_u_ = arena.take<Real>(std::int64_t{4} * padded);
    by_v_ = arena.take<Real>(std::int64_t{4} * padded);
    Real* const width = arena.take<Real>(padded);
    for (int e = 0; e < n_; e += N) work_out(e, width + e);
    if (spec_.softmin)
      add_shortfalls(width);
    else
      multiply_shares(width);
  }

  // Shares x and derivatives of C for the entries from e on.
  TRIMPOT_INLINE void work_out(int e, Real* width) {
    Real in[8][N], lift[N] = {}; // u, v, C_min, C_max - C_min
    for (int l = 0; l < N; ++l) {
      const int q = std::min(e + l, n_ - 1), j = j_[q], k = k_[q];
      const Real from[6] = {env_.x[j], env_.y[j], env_.z[j], env_.x[k], env_.y[k], env_.z[k]};
      for (int a = 0; a < 6; ++a) in[a][l] = from[a];
      const std::size_t trio = screening_.trio(env_.species, env_.neighbor_species[j], env_.neighbor_species[k]);
      const Lift lifted = lift_at(env_.r[j]);
      const Real high = static_cast<Real>(spec_.c_max[trio]), low = static_cast<Real>(spec_.c_min[trio]);
      in[6][l] = low - high * lifted.value;
      in[7][l] = high - low;
      lift[l] = high * lifted.slope / env_.r[j];
    }
    const V ux = load<N>(in[0]), uy = load<N>(in[1]), uz = load<N>(in[2]);
    const V vx = load<N>(in[3]), vy = load<N>(in[4]), vz = load<N>(in[5]);
    const V one = broadcast<N>(Real(1));
    const V square = ux * ux + (uy * uy + uz * uz), t = (ux * vx + (uy * vy + uz * vz)) * reciprocal(square);
    const V qx = vx - t * ux, qy = vy - t * uy, qz = vz - t * uz;
    const V scale = reciprocal(square * (t * (one - t)));
    const V c = (qx * qx + (qy * qy + qz * qz)) * scale;
    const V x = (c - load<N>(in[6])) * reciprocal(load<N>(in[7]));
    store(share_ + e, minimum(maximum(x, broadcast<N>(smallest)), broadcast<N>(Real(1) - smallest)));
    store(width, load<N>(in[7]));
    const V skew = c * (one - Real(2) * t);
    const V along_v = V{} - skew * scale, across_v = Real(2) * scale;
    store_fours(by_v_ + 4 * e, across_v * qx + along_v * ux, across_v * qy + along_v * uy, across_v * qz + along_v * uz, V{});
    const V along_u = load<N>(lift) - c * t * scale, across_u = V{} - (Real(2) * t + skew) * scale;
    store_fours(by_u_ + 4 * e, along_u * ux + across_u * qx, along_u * uy + across_u * qy, along_u * uz + across_u * qz, V{});
  }

  void multiply_shares(const Real* width) {
    for (int e = 0; e < n_; e += N) {
      const auto s = switch_values(spec_.kind, load<N>(share_ + e));
      store(share_ + e, s.value);
      store(slope_ + e, s.log_slope * reciprocal(load<N>(width + e)));
    }
    for (int e = 0; e < n_; ++e) weight_[j_[e]] *= share_[e];
    for (int e = 0; e < n_; ++e) slope_[e] *= weight_[j_[e]];
  }

  // S = s(1 - y), y^4 = sum_k (1 - x_k)^4.
  void add_shortfalls(const Real* width) {
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
      slope_[e] = factor[j_[e]] * (y * y * y) / width[e];
    }
  }

  static constexpr Real smallest = sizeof(Real) == 4 ? Real(1e-6) : Real(1e-14); // share of its range

  const Screening& screening_;
  const ScreeningSpec& spec_;
  const Environment<Real>& env_;
  Real reach_;
  int n_ = 0; // partial screenings
  Real *weight_, *nearest_, *limits_;
  std::int32_t *j_, *k_;
  Real *slope_ = nullptr, *share_ = nullptr; // dS_j/dC; the share of one k
  Real *by_u_ = nullptr, *by_v_ = nullptr;   // dC/dd_j, dC/dd_k, fours in the order of store_fours
};

} // namespace trimpot::TRIMPOT_ISA

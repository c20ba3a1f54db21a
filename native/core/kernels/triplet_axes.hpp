// The axes of tables of triplets, one per kind (a species, or a pair of them), for vectors whose
// lanes are of any kind. Where all breaks of all kinds are equally spaced, intervals are found by
// arithmetic; else they are searched lane by lane.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "../bspline.hpp"
#include "basis.hpp"
#include "lane_table.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "uniform_basis.hpp"

namespace trimpot::TRIMPOT_ISA {

// What legs and opposite sides share: intervals of distances.
template <class Real>
class AxesOfKinds {
 public:
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;
  using Kinds = Vec<std::int32_t, N>;

  // Kinds are numbered in the order in which they are added; null: no interaction.
  void add(const CubicBasis* basis) {
    const int n = basis == nullptr ? 1 : basis->n_intervals();
    const double lower = basis == nullptr ? 0.0 : basis->lower(), upper = basis == nullptr ? 0.0 : basis->upper();
    const double per_length = basis == nullptr ? 1.0 : n / (upper - lower);
    lower_.push_back(static_cast<Real>(std::max(lower, 1e-10))); // atoms at one place have no direction
    upper_.push_back(static_cast<Real>(upper));
    per_length_.push_back(static_cast<Real>(per_length));
    middle_.push_back(static_cast<Real>(-0.5 - lower * per_length));
    last_.push_back(static_cast<Real>(n - 1));
    bases_.emplace_back();
    if (basis != nullptr) bases_.back().emplace_back(*basis);
    uniform_ = uniform_ && (basis == nullptr || bases_.back()[0].uniform());
  }

  // Whether all breaks of each kind are equally spaced. Known when all kinds have been added.
  bool uniform() const { return uniform_; }

  // Derivatives along an axis times this are derivatives by r.
  TRIMPOT_INLINE V scale(Kinds kind) const { return uniform_ ? per_length_.at(kind) : broadcast<N>(Real(1)); }

  // Bits of the lanes whose distance lies on its axis.
  TRIMPOT_INLINE std::uint32_t within(V r, Kinds kind) const {
    return below(r, upper_.at(kind)) & ~below(r, lower_.at(kind));
  }

 protected:
  bool uniform_ = true;
  LaneTable<Real> lower_, upper_, per_length_, last_;
  LaneTable<Real> middle_;                // of the first interval, in intervals before r = 0
  std::vector<std::vector<Basis<Real>>> bases_; // one or none each

  // Intervals m of distances, and u: how far these lie from the middles, in intervals.
  TRIMPOT_INLINE Kinds find(V r, Kinds kind, V& u) const {
    const V t = r * per_length_.at(kind) + middle_.at(kind);
    const auto m = nearest(minimum(maximum(t, V{}), last_.at(kind)));
    u = t - convert<Real>(m);
    return m;
  }

  // Calls found(lane, basis, interval, distance from its start) for lanes that have an axis.
  template <class Found>
  void search(V r, Kinds kind, Found&& found) const {
    for (int l = 0; l < N; ++l) {
      const auto& basis = bases_[static_cast<std::size_t>(kind[l])];
      if (basis.empty()) continue;
      const Real distance = std::min(std::max(r[l], basis[0].lower()), basis[0].upper());
      const int m = basis[0].locate(distance);
      found(l, basis[0], m, distance - basis[0].start(m));
    }
  }
};

// Legs: values of B-splines; those of the functions U where all breaks are equally spaced.
template <class Real>
class LegAxes : public AxesOfKinds<Real> {
 public:
  using typename AxesOfKinds<Real>::V, typename AxesOfKinds<Real>::Kinds;
  using AxesOfKinds<Real>::N;

  // Values of the basis and slopes (fours, in the order of store_fours) and intervals.
  TRIMPOT_INLINE Kinds at(V r, Kinds kind, Real* value, Real* slope) const {
    if (!this->uniform_) return searched(r, kind, value, slope);
    V u;
    const auto m = this->find(r, kind, u);
    const auto b = uniform_values(u + broadcast<N>(Real(0.5)));
    store_fours(value, b.v0, b.v1, b.v2, b.v3);
    store_fours(slope, b.s0, b.s1, b.s2, b.s3);
    return m;
  }

 private:
  [[gnu::noinline]] Kinds searched(V r, Kinds kind, Real* value, Real* slope) const {
    std::int32_t interval[N] = {};
    for (int q = 0; q < 4; ++q) {
      store(value + q * N, V{});
      store(slope + q * N, V{});
    }
    this->search(r, kind, [&](int l, const Basis<Real>& basis, int m, Real distance) {
      const auto b = basis.at(m, distance);
      interval[l] = m;
      store(value + 4 * place_of_four<N>(l), b.value);
      store(slope + 4 * place_of_four<N>(l), b.slope);
    });
    return load<N>(interval);
  }
};

// Opposite sides: polynomials in the distance u from the middle of an interval, in intervals where
// all breaks are equally spaced, else in angstrom.
template <class Real>
class SideAxes : public AxesOfKinds<Real> {
 public:
  using typename AxesOfKinds<Real>::V, typename AxesOfKinds<Real>::Kinds;
  using AxesOfKinds<Real>::N;

  TRIMPOT_INLINE Kinds at(V r, Kinds kind, V& u) const {
    return this->uniform_ ? this->find(r, kind, u) : searched(r, kind, u);
  }

  // The four basis functions of an interval in powers of u: [4 p + q]. Known when all kinds have
  // been added.
  std::array<double, 16> powers(const CubicBasis& basis, int m) const {
    static constexpr double choose[4][4] = {{1, 1, 1, 1}, {0, 1, 2, 3}, {0, 0, 1, 3}, {0, 0, 0, 1}};
    const double half = 0.5 * (basis.start(m + 1) - basis.start(m)), unit = this->uniform_ ? 2.0 * half : 1.0;
    std::array<double, 16> out{};
    for (std::size_t p = 0; p < 4; ++p)
      for (std::size_t q = 0; q < 4; ++q)
        for (std::size_t r = p; r < 4; ++r)
          out[4 * p + q] += choose[p][r] * basis.powers(m)[4 * r + q] * std::pow(half, static_cast<double>(r - p)) *
                            std::pow(unit, static_cast<double>(p));
    return out;
  }

 private:
  [[gnu::noinline]] Kinds searched(V r, Kinds kind, V& u) const {
    std::int32_t interval[N] = {};
    Real distance[N] = {};
    this->search(r, kind, [&](int l, const Basis<Real>& basis, int m, Real from_start) {
      interval[l] = m;
      distance[l] = from_start - Real(0.5) * (basis.start(m + 1) - basis.start(m));
    });
    u = load<N>(distance);
    return load<N>(interval);
  }
};

} // namespace trimpot::TRIMPOT_ISA

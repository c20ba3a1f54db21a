// An axis of a table that is kept as polynomials: finds the interval of a distance and how far it
// lies from the middle of the interval.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "../bspline.hpp"
#include "basis.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class Real>
class Cells {
 public:
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;
  using Intervals = Vec<std::int32_t, N>;

  explicit Cells(const CubicBasis& basis)
      : basis_(basis), last_(basis.n_intervals() - 1), lower_(static_cast<Real>(basis.lower())),
        upper_(static_cast<Real>(basis.upper())) {
    const double n = basis.n_intervals(), length = basis.upper() - basis.lower();
    per_length_ = basis_.uniform() ? n / length : 1.0;
    slope_ = static_cast<Real>(per_length_);
    shift_ = static_cast<Real>(-0.5 - basis.lower() * per_length_);
    for (int m = 0; m < basis.n_intervals(); ++m) half_.push_back(static_cast<Real>(half_width(basis, m)));
  }

  Real lower() const { return lower_; }
  Real upper() const { return upper_; }
  // Derivatives by u times this are derivatives by r.
  Real per_length() const { return slope_; }

  // The four basis functions of an interval in powers of u: [4 p + q].
  std::array<double, 16> powers(const CubicBasis& basis, int m) const {
    static constexpr double choose[4][4] = {{1, 1, 1, 1}, {0, 1, 2, 3}, {0, 0, 1, 3}, {0, 0, 0, 1}};
    std::array<double, 16> out{};
    for (std::size_t p = 0; p < 4; ++p)
      for (std::size_t q = 0; q < 4; ++q)
        for (std::size_t r = p; r < 4; ++r)
          out[4 * p + q] += choose[p][r] * basis.powers(m)[4 * r + q] *
                            std::pow(half_width(basis, m), static_cast<double>(r - p)) / std::pow(per_length_, static_cast<double>(p));
    return out;
  }

  // Intervals of a vector of distances, and u: the distance from their middles, in intervals
  // where these are equally wide, else in angstrom.
  TRIMPOT_INLINE Intervals at(V r, V& u) const {
    if (!basis_.uniform()) return search(r, u);
    const V t = r * broadcast<N>(slope_) + broadcast<N>(shift_);
    const auto m = nearest(minimum(maximum(t, V{}), broadcast<N>(static_cast<Real>(last_))));
    u = t - convert<Real>(m);
    return m;
  }

 private:
  static double half_width(const CubicBasis& basis, int m) { return 0.5 * (basis.start(m + 1) - basis.start(m)); }

  [[gnu::noinline]] Intervals search(V r, V& u) const {
    std::int32_t interval[N];
    Real distance[N];
    basis_.template locate<N>(minimum(maximum(r, broadcast<N>(lower_)), broadcast<N>(upper_)), interval, distance);
    for (int l = 0; l < N; ++l) distance[l] -= half_[static_cast<std::size_t>(interval[l])];
    u = load<N>(distance);
    return load<N>(interval);
  }

  Basis<Real> basis_;
  std::vector<Real> half_;
  int last_;
  double per_length_;
  Real lower_, upper_, slope_, shift_;
};

} // namespace trimpot::TRIMPOT_ISA

// Values and derivatives of the four B-splines that live at a distance.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "../bspline.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class Real>
struct BasisValues {
  Vec<Real, 4> value;
  Vec<Real, 4> slope;
};

// The tables of a CubicBasis in the precision of a kernel, with a search by lane.
template <class Real>
class Basis {
 public:
  explicit Basis(const CubicBasis& basis)
      : powers_(static_cast<std::size_t>(16 * basis.n_intervals())),
        breaks_(static_cast<std::size_t>(basis.n_intervals()) + 1),
        bins_(basis.bins()), lower_(static_cast<Real>(basis.lower())),
        upper_(static_cast<Real>(basis.upper())),
        bins_per_length_(static_cast<Real>(basis.bins_per_length())) {
    // Denormal numbers slow arithmetic down and mean nothing here.
    auto plain = [](double a) { return static_cast<Real>(std::abs(a) < 1e-30 ? 0.0 : a); };
    for (int m = 0; m < basis.n_intervals(); ++m)
      for (int p = 0; p < 16; ++p)
        powers_[static_cast<std::size_t>(16 * m + p)] = plain(basis.powers(m)[p]);
    for (std::size_t m = 0; m < breaks_.size(); ++m)
      breaks_[m] = static_cast<Real>(basis.start(static_cast<int>(m)));
    const double h = (basis.upper() - basis.lower()) / basis.n_intervals();
    step_ = static_cast<Real>(h);
    uniform_ = true;
    for (int m = 0; m < basis.n_intervals(); ++m)
      uniform_ &= std::abs(basis.start(m) - basis.lower() - m * h) < 1e-12 * basis.upper();
  }

  bool uniform() const { return uniform_; } // all intervals equally wide
  Real lower() const { return lower_; }
  Real upper() const { return upper_; }
  const Real* powers(int m) const { return powers_.data() + 16 * m; }
  Real start(int m) const { return breaks_[static_cast<std::size_t>(m)]; }

  // Interval that holds r, lower() <= r < upper() up to rounding; see CubicBasis::locate.
  int locate(Real r) const {
    const int last = static_cast<int>(bins_.size()) - 1;
    const int bin = std::clamp(static_cast<int>((r - lower_) * bins_per_length_), 0, last);
    const int m = bins_[static_cast<std::size_t>(bin)];
    return std::min(m + (r >= breaks_[static_cast<std::size_t>(m) + 1] ? 1 : 0),
                    static_cast<int>(breaks_.size()) - 2);
  }

  // The basis at distance x beyond the start of interval m.
  TRIMPOT_INLINE BasisValues<Real> at(int m, Real distance) const {
    const Real* p = powers(m);
    const auto x = broadcast<4>(distance);
    const auto a0 = load<4>(p), a1 = load<4>(p + 4), a2 = load<4>(p + 8), a3 = load<4>(p + 12);
    const auto a3x = a3 * x;
    return {((a3x + a2) * x + a1) * x + a0, (Real(3) * a3x + Real(2) * a2) * x + a1};
  }

 private:
  std::vector<Real> powers_, breaks_;
  std::vector<int> bins_;
  Real lower_, upper_, bins_per_length_, step_;
  bool uniform_; // bins are intervals
};

} // namespace trimpot::TRIMPOT_ISA

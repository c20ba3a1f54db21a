// Weights of neighbours by what stands between them and the central atom: limits of C
// (docs/theory/envelopes.md; src/trimpot/envelopes/reference.py is the specification).
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "../specs.hpp"
#include "simd.hpp"
#include "switches.hpp"

namespace trimpot::TRIMPOT_ISA {

class Screening {
 public:
  explicit Screening(ScreeningSpec spec) : spec_(std::move(spec)) {
    double largest = 2.0; // up to this C_max what screens a pair is closer to both ends than they are
    for (const double c : spec_.c_max) largest = std::max(largest, c);
    stretch_ = largest / (2.0 * std::sqrt(largest - 1.0));
    const auto same = [](const std::vector<double>& limits) {
      return std::all_of(limits.begin(), limits.end(), [&](double c) { return c == limits.front(); });
    };
    plain_ = !spec_.c_min.empty() && same(spec_.c_min) && same(spec_.c_max) && spec_.outer == 0.0 &&
             spec_.c_min[0] > 1e-3;
  }

  const ScreeningSpec& spec() const { return spec_; }

  // How far from an end of a pair a screening atom can be, in lengths of the pair.
  double stretch() const { return stretch_; }

  // No radii, limits well above what rounding makes of 0, and all pairs have the same.
  bool plain() const { return plain_; }

  // C_min and C_max of centre i, neighbour j, screening k.
  std::size_t trio(int i, int j, int k) const {
    return static_cast<std::size_t>((i * spec_.n_species + j) * spec_.n_species + k);
  }

  struct Lift {
    double value = 0.0, slope = 0.0;
  };

  // What lifts C of close pairs, over C_max: falls from 1 to 0 between the inner and the outer radius.
  Lift lift_at(double r) const {
    if (!(r < spec_.outer)) return {};
    if (r <= spec_.inner) return {1.0, 0.0};
    const double per_length = 1.0 / (spec_.outer - spec_.inner);
    const double x = std::clamp((spec_.outer - r) * per_length, 1e-5, 1.0 - 1e-5);
    const auto bump = switch_values(ScreeningSpec::Switch::bump, broadcast<lanes<double>>(x));
    return {bump.value[0], -bump.value[0] * bump.log_slope[0] * per_length};
  }

 private:
  ScreeningSpec spec_;
  double stretch_ = 1.0;
  bool plain_ = false;
};

} // namespace trimpot::TRIMPOT_ISA

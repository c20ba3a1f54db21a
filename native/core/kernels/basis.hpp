// Values and derivatives of the four B-splines that live at a distance.
#pragma once

#include "../bspline.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

struct BasisValues {
  v4 value;
  v4 slope;
};

inline BasisValues basis_at(const CubicBasis& basis, int m, double r) {
  const double* p = basis.powers(m);
  const v4 x = broadcast(r - basis.start(m));
  const v4 a0 = load(p), a1 = load(p + 4), a2 = load(p + 8), a3 = load(p + 12);
  return {((a3 * x + a2) * x + a1) * x + a0, (3.0 * (a3 * x) + 2.0 * a2) * x + a1};
}

} // namespace trimpot::TRIMPOT_ISA

// How three components A of densities couple to invariants (src/trimpot/splines/harmonics.py is the
// specification).
#pragma once

#include <vector>

#include "specs.hpp"

namespace trimpot {

// Of all degrees l1 <= l2 <= l3 from 1 to l_max <= 3 whose product has an invariant. The factors are
// averages of Y_1 Y_2 Y_3 over the sphere, scaled to unit norm.
std::vector<DensitySpec::Coupling> density_couplings(int l_max);

} // namespace trimpot

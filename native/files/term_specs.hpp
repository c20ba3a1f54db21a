// States of terms as documents have them, turned into what kernels are made from. The checks are those of
// src/trimpot/splines/state_checks.py.
#pragma once

#include <vector>

#include "../core/specs.hpp"
#include "node.hpp"

namespace trimpot {

using Species = std::vector<int>; // atomic numbers, ascending

// Without coefficients; their number is counted. All throw FileError.
PairSplineSpec pair_spec(const Node& state, const Species& species);
TripletSplineSpec triplet_spec(const Node& state, const Species& species);
ZblSpec zbl_spec(const Node& state, const Species& species);
// The number of coefficients is not yet known.
DensitySpec density_spec(const Node& state, const Species& species);
ScreeningSpec envelope_spec(const Node& state, const Species& species);

} // namespace trimpot

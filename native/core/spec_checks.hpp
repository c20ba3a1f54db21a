// What kernels demand of descriptions of terms and networks, whoever wrote these: each check throws
// std::invalid_argument that says what is wrong. Kernels trust what has passed.
#pragma once

#include "edge_weights.hpp"
#include "network.hpp"
#include "specs.hpp"

namespace trimpot {

void check(const OneBodySpec& spec);
void check(const PairSplineSpec& spec);
void check(const TripletSplineSpec& spec);
void check(const ZblSpec& spec);
void check(const DensitySpec& spec);
void check(const ScreeningSpec& spec);
void check(const EdgeWeightSpec& spec);
void check(const NetworkShape& shape);

// The spec, if it passes.
template <class Spec>
Spec checked(Spec spec) {
  check(spec);
  return spec;
}

} // namespace trimpot

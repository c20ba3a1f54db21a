// Spline potentials as documents.
#pragma once

#include "node.hpp"
#include "potential_file.hpp"
#include "term_specs.hpp"

namespace trimpot {

// Atomic numbers of symbols, which must ascend. Throws FileError.
Species species_of(const Node& symbols);

// The parts of a document that belong to a spline potential.
SplineFile spline_file(const Node& parts);

} // namespace trimpot

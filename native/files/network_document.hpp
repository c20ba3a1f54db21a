// Network potentials as documents: what the compiled kernel of a network is made from.
#pragma once

#include "node.hpp"
#include "potential_file.hpp"

namespace trimpot {

// The parts of a document that belong to a network potential.
NetworkFile network_file(const Node& parts);

} // namespace trimpot

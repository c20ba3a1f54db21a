// What a network says of atoms without neighbours.
#pragma once

#include <vector>

#include "network.hpp"

namespace trimpot {

// Energies of one atom of each species, which those that a network gives include.
std::vector<double> energies_alone(const Network& network, int n_species);

} // namespace trimpot

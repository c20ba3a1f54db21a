// Atoms: local ones wrapped into the cell, and the images that can touch them.
#pragma once

#include <cstdint>
#include <vector>

#include "../neighbors.hpp"

namespace trimpot::neighbors_detail {

// The one place that says where an image lies: build and refresh agree to the last bit.
inline void image_position(const double* x, const std::int32_t* shift, const double* cell,
                           double* out) {
  const double a = shift[0], b = shift[1], c = shift[2];
  for (int k = 0; k < 3; ++k) {
    out[k] = x[k] + (a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);
  }
}

// Local atoms and ghosts, without their neighbours.
struct Surroundings {
  NeighborList list;
  double roundoff = 0.0; // bound on the error of any position, in angstrom
  int threads = 1;       // that so many atoms are worth
};

// Moves the local atoms by whole periods into the cell, n first places, and appends the images
// within the cutoff of the box around them. Throws what build_neighbors promises.
Surroundings surround_atoms(std::int64_t n, const double* positions, const double* cell9,
                            const bool* pbc, double cutoff, int threads);

// The same of atoms that lie where they are, of which the first n_local are local: every ghost is its
// own owner.
Surroundings given_atoms(std::int64_t n_local, std::int64_t n_all, const double* positions, double cutoff,
                         int threads);

// Removes the ghosts that are not used (used: n_all) and returns the new numbers of the others
// and of the local atoms.
std::vector<std::int32_t> drop_unused_ghosts(NeighborList& list, std::int64_t n_local,
                                             const std::vector<std::uint8_t>& used);

} // namespace trimpot::neighbors_detail

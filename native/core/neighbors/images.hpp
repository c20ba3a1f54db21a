// Atoms: local ones wrapped into the cell, and the images that can touch them.
#pragma once

#include <cstdint>
#include <vector>

#include "../neighbors.hpp"
#include "lattice.hpp"
#include "vectors.hpp"

namespace trimpot::neighbors_detail {

// The one place that says where an image lies: build and refresh agree to the last bit.
inline void image_position(const double* x, const std::int32_t* shift, const double* cell,
                           double* out) {
  const double a = shift[0], b = shift[1], c = shift[2];
  for (int k = 0; k < 3; ++k) {
    out[k] = x[k] + (a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);
  }
}

struct Locals {
  std::vector<double> fractional; // n x 3, only of periodic systems
  Box fractional_box;
  Box box;
  double roundoff = 0.0; // bound on the error of any position, in angstrom
};

// Writes the local atoms, each moved by whole periods into the cell, into the first n places.
Locals wrap_locals(std::int64_t n, const double* input, const Lattice& lattice,
                   NeighborList& list);

// Appends the images within the cutoff of the box around the local atoms.
void add_ghosts(const Lattice& lattice, const double* input, const Locals& locals,
                double cutoff, NeighborList& list);

// Removes ghosts that are nobody's neighbour and renumbers the others.
void drop_unused_ghosts(NeighborList& list, std::int64_t n_local);

} // namespace trimpot::neighbors_detail

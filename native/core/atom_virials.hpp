// Virials of atoms: how stress and heat flow are shared out among them.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"

namespace trimpot {

// Where r_ij (x) -dE_i/dr_j goes.
enum class VirialOf {
  center,   // atom i, symmetric: stress of atoms
  receiver, // atom j: heat flux is the sum of virials times velocities
};

struct AtomResults {
  double* energies = nullptr; // n_local, written
  double* forces = nullptr;   // n_all x 3, written
  double* virials = nullptr;  // n_all x 9, written; rows xx xy xz yx ..
};

// The same as evaluate, atom by atom.
//
// Source of the second choice: Z. Fan et al., Phys. Rev. B 92, 094301 (2015), eq. 43, doi:10.1103/PhysRevB.92.094301.
void evaluate_atom_virials(const std::vector<TermPointer>& terms, const NeighborhoodView& hood, VirialOf choice,
                           const AtomResults& results, int threads);

} // namespace trimpot

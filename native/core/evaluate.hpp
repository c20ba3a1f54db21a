// Energies, forces and virial of one neighbourhood, in parallel over its atoms.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"

namespace trimpot {

// energies: n_local, written. forces: n_all x 3, written (ghost forces not folded).
// virial: 9, written: -dE/d(strain) in eV.
void evaluate(const std::vector<TermPointer>& terms, const NeighborhoodView& hood,
              double* energies, double* forces, double* virial, int threads);

} // namespace trimpot

// Energies, forces and virial of one neighbourhood, in parallel over its atoms.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"
#include "memory.hpp"

namespace trimpot {

// Throws std::invalid_argument for a term that has no coefficients.
void require_coefficients(const std::vector<TermPointer>& terms);

// The row that stands for "no neighbour": beyond every cutoff of every atom.
template <class Real>
void write_far_row(Real* row) {
  row[0] = row[1] = row[2] = Real(1e9);
  row[3] = Real(0);
}

// Positions and species as rows of four, and one row far from all others behind them.
AlignedVector<double> rows_of(const NeighborhoodView& hood);

// energies: n_local, written. forces: n_all x 3, written (ghost forces not folded).
// virial: 9, written: -dE/d(strain) in eV.
void evaluate(const std::vector<TermPointer>& terms, const NeighborhoodView& hood,
              double* energies, double* forces, double* virial, int threads);

// rows: (end - begin) x total columns, written: energy of local atoms begin .. end - 1 by each coefficient.
void atom_rows(const std::vector<TermPointer>& terms, const NeighborhoodView& hood, std::int64_t begin,
               std::int64_t end, double* rows, int threads);

} // namespace trimpot

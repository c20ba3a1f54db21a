// Many small frames at once: design-matrix rows and evaluations, in parallel over frames.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"

namespace trimpot {

struct FrameBatch {
  std::int64_t n_frames = 0;
  const std::int64_t* offsets = nullptr;  // n_frames + 1, into the atoms
  const double* positions = nullptr;      // atoms x 3
  const std::int32_t* species = nullptr;  // atoms, species indices
  const double* cells = nullptr;          // n_frames x 9
  const bool* pbc = nullptr;              // n_frames x 3
};

// Where the rows of each frame go: index of its first row in each block, -1: not wanted.
// Rows are multiplied by the frame's scale; strain rows become stress rows by 1 / volume.
struct RowPlan {
  const std::int64_t* energy_row = nullptr;
  const std::int64_t* force_row = nullptr;
  const std::int64_t* stress_row = nullptr;
  const double* energy_scale = nullptr;
  const double* force_scale = nullptr;
  const double* stress_scale = nullptr;
  double* energy = nullptr;  // blocks, row-major with n_columns
  double* forces = nullptr;
  double* stress = nullptr;
};

int total_columns(const std::vector<TermPointer>& terms);

void design_rows(const std::vector<TermPointer>& terms, const FrameBatch& batch,
                 const RowPlan& plan, int threads);

// energies: atoms; forces: atoms x 3; virials: n_frames x 9, all written.
void evaluate_frames(const std::vector<TermPointer>& terms, const FrameBatch& batch,
                     double* energies, double* forces, double* virials, int threads);

// Smallest distance of each pair of species (n_species^2, infinity if none below cutoff)
// and number of neighbours in bins of r (n_species^2 x n_bins over [0, cutoff)).
void pair_statistics(const FrameBatch& batch, int n_species, double cutoff, std::int64_t n_bins,
                     double* smallest, double* histogram, int threads);

// Raises numbers (n_species x term.n_limits()) to the largest of what the term bounds.
void ranges(const Term& term, const FrameBatch& batch, std::vector<double>& largest, int threads);

} // namespace trimpot

// Design-matrix rows, evaluations and statistics of many frames at once.
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include "../core/frames.hpp"
#include "arrays.hpp"

namespace trimpot {

namespace {

FrameBatch batch_of(const Longs& offsets, const Vectors& positions, const Ints& species,
                    const Cells& cells, const Flags& pbc) {
  const FrameBatch batch{length(offsets) - 1, offsets.data(), positions.data(),
                         species.data(), cells.data(), pbc.data()};
  require(batch.n_frames >= 0, "offsets: needs at least one entry");
  const std::int64_t n_atoms = offsets.data()[batch.n_frames];
  require(length(positions) == n_atoms && length(species) == n_atoms,
          "positions and species need offsets[-1] entries");
  require(length(cells) == batch.n_frames && length(pbc) == batch.n_frames,
          "cells and pbc need one entry per frame");
  return batch;
}

void design_rows_into(const std::vector<TermPointer>& terms, const Longs& offsets,
                      const Vectors& positions, const Ints& species, const Cells& cells,
                      const Flags& pbc, const Longs& energy_row, const Longs& force_row,
                      const Longs& stress_row, const Doubles& energy_scale,
                      const Doubles& force_scale, const Doubles& stress_scale,
                      const MatrixOut& energy, const MatrixOut& forces, const MatrixOut& stress,
                      int threads) {
  const FrameBatch batch = batch_of(offsets, positions, species, cells, pbc);
  const auto n_columns = static_cast<std::size_t>(total_columns(terms));
  for (const auto* block : {&energy, &forces, &stress})
    require(block->shape(1) == n_columns, "row blocks need one column per coefficient");
  for (std::int64_t f = 0; f < batch.n_frames; ++f) {
    const std::int64_t n_atoms = offsets.data()[f + 1] - offsets.data()[f];
    require(energy_row.data()[f] < length(energy) &&
                force_row.data()[f] + 3 * n_atoms <= length(forces) + (force_row.data()[f] < 0 ? 3 * n_atoms + 1 : 0) &&
                stress_row.data()[f] + 6 <= length(stress) + (stress_row.data()[f] < 0 ? 7 : 0),
            "a row index points beyond its block");
  }
  const RowPlan plan{energy_row.data(), force_row.data(), stress_row.data(), energy_scale.data(),
                     force_scale.data(), stress_scale.data(), energy.data(), forces.data(), stress.data()};
  const nb::gil_scoped_release release;
  design_rows(terms, batch, plan, threads);
}

void evaluate_frames_into(const std::vector<TermPointer>& terms, const Longs& offsets,
                          const Vectors& positions, const Ints& species, const Cells& cells,
                          const Flags& pbc, const DoublesOut& energies, const VectorsOut& forces,
                          const MatricesOut& virials, int threads) {
  const FrameBatch batch = batch_of(offsets, positions, species, cells, pbc);
  require(length(energies) == length(positions) && length(forces) == length(positions) &&
              length(virials) == batch.n_frames,
          "outputs: need energies (atoms), forces (atoms, 3), virials (frames, 3, 3)");
  for (const auto& term : terms) require(term->has_coefficients(), "a term has no coefficients");
  const nb::gil_scoped_release release;
  evaluate_frames(terms, batch, energies.data(), forces.data(), virials.data(), threads);
}

void pair_statistics_into(const Longs& offsets, const Vectors& positions, const Ints& species,
                          const Cells& cells, const Flags& pbc, int n_species, double cutoff,
                          const DoublesOut& smallest, const MatrixOut& histogram, int threads) {
  const FrameBatch batch = batch_of(offsets, positions, species, cells, pbc);
  const std::int64_t n_pairs = std::int64_t{n_species} * n_species;
  require(length(smallest) == n_pairs && length(histogram) == n_pairs, "outputs need n_species^2 rows");
  const nb::gil_scoped_release release;
  pair_statistics(batch, n_species, cutoff, static_cast<std::int64_t>(histogram.shape(1)),
                  smallest.data(), histogram.data(), threads);
}

void ranges_into(const Term& term, const Longs& offsets, const Vectors& positions, const Ints& species,
                 const Cells& cells, const Flags& pbc, const MatrixOut& largest, int threads) {
  const FrameBatch batch = batch_of(offsets, positions, species, cells, pbc);
  require(static_cast<std::int64_t>(largest.shape(1)) == term.n_limits(), "largest: needs n_limits columns");
  const std::size_t n = largest.shape(0) * largest.shape(1);
  const nb::gil_scoped_release release;
  std::vector<double> found(n, 0.0);
  ranges(term, batch, found, threads);
  std::copy(found.begin(), found.end(), largest.data());
}

} // namespace

void bind_frames(nb::module_& m) {
  using namespace nb::literals;
  m.def("design_rows", &design_rows_into, "terms"_a, "offsets"_a.noconvert(),
        "positions"_a.noconvert(), "species"_a.noconvert(), "cells"_a.noconvert(),
        "pbc"_a.noconvert(), "energy_row"_a.noconvert(), "force_row"_a.noconvert(),
        "stress_row"_a.noconvert(), "energy_scale"_a.noconvert(), "force_scale"_a.noconvert(),
        "stress_scale"_a.noconvert(), "energy"_a.noconvert(), "forces"_a.noconvert(),
        "stress"_a.noconvert(), "threads"_a);
  m.def("evaluate_frames", &evaluate_frames_into, "terms"_a, "offsets"_a.noconvert(),
        "positions"_a.noconvert(), "species"_a.noconvert(), "cells"_a.noconvert(),
        "pbc"_a.noconvert(), "energies"_a.noconvert(), "forces"_a.noconvert(),
        "virials"_a.noconvert(), "threads"_a);
  m.def("ranges", &ranges_into, "term"_a, "offsets"_a.noconvert(), "positions"_a.noconvert(), "species"_a.noconvert(),
        "cells"_a.noconvert(), "pbc"_a.noconvert(), "largest"_a.noconvert(), "threads"_a);
  m.def("pair_statistics", &pair_statistics_into, "offsets"_a.noconvert(),
        "positions"_a.noconvert(), "species"_a.noconvert(), "cells"_a.noconvert(),
        "pbc"_a.noconvert(), "n_species"_a, "cutoff"_a, "smallest"_a.noconvert(),
        "histogram"_a.noconvert(), "threads"_a);
}

} // namespace trimpot

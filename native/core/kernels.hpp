// The kernels of one instruction set, and the choice among those that were compiled.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "specs.hpp"
#include "term.hpp"

namespace trimpot {

// Local + ghost atoms and the neighbours of the local ones (see docs/conventions.md).
struct NeighborhoodView {
  std::int64_t n_local = 0;
  std::int64_t n_all = 0;
  const double* positions = nullptr;     // n_all x 3
  const std::int32_t* species = nullptr; // n_all species indices
  const std::int64_t* first = nullptr;   // n_local + 1
  const std::int32_t* neighbors = nullptr;
};

struct Kernels {
  std::string name;
  TermPointer (*one_body)(OneBodySpec);
  TermPointer (*pair_spline)(PairSplineSpec);
  TermPointer (*triplet_spline)(TripletSplineSpec);
  TermPointer (*zbl)(ZblSpec);
  // Energies of the local atoms begin .. end - 1 into energies; gradient of their energy,
  // negated, added to forces (n_all x 3); virial -dE/d(strain) (9) added to.
  void (*evaluate)(const std::vector<TermPointer>&, const NeighborhoodView&, std::int64_t begin,
                   std::int64_t end, double* energies, double* forces, double* virial);
  // Design-matrix rows of all local atoms, added to the sink.
  void (*rows)(const std::vector<TermPointer>&, const NeighborhoodView&, RowSink sink);
};

// Names of the instruction sets that this processor can run, best first.
std::vector<std::string> available_instruction_sets();

// The best kernels for this processor, or those of the environment variable
// TRIMPOT_INSTRUCTION_SET if set. Throws std::invalid_argument for an unknown name.
const Kernels& kernels();

} // namespace trimpot

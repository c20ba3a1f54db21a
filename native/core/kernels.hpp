// The kernels of one instruction set, and the choice among those that were compiled.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "edge_weights.hpp"
#include "network.hpp"
#include "neighbors/search_kernels.hpp"
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

// The same for the inner loops: rows of four numbers, of which one load brings a whole atom.
template <class Real, class Index>
struct Block {
  std::int64_t n_own = 0;              // atoms to evaluate; they come first
  std::int64_t n_all = 0;
  const Real* rows = nullptr;          // (n_all + 1) x 4: x, y, z, species; the last is far away
  const std::int64_t* first = nullptr; // n_own + 1
  const Index* neighbors = nullptr;    // all of a list, or padded to 16 with n_all
  // How many of an atom's first neighbours can be within the cutoff, and within the reach of terms
  // beside the pair curves; null: all.
  const Index* counts = nullptr;
  const Index* near = nullptr;
  // n_all x 4: force, energy. Where terms act on neighbours all rows are added to, else those of
  // own atoms are written.
  double* results = nullptr;
  std::int32_t species = -1;           // of all atoms, if they have the same
};

// What terms beside the first pair curves need.
struct NearTerms {
  double reach = 0.0;      // 0: there are none
  bool on_others = false;  // whether they act on the neighbours of an atom
};

// The atoms of a patch: entry t lies at atoms[atom[t]] + images[image[t]] - center.
struct TableView {
  std::int32_t n_all = 0;
  const std::int32_t* atom = nullptr;
  const std::int32_t* image = nullptr;
  const double* atoms = nullptr;  // x 4: x, y, z, species
  const double* images = nullptr; // x 4: shift, 0
  const double* center = nullptr; // 3
};

// Directed edges of atoms, those of the first atom first.
struct EdgesView {
  std::int64_t n_atoms = 0;
  const std::int64_t* first = nullptr;   // n_atoms + 1
  const double* vectors = nullptr;       // x 3: r_ij, angstrom
  const std::int32_t* species = nullptr; // n_atoms species indices
  const std::int32_t* ends = nullptr;    // species index of atom j of each edge
};

// Pairs of edges ij, ik: k screens j in part. They ascend by ij, then by ik.
struct PartialScreenings {
  std::vector<std::int64_t> screened, screening; // ij, ik
  std::vector<double> x;                         // where C lies: 0 at C_min, 1 at C_max, without span
};

struct Kernels {
  std::string name;
  TermPointer (*one_body)(OneBodySpec);
  TermPointer (*pair_spline)(PairSplineSpec);
  TermPointer (*triplet_spline)(TripletSplineSpec);
  TermPointer (*zbl)(ZblSpec);
  TermPointer (*density)(DensitySpec);
  // A term that takes weights, among neighbours that have those of a screening.
  TermPointer (*screened)(ScreeningSpec, TermPointer);
  // Atoms begin .. end - 1 of a block: their energies and minus the gradient of these go to the
  // results, -dE/d(strain) (9) is added to the virial. Without a virial: forces only, energies
  // are not numbers of use.
  void (*evaluate_list)(const std::vector<TermPointer>&, const Block<double, std::int32_t>&,
                        std::int64_t begin, std::int64_t end, double* virial);
  void (*evaluate_double)(const std::vector<TermPointer>&, const Block<double, std::uint16_t>&, double* virial);
  void (*evaluate_mixed)(const std::vector<TermPointer>&, const Block<float, std::uint16_t>&, double* virial);
  // Writes the rows of a block.
  void (*fill_double)(const TableView&, double* rows);
  void (*fill_mixed)(const TableView&, float* rows);
  NearTerms (*near_terms)(const std::vector<TermPointer>&);
  // Design-matrix rows of all local atoms, added to the sink.
  void (*rows)(const std::vector<TermPointer>&, const NeighborhoodView&, RowSink sink);
  // Energies of local atoms begin .. end - 1 by each coefficient, added to (end - begin) x n_columns.
  void (*atom_rows)(const std::vector<TermPointer>&, const NeighborhoodView&, std::int64_t begin, std::int64_t end,
                    double* rows);
  // Raises numbers (n_species x term.n_limits()) to what the local atoms have.
  void (*add_to_range)(const Term&, const NeighborhoodView&, double* largest);
  // Edges of atoms begin .. end - 1: writes which survive, and appends who screens these in part. Some of
  // x may be 0 or less, where a span lifts the limits of close pairs: the edge does not survive.
  void (*screening_partials)(const EdgeScreeningSpec&, const EdgesView&, std::int64_t begin, std::int64_t end,
                             std::uint8_t* alive, PartialScreenings&);
  // Appends the weighted edges of atoms begin .. end - 1; where the edges of each begin, without the last end.
  void (*weigh_edges)(const EdgeWeightSpec&, const PairsView&, std::int64_t begin, std::int64_t end, WeightedEdges&);
  // Adds the forces (x 3) of the edges of atoms begin .. end - 1, from derivatives by vectors and weights, and
  // writes sums of r (x) pull (x 9) of these atoms.
  void (*pull_back)(const WeightedEdges&, const EdgeTangents&, std::int64_t begin, std::int64_t end, double* forces,
                    double* strains);
  neighbors_detail::SearchKernels search; // of neighbours
  NetworkPointer (*network_single)(NetworkShape); // MLANet in single precision
  NetworkPointer (*network_double)(NetworkShape);
};

// Names of the instruction sets that this processor can run, best first.
std::vector<std::string> available_instruction_sets();

// The best kernels for this processor, or those of the environment variable
// TRIMPOT_INSTRUCTION_SET if set. Throws std::invalid_argument for an unknown name.
const Kernels& kernels();

} // namespace trimpot

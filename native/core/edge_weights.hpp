// Smooth weights of edges, w_ij = f(r_ij) S_ij, with their slopes, and what these mean for forces.
// Formulas: docs/theory/envelopes.md; src/trimpot/envelopes is the specification.
#pragma once

#include <cstdint>

#include "memory.hpp"
#include "network.hpp"
#include "specs.hpp"

namespace trimpot {

// f(r), 0 from the cutoff on (src/trimpot/envelopes/radial.py).
struct RadialSpec {
  enum class Kind { cosine, polynomial, bump };
  Kind kind = Kind::bump;
  double cutoff = 1.0;
  int power = 6; // of the polynomial
};

struct EdgeWeightSpec {
  RadialSpec radial;
  bool screened = false; // otherwise S = 1
  ScreeningSpec screening;
};

// Directed pairs of atoms, at least all that are within the cutoff, or the stretch of a screening
// longer. Pairs of the first atom come first.
struct PairsView {
  std::int64_t n_atoms = 0, n_all = 0;     // atoms; these and their images
  const std::int32_t* species = nullptr;
  const std::int64_t* first = nullptr;     // n_atoms + 1
  const std::int32_t* neighbors = nullptr; // atoms, or images of atoms that have owners
  const std::int32_t* owners = nullptr;    // null: neighbors are atoms
  const double* vectors = nullptr;         // r_ij x 3; null: from positions
  const double* positions = nullptr;       // x 3, of atoms and images
  const double* rows = nullptr;            // x 4: the same with a number behind, or null

  std::int32_t atom(std::int64_t pair) const {
    return owners == nullptr ? neighbors[pair] : owners[neighbors[pair]];
  }
};

// Pairs that have a weight, and triplets of which atom k screens edge ij in part: those of the first atom
// first, those of an atom in no order.
struct WeightedEdges {
  AlignedVector<std::int64_t> first;  // n_atoms + 1
  AlignedVector<std::int64_t> index;  // which pairs they are
  AlignedVector<std::int32_t> neighbors;
  AlignedVector<double> vectors;      // x 3
  AlignedVector<double> weights, slopes; // w_ij; dw_ij / dr_ij x 3, where third atoms stay
  AlignedVector<std::int64_t> screened;  // edge ij of each triplet
  AlignedVector<std::int32_t> screening; // atom k
  AlignedVector<double> to_screening, screening_slopes; // r_ik, dw_ij / dr_ik, x 3
};

// Weights below are 0: such edges are gone, with all slopes.
constexpr double smallest_weight = 1e-300;

// The same from any number of threads. memory: edges that are not needed any more, in whose place these come.
WeightedEdges weigh_edges(const EdgeWeightSpec& spec, const PairsView& pairs, int threads, WeightedEdges memory = {});

// Atoms structures[s] .. structures[s + 1] - 1 belong to structure s.
struct StructuresView {
  std::int64_t n = 0;
  const std::int64_t* first = nullptr;
};

// From derivatives by vectors and weights of edges: forces of n_all atoms (x 3), and of each atom that has edges
// the sum of r (x) dE/dr over these and over what screens them (x 9), minus the virial. Both are written, and the
// same from any number of threads.
void pull_back(const WeightedEdges& edges, const double* by_vectors, const double* by_weights, std::int64_t n_all,
               double* forces, double* strains, int threads);

// What a network says of atoms: energies with those of atoms alone, forces, virials of structures.
struct NetworkResults {
  double* energies = nullptr;
  double* forces = nullptr;  // x 3
  double* virials = nullptr; // x 9
};

void evaluate_network(const Network& network, const EdgeWeightSpec& spec, const PairsView& pairs,
                      const StructuresView& structures, const NetworkResults& results, int threads);

} // namespace trimpot

// Pairs of a local atom and a ghost: what each of the two feels of the energy of the local one.
//
// The kernels take pairs from both ends: the force on a local atom is that of the whole pair, and
// nothing is said of its neighbour. Summed up over an atom and its images, in all processes, that
// is right, and fast. But the gradient of the energy of the local atoms alone has half of the
// force of such a pair on either atom, and hosts that make a virial of forces need this one.
#pragma once

#include <cstdint>
#include <vector>

#include "../core/kernels.hpp"
#include "../core/memory.hpp"

namespace trimpot {

class BoundaryPairs {
 public:
  explicit BoundaryPairs(const std::vector<TermPointer>& terms);

  // Finds the pairs; a list holds until atoms have moved by half of the skin.
  void build(std::int64_t n_local, std::int64_t n_all, const double* positions, const std::int32_t* species,
             double skin, int threads);

  // Moves half of the forces of these pairs from local atoms to ghosts. forces: n_all x 3, added to.
  void share(const double* positions, double* forces);

  std::int64_t bytes() const;

 private:
  std::vector<TermPointer> terms_; // of pairs
  double cutoff_ = 0.0;
  std::int64_t n_local_ = 0;
  std::vector<std::int32_t> atoms_;       // that are part of such a pair
  std::vector<std::int64_t> first_;       // of the neighbours of each on the other side
  AlignedVector<std::int32_t> neighbors_; // their places in atoms_
  AlignedVector<double> rows_, results_;  // x, y, z, species; force and energy
};

} // namespace trimpot

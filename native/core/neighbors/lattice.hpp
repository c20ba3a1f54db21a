// Lattice: periodic vectors reduced to short ones, so that skewed cells cost no extra images.
#pragma once

#include <array>
#include <cstdint>

#include "limits.hpp"
#include "vectors.hpp"

namespace trimpot::neighbors_detail {

struct Lattice {
  std::array<bool, 3> periodic{};
  const double* cell = nullptr;        // as given; defines positions
  std::array<Integers, 3> combination; // reduced vector d = sum_k combination[d][k] cell row k
  Matrix inverse;                      // fractional coordinate d = x . inverse[d]
  Vector heights;                      // distance of the faces of the reduced cell
};

// `cell` must outlive the lattice. Throws std::invalid_argument for periodic vectors that are
// linearly dependent or nearly so.
Lattice make_lattice(const double* cell, const bool* pbc);

// Adds a shift in reduced vectors to a shift in cell rows. The factors are below 2^31 and
// 2^30, so that the sums fit into 64 bits.
inline void add_shift(const Lattice& lattice, const Integers& reduced_shift, std::int64_t atom,
                      std::int32_t* shift) {
  for (int k = 0; k < 3; ++k) {
    std::int64_t sum = shift[k];
    for (int d = 0; d < 3; ++d) sum += reduced_shift[d] * lattice.combination[d][k];
    if (sum < -largest_index || sum > largest_index) {
      refuse("an image of atom ", atom, " lies ", sum, " periods outside the cell, at most "
             "2^31 - 1 can be counted: wrap the positions into the cell");
    }
    shift[k] = static_cast<std::int32_t>(sum);
  }
}

} // namespace trimpot::neighbors_detail

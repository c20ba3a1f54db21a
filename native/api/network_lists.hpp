// Which atoms of a process gather messages of a network, and the pairs of these.
#pragma once

#include <cstdint>
#include <vector>

#include "../core/memory.hpp"

namespace trimpot {

struct NetworkLists {
  std::vector<std::int32_t> order;       // given atoms in the order of these lists; empty: as they were given
  std::vector<std::int64_t> centers;     // how many of the first gather, per layer; empty: the local ones in all
  std::vector<std::int64_t> first;       // of those that gather in the first layer, and the end
  AlignedVector<std::int32_t> neighbors; // full lists of these

  std::int64_t n_centers() const { return static_cast<std::int64_t>(first.size()) - 1; }
  std::int64_t given(std::int64_t atom) const { return order.empty() ? atom : order[static_cast<std::size_t>(atom)]; }
};

// How far lists look, angstrom: for neighbours, and for the edges that messages take.
struct NetworkReach {
  double list = 0.0, edge = 0.0;
};

// Lists of local atoms, the first n_local of n_all. Atoms keep their numbers.
NetworkLists local_lists(std::int64_t n_local, std::int64_t n_all, const double* positions, const NetworkReach& reach,
                         int threads);

// The same with lists of those ghosts whose features local atoms need after so many layers: those that are
// fewer edges away.
NetworkLists wide_lists(std::int64_t n_local, std::int64_t n_all, const double* positions, const NetworkReach& reach,
                        int layers, int threads);

} // namespace trimpot

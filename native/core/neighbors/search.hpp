// The pairs within the cutoff among the positions of a list. Of many ghosts, those that turn out
// to be nobody's neighbour are removed: in a small cell a good part of the images near its box
// is beyond the reach of its atoms.
#pragma once

#include <cstdint>

#include "../neighbors.hpp"

namespace trimpot::neighbors_detail {

// Few atoms: all against all.
void search_all(std::int64_t n_local, double cutoff, NeighborList& list);

// Many atoms: bins. `roundoff` bounds the error of any position, in angstrom.
void search_space(std::int64_t n_local, double cutoff, double roundoff, int threads,
                  NeighborList& list);

} // namespace trimpot::neighbors_detail

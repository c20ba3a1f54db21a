// Which edges of a graph survive a screening, and what screens them in part, in parallel over atoms.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"

namespace trimpot {

struct ScreenedEdges {
  std::vector<std::uint8_t> alive; // 1: nothing screens the edge entirely, and it is within reach
  PartialScreenings partials;      // of these
};

// The same from any number of threads.
ScreenedEdges screen_edges(const EdgeScreeningSpec& spec, const EdgesView& edges, int threads);

} // namespace trimpot

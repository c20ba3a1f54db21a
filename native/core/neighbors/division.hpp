// Division of space into compact parts with about equal numbers of atoms.
#pragma once

#include <cstdint>
#include <vector>

#include "candidates.hpp"

namespace trimpot::neighbors_detail {

// Cuts homes across their longest extent until each part has about `size` atoms. Homes with
// more atoms are cut themselves.
std::vector<std::vector<Home>> divide(const std::vector<Home>& homes, std::int64_t size);

// Cuts one part into two, none of them empty; the part must have at least two atoms.
std::vector<std::vector<Home>> halves(const std::vector<Home>& homes);

// Orders homes in a serpentine, so that consecutive ones are neighbours.
void line_up(std::vector<Home>& homes);

std::int64_t count_atoms(const std::vector<Home>& homes);

} // namespace trimpot::neighbors_detail

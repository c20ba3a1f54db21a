// The largest numbers that the list can hold, and the refusal of larger ones.
#pragma once

#include <cstdint>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace trimpot::neighbors_detail {

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr std::int64_t largest_index = 2147483647;
constexpr double largest_multiple = 1073741824.0; // products with an index fit into 64 bits
constexpr double largest_coordinate = 1e100; // squares of differences stay finite

template <class... Parts> [[noreturn]] void refuse(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw std::invalid_argument(message.str());
}

} // namespace trimpot::neighbors_detail

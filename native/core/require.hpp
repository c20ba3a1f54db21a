// Conditions that arguments must meet.
#pragma once

#include <stdexcept>
#include <string>

namespace trimpot {

inline void require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument(message);
}

} // namespace trimpot

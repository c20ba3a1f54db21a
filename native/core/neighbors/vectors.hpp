// Small vectors, rounding to integers, and boxes.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "limits.hpp"

namespace trimpot::neighbors_detail {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;
using Integers = std::array<std::int64_t, 3>;

inline double dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

inline double length(const Vector& a) { return std::sqrt(dot(a, a)); }

inline Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

inline Vector scaled(const Vector& a, double factor) {
  return {factor * a[0], factor * a[1], factor * a[2]};
}

// Without SSE4.1 std::floor is a library call.
inline std::int64_t floor_integer(double value) {
  const auto truncated = static_cast<std::int64_t>(value);
  return truncated - (value < static_cast<double>(truncated) ? 1 : 0);
}

inline std::int64_t ceil_integer(double value) { return -floor_integer(-value); }

struct Box {
  Vector low{largest_coordinate, largest_coordinate, largest_coordinate};
  Vector high{-largest_coordinate, -largest_coordinate, -largest_coordinate};

  void include(const double* x) {
    for (int k = 0; k < 3; ++k) {
      low[k] = std::min(low[k], x[k]);
      high[k] = std::max(high[k], x[k]);
    }
  }

  void include(const Box& other) { // an empty one, too
    for (int k = 0; k < 3; ++k) {
      low[k] = std::min(low[k], other.low[k]);
      high[k] = std::max(high[k], other.high[k]);
    }
  }

  bool holds(const double* x, double margin) const {
    return x[0] >= low[0] - margin && x[0] <= high[0] + margin && x[1] >= low[1] - margin &&
           x[1] <= high[1] + margin && x[2] >= low[2] - margin && x[2] <= high[2] + margin;
  }
};

} // namespace trimpot::neighbors_detail

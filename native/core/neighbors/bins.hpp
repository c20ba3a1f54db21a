// Atoms sorted into columns of bins along z, so that all candidates of one column are one
// contiguous run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vectors.hpp"

namespace trimpot::neighbors_detail {

struct Grid {
  Vector low{};
  double edge_xy = 1.0, edge_z = 1.0;
  Integers size{1, 1, 1};

  std::int64_t index(double value, int axis) const {
    const double edge = axis == 2 ? edge_z : edge_xy;
    const double position = (value - low[axis]) / edge;
    const double top = static_cast<double>(size[axis] - 1);
    return static_cast<std::int64_t>(std::min(std::max(position, 0.0), top));
  }

  double count() const {
    return static_cast<double>(size[0]) * static_cast<double>(size[1]) *
           static_cast<double>(size[2]);
  }
};

Grid make_grid(const Box& box, double edge_xy, double edge_z);

struct Range {
  std::int64_t begin, end;
};

// Atoms in the order of their bins, as separate coordinate arrays for vector units.
struct Sorted {
  std::vector<double> x, y, z;
  std::vector<std::int32_t> atoms;

  explicit Sorted(std::int64_t n) : x(n), y(n), z(n), atoms(n) {}

  void place(std::int64_t slot, std::int64_t atom, const double* position) {
    x[slot] = position[0];
    y[slot] = position[1];
    z[slot] = position[2];
    atoms[slot] = static_cast<std::int32_t>(atom);
  }
};

// Bins as an array of starts: where there are not many more bins than atoms.
struct DenseBins {
  Grid grid;
  std::vector<std::int32_t> start;
  Sorted sorted;

  DenseBins(const Grid& bins, const std::vector<double>& positions);

  Range run(std::int64_t ix, std::int64_t iy, std::int64_t low, std::int64_t high) const {
    const std::int64_t column = (ix * grid.size[1] + iy) * grid.size[2];
    return {start[column + low], start[column + high + 1]};
  }
};

// Bins as sorted keys: where the atoms are spread so thinly or unevenly (a cluster and one
// atom far away) that an array of bins would be mostly empty.
struct SparseBins {
  Grid grid;
  std::vector<std::int64_t> keys;
  Sorted sorted;

  std::int64_t key(std::int64_t ix, std::int64_t iy, std::int64_t iz) const {
    return (ix * (std::int64_t{1} << 21) + iy) * (std::int64_t{1} << 21) + iz;
  }

  SparseBins(const Grid& bins, const std::vector<double>& positions);

  Range run(std::int64_t ix, std::int64_t iy, std::int64_t low, std::int64_t high) const {
    const auto begin = std::lower_bound(keys.begin(), keys.end(), key(ix, iy, low));
    const auto end = std::upper_bound(begin, keys.end(), key(ix, iy, high));
    return {begin - keys.begin(), end - keys.begin()};
  }
};

} // namespace trimpot::neighbors_detail

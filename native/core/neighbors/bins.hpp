// Atoms sorted into bins, the bins along z behind one another, so that all candidates of one
// column are one contiguous run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../memory.hpp"
#include "vectors.hpp"

namespace trimpot::neighbors_detail {

struct Grid {
  Vector low{};
  Vector edge{1.0, 1.0, 1.0}, inverse{1.0, 1.0, 1.0};
  Integers size{1, 1, 1};

  std::int64_t index(double value, int axis) const {
    const double position = (value - low[axis]) * inverse[axis];
    const double top = static_cast<double>(size[axis] - 1);
    return static_cast<std::int64_t>(std::min(std::max(position, 0.0), top));
  }

  double count() const {
    return static_cast<double>(size[0]) * static_cast<double>(size[1]) *
           static_cast<double>(size[2]);
  }
};

struct Range {
  std::int64_t begin, end;
};

// Places ("slots") in the order of the bins; within a bin in the order of the atoms, so that
// local atoms come before ghosts.
struct Bins {
  Grid grid;
  AlignedVector<double> x, y, z; // by slot, and a few zeros behind for whole vectors
  AlignedVector<std::int32_t> atoms;

  // The first n_local atoms decide, together with the cutoff, about the edges.
  Bins(const std::vector<double>& positions, std::int64_t n_local, double cutoff,
       int threads);

  std::int64_t size() const { return size_; }

  // The slots of bins (ix, iy, low) to (ix, iy, high).
  Range run(std::int64_t ix, std::int64_t iy, std::int64_t low, std::int64_t high) const {
    if (keys_.empty()) {
      const std::int64_t column = (ix * grid.size[1] + iy) * grid.size[2];
      return {start_[column + low], start_[column + high + 1]};
    }
    const auto begin = std::lower_bound(keys_.begin(), keys_.end(), key(ix, iy, low));
    const auto end = std::upper_bound(begin, keys_.end(), key(ix, iy, high));
    return {begin - keys_.begin(), end - keys_.begin()};
  }

private:
  std::int64_t size_ = 0;
  std::vector<std::int32_t> start_; // of each bin, where there are not many more than atoms
  // Of each slot, where the atoms are spread so thinly or unevenly (a cluster and one atom
  // far away) that most bins would be empty.
  std::vector<std::int64_t> keys_;

  static std::int64_t key(std::int64_t ix, std::int64_t iy, std::int64_t iz) {
    return (ix * (std::int64_t{1} << 21) + iy) * (std::int64_t{1} << 21) + iz;
  }
  void sort_densely(const std::vector<double>& positions, int threads);
  void sort_sparsely(const std::vector<double>& positions);
  void place(std::int64_t slot, std::int64_t atom, const double* position) {
    x[slot] = position[0];
    y[slot] = position[1];
    z[slot] = position[2];
    atoms[slot] = static_cast<std::int32_t>(atom);
  }
};

} // namespace trimpot::neighbors_detail

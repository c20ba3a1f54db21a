#include "candidates.hpp"

#include <algorithm>
#include <cmath>

#include "../kernels.hpp"
#include "limits.hpp"

namespace trimpot::neighbors_detail {
namespace {

// Distance between the interval [low, high] and bin `index` of an axis, less the margin.
double gap(const Grid& grid, int axis, std::int64_t index, double low, double high,
           double margin) {
  const double left = grid.low[axis] + static_cast<double>(index) * grid.edge[axis];
  return std::max(0.0, std::max(left - high, low - (left + grid.edge[axis])) - margin);
}

} // namespace

double square_distance(const Points& points, std::int32_t a, std::int32_t b) {
  const double dx = points.x[b] - points.x[a], dy = points.y[b] - points.y[a],
               dz = points.z[b] - points.z[a];
  return dx * dx + dy * dy + dz * dz;
}

Space::Space(const std::vector<double>& positions, std::int64_t n_local, double reach,
             double roundoff, int threads)
    : bins(positions, n_local, reach, threads), cutoff(reach) {
  double largest = 0.0;
  for (int k = 0; k < 3; ++k) {
    const double high = bins.grid.low[k] + bins.grid.edge[k] * static_cast<double>(bins.grid.size[k]);
    largest = std::max({largest, std::abs(bins.grid.low[k]), std::abs(high)});
  }
  margin = 1e-12 * cutoff + 32.0 * epsilon * largest + roundoff;
}

std::vector<Home> homes_of(const Bins& bins, std::int64_t n_local) {
  std::vector<Home> homes;
  homes.reserve(static_cast<std::size_t>(n_local / 8 + 1));
  for (std::int64_t slot = 0; slot < bins.size();) {
    if (bins.atoms[slot] >= n_local) {
      ++slot;
      continue;
    }
    const std::int64_t bin[3] = {bins.grid.index(bins.x[slot], 0), bins.grid.index(bins.y[slot], 1),
                                 bins.grid.index(bins.z[slot], 2)};
    const std::int64_t end = bins.run(bin[0], bin[1], bin[2], bin[2]).end;
    Home home{{slot, slot}, {}};
    for (int k = 0; k < 3; ++k) home.bin[k] = static_cast<std::int32_t>(bin[k]);
    while (home.own.end < end && bins.atoms[home.own.end] < n_local) ++home.own.end;
    homes.push_back(home);
    slot = end;
  }
  return homes;
}

Candidates::Candidates() : CandidateArrays{}, collect_run_(kernels().search.collect) {}

void Candidates::append(Range run) {
  const std::int64_t most = size + run.end - run.begin + 2 * group;
  if (most > capacity_) {
    const std::int64_t larger = std::max(2 * capacity_, (most + 1023) / 1024 * 1024);
    AlignedVector<float> moved(3 * larger);
    for (int k = 0; size > 0 && k < 3; ++k) {
      std::copy_n(coordinates_.data() + k * capacity_, size, moved.data() + k * larger);
    }
    coordinates_ = std::move(moved);
    numbers_.resize(larger);
    capacity_ = larger;
    x = coordinates_.data();
    y = x + capacity_;
    z = y + capacity_;
    slots = numbers_.data();
  }
  collect_run_(*this, run.begin, run.end);
}

void Candidates::surround(const Space& space, Range own) {
  points = space.points();
  cutoff = space.cutoff;
  Box box;
  for (std::int64_t s = own.begin; s < own.end; ++s) {
    const double r[3] = {points.x[s], points.y[s], points.z[s]};
    box.include(r);
  }
  double extent = 1.0;
  for (int k = 0; k < 3; ++k) {
    center[k] = 0.5 * (box.low[k] + box.high[k]);
    half[k] = 0.5 * (box.high[k] - box.low[k]) / cutoff;
    // The centre may be off by its own roundoff where bins are far from the origin.
    half[k] += 4.0 * epsilon * std::abs(center[k]) / cutoff + 1e-6 * (1.0 + half[k]);
    extent = std::max(extent, half[k] + 1.0);
  }
  // Each coordinate is rounded once, as are the differences, products and sums.
  const double error = 0x1p-24 * (16.0 * extent + 16.0);
  const bool certain = error < 0.01;
  inner = certain ? static_cast<float>(1.0 - error) : 0.0f;
  outer = certain ? static_cast<float>(1.0 + error) : 0.0f;
}

void Candidates::collect(const Space& space, const Home& home) {
  const Grid& grid = space.bins.grid;
  surround(space, home.own);
  size = 0;
  append(home.own);
  n_own = size;
  const double reach = cutoff + space.margin;
  double low[3], high[3];
  for (int k = 0; k < 3; ++k) {
    low[k] = center[k] - half[k] * cutoff;
    high[k] = center[k] + half[k] * cutoff;
  }
  const std::int64_t x_high = grid.index(high[0] + reach, 0);
  const std::int64_t y_low = grid.index(low[1] - reach, 1), y_high = grid.index(high[1] + reach, 1);
  for (std::int64_t ix = grid.index(low[0] - reach, 0); ix <= x_high; ++ix) {
    const double dx = gap(grid, 0, ix, low[0], high[0], space.margin);
    for (std::int64_t iy = y_low; iy <= y_high; ++iy) {
      const double dy = gap(grid, 1, iy, low[1], high[1], space.margin);
      const double left = reach * reach - dx * dx - dy * dy;
      if (left < 0.0) continue;
      const double chord = std::sqrt(left) + space.margin;
      const Range run = space.bins.run(ix, iy, grid.index(low[2] - chord, 2),
                                       grid.index(high[2] + chord, 2));
      if (ix == home.bin[0] && iy == home.bin[1]) {
        append({run.begin, home.own.begin});
        append({home.own.end, run.end});
      } else {
        append(run);
      }
    }
  }
  close();
}

void Candidates::close() {
  constexpr float far = 1e15f;
  for (float* axis : {x, y, z}) std::fill_n(axis + size, group, far);
  std::fill_n(slots + size, group, 0);
}

} // namespace trimpot::neighbors_detail

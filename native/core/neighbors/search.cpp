#include "search.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "../threads.hpp"
#include "bins.hpp"
#include "limits.hpp"
#include "rows.hpp"
#include "vectors.hpp"

namespace trimpot::neighbors_detail {
namespace {

// Calls work(begin, end, thread) for blocks of [0, n).
template <class Work>
void for_blocks(std::int64_t n, std::int64_t block, int threads, const Work& work) {
  std::atomic<std::int64_t> next{0};
  on_threads(threads, [&](int thread) {
    for (std::int64_t begin = next.fetch_add(block); begin < n; begin = next.fetch_add(block)) {
      work(begin, std::min(begin + block, n), thread);
    }
  });
}

// Distance from a coordinate to bin `index`, less the roundoff of binning.
double gap(double value, double low, double edge, std::int64_t index, double margin) {
  const double left = low + static_cast<double>(index) * edge;
  return std::max(0.0, std::max(left - value, value - (left + edge)) - margin);
}

struct Search {
  double square; // of the cutoff
  double reach;  // cutoff with a margin for roundoff
  double margin;
};

// The runs of candidates of one atom: columns within reach, cut to the chord of the sphere.
template <class Bins>
std::int64_t candidate_runs(const Bins& bins, const Search& search, std::int64_t slot,
                            std::vector<Range>& runs) {
  const Grid& grid = bins.grid;
  const double x = bins.sorted.x[slot], y = bins.sorted.y[slot], z = bins.sorted.z[slot];
  const std::int64_t x_high = grid.index(x + search.reach, 0);
  const std::int64_t y_low = grid.index(y - search.reach, 1);
  const std::int64_t y_high = grid.index(y + search.reach, 1);
  runs.clear();
  std::int64_t total = 0;
  for (std::int64_t ix = grid.index(x - search.reach, 0); ix <= x_high; ++ix) {
    const double dx = gap(x, grid.low[0], grid.edge_xy, ix, search.margin);
    for (std::int64_t iy = y_low; iy <= y_high; ++iy) {
      const double dy = gap(y, grid.low[1], grid.edge_xy, iy, search.margin);
      const double left = search.reach * search.reach - dx * dx - dy * dy;
      if (left < 0.0) continue;
      const double half = std::sqrt(left) + search.margin;
      const Range run = bins.run(ix, iy, grid.index(z - half, 2), grid.index(z + half, 2));
      if (run.begin == run.end) continue;
      runs.push_back(run);
      total += run.end - run.begin;
    }
  }
  return total;
}

template <class Bins>
std::int64_t write_row(const Bins& bins, double square, std::int64_t slot,
                       const std::vector<Range>& runs, std::int32_t* row) {
  const Sorted& sorted = bins.sorted;
  const double* const x = sorted.x.data();
  const double* const y = sorted.y.data();
  const double* const z = sorted.z.data();
  const double xi = x[slot], yi = y[slot], zi = z[slot];
  std::int64_t count = 0;
  for (const Range& run : runs) {
    for (std::int64_t j = run.begin; j < run.end; ++j) {
      const double dx = x[j] - xi, dy = y[j] - yi, dz = z[j] - zi;
      row[count] = sorted.atoms[j]; // kept only if the count moves on: no branch to mispredict
      count += (dx * dx + dy * dy + dz * dz < square && j != slot) ? 1 : 0;
    }
  }
  return count;
}

template <class Bins>
void search_bins(const Bins& bins, std::int64_t n_local, const Search& search, int threads,
                 NeighborList& list) {
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  std::vector<RowStore> stores(threads);
  std::vector<std::vector<Range>> runs(threads);
  std::vector<const std::int32_t*> rows(n_local);
  for_blocks(n_all, 1024, threads, [&](std::int64_t begin, std::int64_t end, int worker) {
    for (std::int64_t slot = begin; slot < end; ++slot) {
      const std::int64_t atom = bins.sorted.atoms[slot];
      if (atom >= n_local) continue;
      const std::int64_t most = candidate_runs(bins, search, slot, runs[worker]);
      std::int32_t* const row = stores[worker].reserve(most);
      const std::int64_t count = write_row(bins, search.square, slot, runs[worker], row);
      stores[worker].commit(count);
      rows[atom] = row;
      list.first[atom + 1] = count;
    }
  });
  for (std::int64_t i = 0; i < n_local; ++i) list.first[i + 1] += list.first[i];
  list.neighbors.resize(list.first[n_local]);
  for_blocks(n_local, 4096, threads, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(rows[i], list.first[i + 1] - list.first[i],
                  list.neighbors.data() + list.first[i]);
    }
  });
}

} // namespace

void search_all(std::int64_t n_local, double cutoff, NeighborList& list) {
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  const double square = cutoff * cutoff;
  std::vector<double> coordinates(4 * n_all);
  double* const x = coordinates.data();
  double* const y = x + n_all;
  double* const z = y + n_all;
  double* const distances = z + n_all;
  for (std::int64_t j = 0; j < n_all; ++j) {
    x[j] = list.positions[3 * j];
    y[j] = list.positions[3 * j + 1];
    z[j] = list.positions[3 * j + 2];
  }
  std::vector<std::int32_t> row(n_all);
  for (std::int64_t i = 0; i < n_local; ++i) {
    const double xi = x[i], yi = y[i], zi = z[i];
    for (std::int64_t j = 0; j < n_all; ++j) {
      const double dx = x[j] - xi, dy = y[j] - yi, dz = z[j] - zi;
      distances[j] = dx * dx + dy * dy + dz * dz;
    }
    distances[i] = std::numeric_limits<double>::infinity();
    std::int64_t count = 0;
    for (std::int64_t j = 0; j < n_all; ++j) {
      row[count] = static_cast<std::int32_t>(j);
      count += distances[j] < square ? 1 : 0;
    }
    list.neighbors.insert(list.neighbors.end(), row.begin(), row.begin() + count);
    list.first[i + 1] = static_cast<std::int64_t>(list.neighbors.size());
  }
}

void search_space(std::int64_t n_local, double cutoff, double roundoff, int threads,
                  NeighborList& list) {
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  Box box;
  double largest = 0.0;
  for (std::int64_t i = 0; i < n_all; ++i) box.include(list.positions.data() + 3 * i);
  for (int k = 0; k < 3; ++k) {
    largest = std::max({largest, std::abs(box.low[k]), std::abs(box.high[k])});
  }
  Search search{};
  search.square = cutoff * cutoff;
  search.margin = 1e-12 * cutoff + 32.0 * epsilon * largest + roundoff;
  search.reach = cutoff + search.margin;
  const double most = std::min(16.0 * static_cast<double>(n_all) + 64.0, 2e9);
  for (const auto& [edge_xy, edge_z] : {std::pair{0.5, 0.25}, {0.5, 0.5}, {1.0, 1.0}}) {
    const Grid grid = make_grid(box, edge_xy * cutoff, edge_z * cutoff);
    if (grid.count() > most) continue;
    search_bins(DenseBins(grid, list.positions), n_local, search, threads, list);
    return;
  }
  const Grid grid = make_grid(box, cutoff, cutoff);
  search_bins(SparseBins(grid, list.positions), n_local, search, threads, list);
}

} // namespace trimpot::neighbors_detail

#include "bins.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../threads.hpp"

namespace trimpot::neighbors_detail {
namespace {

constexpr std::int64_t padding = 16; // vectors may be loaded from the last slot on

// A number of bins that fill an extent evenly, as bins with a few atoms cost nearly as much as
// full ones, and are not slightly shorter than the cutoff or its half, third ...: then a sphere
// would reach one bin further.
double whole_bins(double extent, double wish, double cutoff) {
  const double whole = std::max(1.0, std::round(extent / wish));
  const double reach = std::max(1.0, std::round(cutoff * whole / extent));
  return std::clamp(std::floor(extent * reach / cutoff), 1.0, whole);
}

// A grid over `all` that begins and ends with the box of the local atoms.
Grid make_grid(const Box& all, const Box& locals, double wish, double cutoff) {
  constexpr double most = 524288.0; // 2^19 bins per axis: three indices fit into 64 bits
  Grid grid;
  for (int k = 0; k < 3; ++k) {
    const double extent = locals.high[k] - locals.low[k];
    double edge = std::max(wish, (all.high[k] - all.low[k]) / most);
    if (edge == wish && extent > wish) edge = extent / whole_bins(extent, wish, cutoff) * (1.0 + 1e-9);
    const double below = std::ceil((locals.low[k] - all.low[k]) / edge);
    grid.edge[k] = edge;
    grid.inverse[k] = 1.0 / edge;
    grid.low[k] = locals.low[k] - below * edge;
    grid.size[k] = static_cast<std::int64_t>((all.high[k] - grid.low[k]) * grid.inverse[k]) + 1;
  }
  return grid;
}

// Bins of about two dozen atoms: with more, an atom meets too many candidates beyond its
// cutoff; with fewer, collecting the candidates of a bin is not worth it.
double edge_for(const Box& box, double n, double cutoff) {
  constexpr double atoms_per_bin = 22.0;
  double volume = 1.0;
  for (int k = 0; k < 3; ++k) volume *= std::max(box.high[k] - box.low[k], 0.5 * cutoff);
  return std::clamp(std::cbrt(atoms_per_bin * volume / n), 0.2 * cutoff, 1.6 * cutoff);
}

} // namespace

Bins::Bins(const std::vector<double>& positions, std::int64_t n_local, double cutoff,
           int threads)
    : size_(static_cast<std::int64_t>(positions.size() / 3)) {
  for (AlignedVector<double>* axis : {&x, &y, &z}) {
    axis->resize(size_ + padding);
    std::fill(axis->end() - padding, axis->end(), 0.0);
  }
  atoms.resize(size_ + padding);
  std::fill(atoms.end() - padding, atoms.end(), 0);
  Box all, locals;
  for (std::int64_t i = 0; i < n_local; ++i) locals.include(positions.data() + 3 * i);
  all = locals;
  for (std::int64_t i = n_local; i < size_; ++i) all.include(positions.data() + 3 * i);
  const double edge = edge_for(locals, static_cast<double>(n_local), cutoff);
  for (const double factor : {1.0, 2.0, 4.0}) {
    grid = make_grid(all, locals, factor * edge, cutoff);
    if (grid.count() > 4.0 * static_cast<double>(size_) + 64.0) continue;
    sort_densely(positions, threads);
    return;
  }
  grid = make_grid(all, locals, cutoff, cutoff);
  sort_sparsely(positions);
}

// A counting sort; each thread counts and places a part of the atoms, so that the order does
// not depend on their number.
void Bins::sort_densely(const std::vector<double>& positions, int threads) {
  const auto n_bins = static_cast<std::int64_t>(grid.count());
  AlignedVector<std::int32_t> bins(size_);
  std::vector<std::vector<std::int32_t>> next(threads);
  on_threads(threads, [&](int t) {
    next[t].assign(n_bins, 0);
    for (std::int64_t i = size_ * t / threads; i < size_ * (t + 1) / threads; ++i) {
      const double* r = positions.data() + 3 * i;
      const std::int64_t column = grid.index(r[0], 0) * grid.size[1] + grid.index(r[1], 1);
      bins[i] = static_cast<std::int32_t>(column * grid.size[2] + grid.index(r[2], 2));
      ++next[t][bins[i]];
    }
  });
  start_.resize(n_bins + 1);
  std::int32_t slot = 0;
  for (std::int64_t bin = 0; bin < n_bins; ++bin) {
    start_[bin] = slot;
    for (auto& counts : next) slot += std::exchange(counts[bin], slot);
  }
  start_[n_bins] = slot;
  on_threads(threads, [&](int t) {
    for (std::int64_t i = size_ * t / threads; i < size_ * (t + 1) / threads; ++i) {
      place(next[t][bins[i]]++, i, positions.data() + 3 * i);
    }
  });
}

void Bins::sort_sparsely(const std::vector<double>& positions) {
  std::vector<std::pair<std::int64_t, std::int64_t>> order(size_);
  for (std::int64_t i = 0; i < size_; ++i) {
    const double* r = positions.data() + 3 * i;
    order[i] = {key(grid.index(r[0], 0), grid.index(r[1], 1), grid.index(r[2], 2)), i};
  }
  std::sort(order.begin(), order.end());
  keys_.resize(size_);
  for (std::int64_t slot = 0; slot < size_; ++slot) {
    keys_[slot] = order[slot].first;
    place(slot, order[slot].second, positions.data() + 3 * order[slot].second);
  }
}

} // namespace trimpot::neighbors_detail

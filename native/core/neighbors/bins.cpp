#include "bins.hpp"

#include <algorithm>
#include <utility>

namespace trimpot::neighbors_detail {

Grid make_grid(const Box& box, double edge_xy, double edge_z) {
  constexpr double most = 1048576.0; // 2^20 bins per axis: three indices fit into 64 bits
  Grid grid;
  grid.low = box.low;
  grid.edge_xy = std::max({edge_xy, (box.high[0] - box.low[0]) / most,
                           (box.high[1] - box.low[1]) / most});
  grid.edge_z = std::max(edge_z, (box.high[2] - box.low[2]) / most);
  for (int k = 0; k < 3; ++k) {
    const double edge = k == 2 ? grid.edge_z : grid.edge_xy;
    grid.size[k] = static_cast<std::int64_t>((box.high[k] - box.low[k]) / edge) + 1;
  }
  return grid;
}

DenseBins::DenseBins(const Grid& bins, const std::vector<double>& positions)
    : grid(bins), start(static_cast<std::size_t>(bins.count()) + 2, 0),
      sorted(static_cast<std::int64_t>(positions.size() / 3)) {
  const auto n = static_cast<std::int64_t>(positions.size() / 3);
  std::vector<std::int32_t> keys(n);
  for (std::int64_t i = 0; i < n; ++i) {
    const double* x = positions.data() + 3 * i;
    const std::int64_t column = grid.index(x[0], 0) * grid.size[1] + grid.index(x[1], 1);
    keys[i] = static_cast<std::int32_t>(column * grid.size[2] + grid.index(x[2], 2));
    ++start[keys[i] + 2];
  }
  for (std::size_t bin = 2; bin < start.size(); ++bin) start[bin] += start[bin - 1];
  for (std::int64_t i = 0; i < n; ++i) {
    sorted.place(start[keys[i] + 1]++, i, positions.data() + 3 * i);
  }
}

SparseBins::SparseBins(const Grid& bins, const std::vector<double>& positions)
    : grid(bins), keys(positions.size() / 3),
      sorted(static_cast<std::int64_t>(positions.size() / 3)) {
  const auto n = static_cast<std::int64_t>(positions.size() / 3);
  std::vector<std::pair<std::int64_t, std::int64_t>> order(n);
  for (std::int64_t i = 0; i < n; ++i) {
    const double* x = positions.data() + 3 * i;
    order[i] = {key(grid.index(x[0], 0), grid.index(x[1], 1), grid.index(x[2], 2)), i};
  }
  std::sort(order.begin(), order.end());
  for (std::int64_t slot = 0; slot < n; ++slot) {
    keys[slot] = order[slot].first;
    sorted.place(slot, order[slot].second, positions.data() + 3 * order[slot].second);
  }
}

} // namespace trimpot::neighbors_detail

#include "network_lists.hpp"

#include <algorithm>
#include <utility>

#include "../core/neighbors.hpp"

namespace trimpot {

namespace {

double square_distance(const double* x, std::int64_t a, std::int64_t b) {
  double sum = 0.0;
  for (int k = 0; k < 3; ++k) sum += (x[3 * b + k] - x[3 * a + k]) * (x[3 * b + k] - x[3 * a + k]);
  return sum;
}

// How many edges each atom is away from the nearest local one, but no more than most.
std::vector<std::int32_t> edges_away(const NeighborList& list, std::int64_t n_local, const double* positions,
                                     double edge, std::int32_t most) {
  const std::size_t n = list.first.size() - 1;
  std::vector<std::int32_t> away(n, most);
  std::vector<std::int64_t> last, next;
  for (std::int64_t a = 0; a < n_local; ++a) last.push_back(a);
  for (const std::int64_t a : last) away[static_cast<std::size_t>(a)] = 0;
  for (std::int32_t step = 1; step < most; ++step, last.swap(next), next.clear())
    for (const std::int64_t a : last)
      for (auto k = list.first[static_cast<std::size_t>(a)]; k < list.first[static_cast<std::size_t>(a) + 1]; ++k) {
        const std::int64_t b = list.neighbors[static_cast<std::size_t>(k)];
        std::int32_t& of_b = away[static_cast<std::size_t>(b)];
        if (of_b <= step || !(square_distance(positions, a, b) < edge * edge)) continue;
        of_b = step;
        next.push_back(b);
      }
  return away;
}

} // namespace

NetworkLists local_lists(std::int64_t n_local, std::int64_t n_all, const double* positions, const NetworkReach& reach,
                         int threads) {
  NeighborList list = build_neighbors(n_local, n_all, positions, reach.list, threads);
  for (std::int32_t& a : list.neighbors) a = list.owners[static_cast<std::size_t>(a)]; // some ghosts may be left out
  return {{}, {}, std::move(list.first), std::move(list.neighbors)};
}

NetworkLists wide_lists(std::int64_t n_local, std::int64_t n_all, const double* positions, const NetworkReach& reach,
                        int layers, int threads) {
  const NeighborList list = build_neighbors(n_all, n_all, positions, reach.list, threads);
  const auto away = edges_away(list, n_local, positions, reach.edge, layers);
  NetworkLists found;
  std::vector<std::int32_t> place(static_cast<std::size_t>(n_all));
  for (std::int32_t step = 0; step <= layers; ++step) {
    for (std::size_t a = 0; a < away.size(); ++a) {
      if (away[a] != step) continue;
      place[a] = static_cast<std::int32_t>(found.order.size());
      found.order.push_back(static_cast<std::int32_t>(a));
    }
    if (step < layers) found.centers.insert(found.centers.begin(), static_cast<std::int64_t>(found.order.size()));
  }
  found.first.push_back(0);
  for (std::int64_t c = 0; c < found.centers.front(); ++c) {
    const auto a = static_cast<std::size_t>(found.given(c));
    for (auto k = list.first[a]; k < list.first[a + 1]; ++k)
      found.neighbors.push_back(place[static_cast<std::size_t>(list.neighbors[static_cast<std::size_t>(k)])]);
    found.first.push_back(static_cast<std::int64_t>(found.neighbors.size()));
  }
  return found;
}

} // namespace trimpot

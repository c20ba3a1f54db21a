#include "search.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>
#include <vector>

#include "../kernels.hpp"
#include "../threads.hpp"
#include "candidates.hpp"
#include "images.hpp"
#include "rows.hpp"

namespace trimpot::neighbors_detail {
namespace {

bool many_ghosts(const NeighborList& list, std::int64_t n_local) {
  return static_cast<std::int64_t>(list.owners.size()) > 3 * n_local;
}

// What is known of a home until the size of each row is: its candidates and which of them are
// whose neighbours.
struct Marked {
  std::int32_t* atoms;
  const std::uint16_t* marks; // n_own x n_groups
  std::int64_t n_groups;
};

class Marking {
public:
  // Writes the number of neighbours of atom i to first[i + 1], and unless `used` is empty 1 to
  // used[j] of every neighbour j.
  Marked mark(const Space& space, const Home& home, std::vector<std::int64_t>& first,
              std::vector<std::uint8_t>& used) {
    candidates_.collect(space, home);
    const std::int64_t n_groups = candidates_.n_groups();
    std::int32_t* const atoms = atoms_.add(group * n_groups);
    for (std::int64_t c = 0; c < group * n_groups; ++c) {
      atoms[c] = space.bins.atoms[candidates_.slots[c]];
    }
    std::uint16_t* const marks = marks_.add(candidates_.n_own * n_groups);
    counts_.resize(candidates_.n_own);
    search_.mark(candidates_, marks, counts_.data());
    for (std::int64_t i = 0; i < candidates_.n_own; ++i) {
      first[space.bins.atoms[home.own.begin + i] + 1] = counts_[i];
    }
    if (!used.empty()) note_used(atoms, marks, used);
    return {atoms, marks, n_groups};
  }

private:
  const SearchKernels& search_ = kernels().search;
  Candidates candidates_;
  RowStore<std::int32_t> atoms_;
  RowStore<std::uint16_t> marks_;
  std::vector<std::int32_t> counts_;
  std::vector<std::uint16_t> any_;

  void note_used(const std::int32_t* atoms, const std::uint16_t* marks,
                 std::vector<std::uint8_t>& used) {
    const std::int64_t n_groups = candidates_.n_groups();
    any_.assign(n_groups, 0);
    for (std::int64_t i = 0; i < candidates_.n_own; ++i, marks += n_groups) {
      for (std::int64_t g = 0; g < n_groups; ++g) any_[g] |= marks[g];
    }
    for (std::int64_t g = 0; g < n_groups; ++g) {
      for (unsigned left = any_[g]; left != 0; left &= left - 1) {
        std::uint8_t& flag = used[atoms[group * g + std::countr_zero(left)]];
        std::atomic_ref<std::uint8_t>(flag).store(1, std::memory_order_relaxed);
      }
    }
  }
};

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
  if (!many_ghosts(list, n_local)) return;
  std::vector<std::uint8_t> used(n_all, 0);
  for (const std::int32_t j : list.neighbors) used[j] = 1;
  const auto renamed = drop_unused_ghosts(list, n_local, used);
  for (std::int32_t& j : list.neighbors) j = renamed[j];
}

void search_space(std::int64_t n_local, double cutoff, double roundoff, int threads,
                  NeighborList& list) {
  const Space space(list.positions, n_local, cutoff, roundoff, threads);
  const Bins& bins = space.bins;
  const SearchKernels& search = kernels().search;
  const std::vector<Home> homes = homes_of(bins, n_local);
  const auto n_homes = static_cast<std::int64_t>(homes.size());
  std::vector<Marked> marked(n_homes);
  std::vector<Marking> markings(threads);
  std::vector<std::uint8_t> used(many_ghosts(list, n_local) ? list.owners.size() : 0, 0);
  constexpr std::int64_t block = 64;
  for_blocks(n_homes, block, threads, [&](std::int64_t begin, std::int64_t end, int worker) {
    for (std::int64_t h = begin; h < end; ++h) {
      marked[h] = markings[worker].mark(space, homes[h], list.first, used);
    }
  });
  for (std::int64_t i = 0; i < n_local; ++i) list.first[i + 1] += list.first[i];
  list.neighbors.resize(list.first[n_local]);
  std::vector<std::int32_t> renamed;
  if (!used.empty()) renamed = drop_unused_ghosts(list, n_local, used);
  std::vector<AlignedVector<std::int32_t>> scratch(threads);
  for_blocks(n_homes, block, threads, [&](std::int64_t begin, std::int64_t end, int worker) {
    for (std::int64_t h = begin; h < end; ++h) {
      const Marked& m = marked[h];
      if (!renamed.empty()) {
        for (std::int64_t c = 0; c < group * m.n_groups; ++c) m.atoms[c] = renamed[m.atoms[c]];
      }
      const auto room = static_cast<std::size_t>(group * (m.n_groups + 1));
      if (scratch[worker].size() < room) scratch[worker].resize(room);
      for (std::int64_t slot = homes[h].own.begin; slot < homes[h].own.end; ++slot) {
        search.write(m.marks + (slot - homes[h].own.begin) * m.n_groups, m.n_groups, m.atoms,
                     scratch[worker].data(), list.neighbors.data() + list.first[bins.atoms[slot]]);
      }
    }
  });
}

} // namespace trimpot::neighbors_detail

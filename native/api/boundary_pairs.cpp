#include "boundary_pairs.hpp"

#include <algorithm>

#include "../core/denormals.hpp"
#include "../core/evaluate.hpp"
#include "../core/neighbors.hpp"

namespace trimpot {

BoundaryPairs::BoundaryPairs(const std::vector<TermPointer>& terms) {
  for (const TermPointer& term : terms) {
    if (!term->pairwise()) continue;
    terms_.push_back(term);
    cutoff_ = std::max(cutoff_, term->cutoff());
  }
}

void BoundaryPairs::build(std::int64_t n_local, std::int64_t n_all, const double* positions,
                          const std::int32_t* species, double skin, int threads) {
  n_local_ = n_local;
  atoms_.clear();
  first_.assign(1, 0);
  if (terms_.empty() || n_local == 0 || n_local == n_all) return;
  const NeighborList list = build_neighbors(n_local, n_all, positions, cutoff_ + skin, threads);
  std::vector<std::int32_t> place(static_cast<std::size_t>(n_all), -1);
  std::vector<std::int32_t> left, right; // places of the two atoms of each pair
  auto place_of = [&](std::int32_t atom) {
    std::int32_t& found = place[static_cast<std::size_t>(atom)];
    if (found < 0) {
      found = static_cast<std::int32_t>(atoms_.size());
      atoms_.push_back(atom);
    }
    return found;
  };
  for (std::int64_t i = 0; i < n_local; ++i) {
    for (std::int64_t k = list.first[static_cast<std::size_t>(i)]; k < list.first[static_cast<std::size_t>(i) + 1]; ++k) {
      const std::int32_t ghost = list.owners[static_cast<std::size_t>(list.neighbors[static_cast<std::size_t>(k)])];
      if (ghost < n_local) continue;
      left.push_back(place_of(list.owners[static_cast<std::size_t>(i)]));
      right.push_back(place_of(ghost));
    }
  }
  const std::size_t n = atoms_.size();
  first_.assign(n + 1, 0);
  for (const auto* side : {&left, &right})
    for (const std::int32_t p : *side) ++first_[static_cast<std::size_t>(p) + 1];
  for (std::size_t p = 0; p < n; ++p) first_[p + 1] += first_[p];
  neighbors_.resize(2 * left.size());
  std::vector<std::int64_t> next(first_.begin(), first_.end() - 1);
  for (std::size_t k = 0; k < left.size(); ++k) {
    neighbors_[static_cast<std::size_t>(next[static_cast<std::size_t>(left[k])]++)] = right[k];
    neighbors_[static_cast<std::size_t>(next[static_cast<std::size_t>(right[k])]++)] = left[k];
  }
  rows_.resize(4 * (n + 1));
  for (std::size_t p = 0; p < n; ++p) rows_[4 * p + 3] = species[atoms_[p]];
  write_far_row(rows_.data() + 4 * n);
}

void BoundaryPairs::share(const double* positions, double* forces) {
  const auto n = static_cast<std::int64_t>(atoms_.size());
  if (n == 0) return;
  const FlushDenormals flush;
  for (std::size_t p = 0; p < atoms_.size(); ++p)
    std::copy_n(positions + 3 * static_cast<std::int64_t>(atoms_[p]), 3, rows_.data() + 4 * p);
  results_.assign(4 * atoms_.size(), 0.0);
  const Block<double, std::int32_t> block{n, n, rows_.data(), first_.data(), neighbors_.data(), nullptr, nullptr,
                                          results_.data()};
  double virial[9] = {};
  kernels().evaluate_list(terms_, block, 0, n, virial);
  for (std::size_t p = 0; p < atoms_.size(); ++p) {
    const std::int64_t atom = atoms_[p];
    const double part = atom < n_local_ ? -0.5 : 0.5;
    for (std::int64_t k = 0; k < 3; ++k) forces[3 * atom + k] += part * results_[4 * p + static_cast<std::size_t>(k)];
  }
}

std::int64_t BoundaryPairs::bytes() const {
  return static_cast<std::int64_t>(4 * (atoms_.capacity() + neighbors_.capacity()) +
                                   8 * (first_.capacity() + rows_.capacity() + results_.capacity()));
}

} // namespace trimpot

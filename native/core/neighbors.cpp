#include "neighbors.hpp"

#include <cmath>
#include <utility>

#include "neighbors/images.hpp"
#include "neighbors/search.hpp"
#include "neighbors/vectors.hpp"

namespace trimpot {

using namespace neighbors_detail;

namespace {

NeighborList search(Surroundings atoms, std::int64_t n, double cutoff) {
  NeighborList list = std::move(atoms.list);
  list.first.resize(n + 1, 0);
  if (n == 0) return list;
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  constexpr std::int64_t few = 6000; // comparisons that cost less than sorting into bins
  if (n * n_all <= few) {
    search_all(n, cutoff, list);
  } else {
    search_space(n, cutoff, atoms.roundoff, atoms.threads, list);
  }
  return list;
}

} // namespace

NeighborList build_neighbors(std::int64_t n, const double* positions, const double* cell9,
                             const bool* pbc, double cutoff, int threads) {
  return search(surround_atoms(n, positions, cell9, pbc, cutoff, threads), n, cutoff);
}

NeighborList build_neighbors(std::int64_t n_local, std::int64_t n_all, const double* positions, double cutoff,
                             int threads) {
  return search(given_atoms(n_local, n_all, positions, cutoff, threads), n_local, cutoff);
}

void refresh_positions(std::int64_t n_all, const std::int32_t* owners,
                       const std::int32_t* shifts, const double* positions,
                       const double* cell9, double* out) {
  for (std::int64_t a = 0; a < n_all; ++a) {
    image_position(positions + 3 * static_cast<std::int64_t>(owners[a]), shifts + 3 * a, cell9,
                   out + 3 * a);
  }
}

void refresh_positions(NeighborList& list, const double* positions, const double* cell9) {
  refresh_positions(static_cast<std::int64_t>(list.owners.size()), list.owners.data(),
                    list.shifts.data(), positions, cell9, list.positions.data());
}

double largest_displacement(std::int64_t n, const double* positions,
                            const double* build_positions, const double* deformation9) {
  if (n == 0) return 0.0;
  const double* f = deformation9;
  auto moved = [&](std::int64_t i) {
    const double* x = positions + 3 * i;
    const double* y = build_positions + 3 * i;
    Vector u;
    for (int k = 0; k < 3; ++k) {
      u[k] = x[k] - (y[0] * f[k] + y[1] * f[3 + k] + y[2] * f[6 + k]);
    }
    return u;
  };
  Vector mean{};
  for (std::int64_t i = 0; i < n; ++i) {
    const Vector u = moved(i);
    for (int k = 0; k < 3; ++k) mean[k] += u[k] / static_cast<double>(n);
  }
  double largest = 0.0;
  for (std::int64_t i = 0; i < n; ++i) {
    const Vector u = moved(i);
    const Vector v = {u[0] - mean[0], u[1] - mean[1], u[2] - mean[2]};
    const double square = dot(v, v);
    // A comparison with NaN is false: a lost atom must not look like one that rests.
    if (!(square <= largest)) largest = square;
    if (std::isnan(square)) return square;
  }
  return std::sqrt(largest);
}

} // namespace trimpot

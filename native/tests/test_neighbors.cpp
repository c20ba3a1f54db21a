// The neighbour list without Python: known shells, odd cells, errors, threads, sanitizer fodder.
#include "neighbors.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

int failures = 0;

void check(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  ++failures;
}

constexpr bool periodic[3] = {true, true, true};
constexpr bool isolated[3] = {false, false, false};

void shells_of_fcc() {
  const double cell[9] = {0, 2, 2, 2, 0, 2, 2, 2, 0};
  const double x[3] = {-7.0, 0.3, 21.0};
  const auto list = trimpot::build_neighbors(1, x, cell, periodic, 6.5);
  check(list.neighbors.size() == 12 + 6 + 24 + 12 + 24, "shells of the primitive fcc cell");
  check(list.owners.size() == 79, "only neighbours are ghosts of a small cell");
}

void skewed_cell_is_reduced() {
  const double cell[9] = {3, 0, 0, 3000, 3, 0, -60000, 900, 3}; // a simple cubic lattice
  const double x[3] = {1.0, 1.0, 1.0};
  const auto list = trimpot::build_neighbors(1, x, cell, periodic, 3.1);
  check(list.neighbors.size() == 6, "six neighbours in a very skewed cubic cell");
}

std::vector<double> random_positions(std::int64_t n, double edge) {
  std::mt19937_64 engine(5);
  std::uniform_real_distribution<double> uniform(-edge, 2.0 * edge);
  std::vector<double> x(static_cast<std::size_t>(3 * n));
  for (double& value : x) value = uniform(engine);
  return x;
}

// Pairs in an orthogonal cell longer than twice the cutoff, by the nearest image.
std::int64_t count_pairs(const std::vector<double>& x, double edge, double cutoff) {
  const std::size_t n = x.size() / 3;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double square = 0.0;
      for (std::size_t k = 0; k < 3; ++k) {
        const double d = x[3 * j + k] - x[3 * i + k];
        const double nearest = d - edge * std::nearbyint(d / edge);
        square += nearest * nearest;
      }
      if (i != j && square < cutoff * cutoff) ++count;
    }
  }
  return count;
}

void bins_threads_and_refresh() {
  const double edge = 30.0, cell[9] = {edge, 0, 0, 0, edge, 0, 0, 0, edge};
  std::vector<double> x = random_positions(4500, edge);
  auto one = trimpot::build_neighbors(4500, x.data(), cell, periodic, 3.0, 1);
  const auto two = trimpot::build_neighbors(4500, x.data(), cell, periodic, 3.0, 2);
  check(one.first.back() == count_pairs(x, edge, 3.0), "pairs of random atoms");
  check(one.first == two.first && one.neighbors == two.neighbors &&
            one.positions == two.positions && one.shifts == two.shifts && one.owners == two.owners,
        "same list from two threads");
  const std::vector<double> built = one.positions;
  trimpot::refresh_positions(one, x.data(), cell);
  check(one.positions == built, "refresh gives the positions of the build to the last bit");
  const double identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  std::vector<double> moved = x;
  for (double& value : moved) value += 2.0;
  const double drift = trimpot::largest_displacement(4500, moved.data(), x.data(), identity);
  check(drift < 1e-12, "drift is no displacement");
  moved[7] = std::numeric_limits<double>::quiet_NaN();
  check(std::isnan(trimpot::largest_displacement(4500, moved.data(), x.data(), identity)),
        "a lost atom does not look at rest");
}

// Single precision cannot tell on which side of the cutoff these neighbours are.
void shells_at_the_cutoff() {
  constexpr double edge = 3.165;
  std::vector<double> x;
  for (const double offset : {0.1, 0.6})
    for (int i = 0; i < 6; ++i)
      for (int j = 0; j < 6; ++j)
        for (int k = 0; k < 6; ++k)
          for (const int cell : {i, j, k}) x.push_back(edge * (cell + offset));
  const double cell[9] = {6 * edge, 0, 0, 0, 6 * edge, 0, 0, 0, 6 * edge};
  for (const double shell : {std::sqrt(2.0), std::sqrt(2.75), std::sqrt(3.0), 2.0}) {
    const double cutoff = shell * edge;
    const auto list = trimpot::build_neighbors(432, x.data(), cell, periodic, cutoff);
    const auto n_all = static_cast<std::int64_t>(list.owners.size());
    bool same = true;
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < 432; ++i) {
      std::vector<std::int32_t> row(list.neighbors.begin() + list.first[i], list.neighbors.begin() + list.first[i + 1]);
      std::sort(row.begin(), row.end());
      std::vector<std::int32_t> expected;
      for (std::int64_t j = 0; j < n_all; ++j) {
        double d[3];
        for (int k = 0; k < 3; ++k) d[k] = list.positions[3 * j + k] - list.positions[3 * i + k];
        if (i != j && d[0] * d[0] + d[1] * d[1] + d[2] * d[2] < cutoff * cutoff)
          expected.push_back(static_cast<std::int32_t>(j));
      }
      same = same && row == expected;
      count += static_cast<std::int64_t>(row.size());
    }
    check(same && count > 0, "exact comparison of a shell at the cutoff");
  }
}

void uneven_density() {
  std::vector<double> x = random_positions(400, 5.0);
  const double cell[9] = {};
  const auto cluster = trimpot::build_neighbors(400, x.data(), cell, isolated, 3.0);
  x.insert(x.end(), {1e12, -1e6, 4.0});
  const auto escaped = trimpot::build_neighbors(401, x.data(), cell, isolated, 3.0);
  check(cluster.neighbors.size() == escaped.neighbors.size() && !cluster.neighbors.empty(),
        "an atom far away changes nothing for a cluster");
}

void refuses(const char* what, const double* cell, double x, double cutoff) {
  const double position[3] = {x, 0.0, 0.0};
  try {
    trimpot::build_neighbors(1, position, cell, periodic, cutoff);
    check(false, what);
  } catch (const std::invalid_argument&) {
  }
}

void errors() {
  const double cube[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  const double flat[9] = {1, 0, 0, 0, 1, 0, 1, 1, 0};
  const double tiny[9] = {1e-8, 0, 0, 0, 1e-8, 0, 0, 0, 1e-8};
  refuses("a flat cell", flat, 0.0, 1.0);
  refuses("a tiny cell", tiny, 0.0, 5.0);
  refuses("a cutoff of zero", cube, 0.0, 0.0);
  refuses("an infinite cutoff", cube, 0.0, std::numeric_limits<double>::infinity());
  refuses("an infinite position", cube, std::numeric_limits<double>::infinity(), 1.0);
  refuses("a position out of range", cube, 1e13, 1.0);
}

} // namespace

int main() {
  shells_of_fcc();
  skewed_cell_is_reduced();
  bins_threads_and_refresh();
  shells_at_the_cutoff();
  uneven_density();
  errors();
  return failures == 0 ? 0 : 1;
}

// Kernels without Python: forces against finite differences, rows against energies, and the
// same result from any number of threads. The Python suite holds them against the reference.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "evaluate.hpp"
#include "frames.hpp"
#include "neighbors.hpp"

using namespace trimpot;

namespace {

int failures = 0;

void check(const char* what, double error, double bound) {
  const bool passed = error <= bound; // false for NaN
  std::printf("%s %s: %.3g (bound %.3g)\n", passed ? "ok  " : "FAIL", what, error, bound);
  failures += passed ? 0 : 1;
}

std::vector<double> clamped(double lower, double upper, int intervals) {
  std::vector<double> knots(3, lower);
  for (int i = 0; i <= intervals; ++i) knots.push_back(lower + (upper - lower) * i / intervals);
  knots.insert(knots.end(), 3, upper);
  return knots;
}

// Column of each basis function: all free but the last three.
std::vector<std::int32_t> free_columns(int n_basis) {
  std::vector<std::int32_t> columns(static_cast<std::size_t>(n_basis), -1);
  for (int i = 0; i + 3 < n_basis; ++i) columns[static_cast<std::size_t>(i)] = i;
  return columns;
}

struct Sample {
  static constexpr int n_atoms = 24;
  std::vector<double> positions, cell{7.0, 0.0, 0.3, 0.5, 7.5, 0.0, 0.0, 0.4, 8.0};
  std::vector<std::int32_t> species;
  bool pbc[3] = {true, true, true};
  std::vector<TermPointer> terms;

  Sample() {
    std::mt19937 random(5);
    std::uniform_real_distribution<double> uniform(0.0, 1.0);
    for (int i = 0; i < n_atoms; ++i) {
      const int grid[3] = {i % 3, (i / 3) % 2, i / 6};
      const double scale[3] = {7.0 / 3, 7.5 / 2, 8.0 / 4};
      for (int a = 0; a < 3; ++a) positions.push_back(scale[a] * grid[a] + 0.3 * uniform(random));
      species.push_back(i % 2);
    }
    auto numbers = [&](int n) {
      std::vector<double> c(static_cast<std::size_t>(n));
      for (double& x : c) x = uniform(random) - 0.5;
      return c;
    };
    terms.push_back(kernels().one_body({{0, 1}, numbers(2), 2}));
    terms.push_back(kernels().pair_spline({2, {0, 0, 0, 0}, {clamped(0.0, 4.5, 9)},
                                           {free_columns(12)}, numbers(9), 9}));
    std::vector<std::int32_t> grid(7 * 7 * 10, -1); // [l][m][n], last three of each axis frozen
    for (int l = 0; l < 4; ++l)
      for (int m = 0; m < 4; ++m)
        for (int n = 0; n < 7; ++n) {
          const int low = l < m ? l : m, high = l < m ? m : l;
          grid[static_cast<std::size_t>((l * 7 + m) * 10 + n)] = (low * 4 + high) * 7 + n;
        }
    terms.push_back(kernels().triplet_spline({2, {0, 0, 0, 0, 0, 0, 0, 0}, {clamped(0.5, 4.0, 4)},
                                              {clamped(0.5, 4.0, 4)}, {clamped(0.5, 8.0, 7)},
                                              {grid}, numbers(112), 112}));
    terms.push_back(kernels().zbl({{14, 32}, {1.0, 1.0, 1.0, 1.0}, {2.4, 2.4, 2.4, 2.4}}));
  }

  FrameBatch batch() const {
    static const std::int64_t offsets[2] = {0, n_atoms};
    return {1, offsets, positions.data(), species.data(), cell.data(), pbc};
  }
};

struct Result {
  std::vector<double> energies = std::vector<double>(Sample::n_atoms);
  std::vector<double> forces = std::vector<double>(3 * Sample::n_atoms);
  std::vector<double> virial = std::vector<double>(9);

  double energy() const {
    double sum = 0.0;
    for (const double e : energies) sum += e;
    return sum;
  }
};

Result evaluated(const Sample& s) {
  Result r;
  evaluate_frames(s.terms, s.batch(), r.energies.data(), r.forces.data(), r.virial.data(), 1);
  return r;
}

void forces_are_the_gradient(Sample s) {
  const Result exact = evaluated(s);
  double worst = 0.0;
  for (std::size_t i = 0; i < s.positions.size(); ++i) {
    constexpr double h = 1e-4;
    const double origin = s.positions[i];
    auto at = [&](double shift) {
      s.positions[i] = origin + shift;
      return evaluated(s).energy();
    };
    const double slope = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
    s.positions[i] = origin;
    worst = std::max(worst, std::abs(exact.forces[i] + slope));
  }
  check("forces = -dE/dx, eV/A", worst, 1e-7);
}

void rows_sum_to_the_energy(const Sample& s) {
  // Energies are linear: the row of a term with one coefficient at 1 is its energy.
  const std::vector<TermPointer> pair_only = {s.terms[1]};
  std::vector<double> row(9), none(9);
  const std::int64_t first = 0, unwanted = -1;
  const double one = 1.0;
  design_rows(pair_only, s.batch(),
              {&first, &unwanted, &unwanted, &one, &one, &one, row.data(), none.data(), none.data()}, 1);
  double sum = 0.0; // partition of unity: all nine and the frozen three add up to pairs
  for (const double x : row) sum += x;
  Result unit;
  const std::vector<TermPointer> ones = {kernels().pair_spline(
      {2, {0, 0, 0, 0}, {clamped(0.0, 4.5, 9)}, {free_columns(12)}, std::vector<double>(9, 1.0), 9})};
  evaluate_frames(ones, s.batch(), unit.energies.data(), unit.forces.data(), unit.virial.data(), 1);
  check("energy row . ones = energy, eV", std::abs(sum - unit.energy()), 1e-10);
}

void threads_agree(const Sample& s) {
  const NeighborList list = build_neighbors(Sample::n_atoms, s.positions.data(), s.cell.data(), s.pbc, 4.6);
  std::vector<std::int32_t> species;
  for (const std::int32_t owner : list.owners) species.push_back(s.species[static_cast<std::size_t>(owner)]);
  const NeighborhoodView hood{Sample::n_atoms, static_cast<std::int64_t>(species.size()),
                              list.positions.data(), species.data(), list.first.data(),
                              list.neighbors.data()};
  Result one, three;
  std::vector<double> f1(list.positions.size()), f3(list.positions.size());
  evaluate(s.terms, hood, one.energies.data(), f1.data(), one.virial.data(), 1);
  evaluate(s.terms, hood, three.energies.data(), f3.data(), three.virial.data(), 3);
  double worst = std::abs(one.energy() - three.energy());
  for (std::size_t i = 0; i < f1.size(); ++i) worst = std::max(worst, std::abs(f1[i] - f3[i]));
  check("1 and 3 threads agree", worst, 1e-12);
  check("frames = neighbourhood, eV", std::abs(one.energy() - evaluated(s).energy()), 1e-11);
}

} // namespace

int main() {
  const Sample sample;
  std::printf("instruction set %s\n", kernels().name.c_str());
  forces_are_the_gradient(sample);
  rows_sum_to_the_energy(sample);
  threads_agree(sample);
  return failures == 0 ? 0 : 1;
}

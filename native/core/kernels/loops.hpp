// Loops over central atoms: gather an environment once, hand it to every term.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "../kernels.hpp"

namespace trimpot::TRIMPOT_ISA {

// Storage behind an Environment and its Gradient.
class Gatherer {
 public:
  Gatherer(const std::vector<TermPointer>& terms, const NeighborhoodView& hood) : hood_(hood) {
    for (const auto& term : terms) cutoff_ = std::max(cutoff_, term->cutoff());
    std::int64_t most = 1;
    for (std::int64_t i = 0; i < hood.n_local; ++i)
      most = std::max(most, hood.first[i + 1] - hood.first[i]);
    numbers_.resize(7 * static_cast<std::size_t>(most));
    indices_.resize(2 * static_cast<std::size_t>(most));
    for (int a = 0; a < 7; ++a) column_[a] = numbers_.data() + a * most;
    species_ = indices_.data();
    neighbor_ = indices_.data() + most;
  }

  Environment gather(std::int64_t i) {
    const double* p = hood_.positions;
    const double px = p[3 * i], py = p[3 * i + 1], pz = p[3 * i + 2];
    const double square_cutoff = cutoff_ * cutoff_;
    int count = 0;
    for (std::int64_t s = hood_.first[i]; s < hood_.first[i + 1]; ++s) {
      const std::int32_t j = hood_.neighbors[s];
      const double dx = p[3 * j] - px, dy = p[3 * j + 1] - py, dz = p[3 * j + 2] - pz;
      const double square = dx * dx + dy * dy + dz * dz;
      column_[0][count] = dx;
      column_[1][count] = dy;
      column_[2][count] = dz;
      column_[3][count] = square;
      species_[count] = hood_.species[j];
      neighbor_[count] = j;
      count += square < square_cutoff ? 1 : 0; // keeps the slot only inside the cutoff
    }
    for (int j = 0; j < count; ++j) column_[3][j] = std::sqrt(column_[3][j]);
    return {static_cast<int>(i), hood_.species[i], count,
            column_[0], column_[1], column_[2], column_[3], species_, neighbor_};
  }

  Gradient cleared_gradient(int count) {
    for (int a = 4; a < 7; ++a) std::fill(column_[a], column_[a] + count, 0.0);
    return {column_[4], column_[5], column_[6]};
  }

 private:
  NeighborhoodView hood_;
  double cutoff_ = 0.0;
  std::vector<double> numbers_;
  std::vector<int> indices_;
  double* column_[7];
  int* species_;
  int* neighbor_;
};

inline void evaluate(const std::vector<TermPointer>& terms, const NeighborhoodView& hood,
                     std::int64_t begin, std::int64_t end, double* energies, double* forces,
                     double* virial) {
  Gatherer gatherer(terms, hood);
  double w[6] = {}; // xx yy zz yz xz xy of dE/d(strain)
  for (std::int64_t i = begin; i < end; ++i) {
    const Environment env = gatherer.gather(i);
    const Gradient g = gatherer.cleared_gradient(env.count);
    double energy = 0.0;
    for (const auto& term : terms) energy += term->evaluate(env, g);
    energies[i] = energy;
    double fx = 0.0, fy = 0.0, fz = 0.0;
    for (int j = 0; j < env.count; ++j) {
      double* f = forces + 3 * static_cast<std::int64_t>(env.neighbor[j]);
      f[0] -= g.x[j];
      f[1] -= g.y[j];
      f[2] -= g.z[j];
      fx += g.x[j];
      fy += g.y[j];
      fz += g.z[j];
      w[0] += env.x[j] * g.x[j];
      w[1] += env.y[j] * g.y[j];
      w[2] += env.z[j] * g.z[j];
      w[3] += env.y[j] * g.z[j];
      w[4] += env.x[j] * g.z[j];
      w[5] += env.x[j] * g.y[j];
    }
    forces[3 * i] += fx;
    forces[3 * i + 1] += fy;
    forces[3 * i + 2] += fz;
  }
  static constexpr int voigt[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
  for (int a = 0; a < 9; ++a) virial[a] -= w[voigt[a]];
}

inline void rows(const std::vector<TermPointer>& terms, const NeighborhoodView& hood, RowSink sink) {
  Gatherer gatherer(terms, hood);
  for (std::int64_t i = 0; i < hood.n_local; ++i) {
    const Environment env = gatherer.gather(i);
    sink.column_offset = 0;
    for (const auto& term : terms) {
      term->rows(env, sink);
      sink.column_offset += term->n_columns();
    }
  }
}

} // namespace trimpot::TRIMPOT_ISA

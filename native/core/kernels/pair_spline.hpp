// Pair term: E_i = sum_j V2(r_ij), V2 a cubic spline (Xie, Rupp, Hennig 2023, eq. 3).
#pragma once

#include <vector>

#include "../specs.hpp"
#include "../term.hpp"
#include "basis.hpp"

namespace trimpot::TRIMPOT_ISA {

class PairSpline final : public Term {
 public:
  explicit PairSpline(PairSplineSpec spec) : spec_(std::move(spec)) {
    for (std::size_t t = 0; t < spec_.knots.size(); ++t) {
      bases_.emplace_back(spec_.knots[t]);
      cutoff_ = std::max(cutoff_, bases_.back().upper());
      if (has_coefficients()) curves_.push_back(contract(t));
    }
  }

  double cutoff() const override { return cutoff_; }
  int n_columns() const override { return spec_.n_columns; }
  bool has_coefficients() const override { return !spec_.coefficients.empty(); }

  double evaluate(const Environment& env, Gradient g) const override {
    // Local restricted pointers: stores to the gradient do not make the compiler reload.
    const double *__restrict x = env.x, *__restrict y = env.y, *__restrict z = env.z;
    const double* __restrict r = env.r;
    double *__restrict gx = g.x, *__restrict gy = g.y, *__restrict gz = g.z;
    const std::int32_t* table_of = spec_.table.data() + env.species * spec_.n_species;
    double energy = 0.0;
    for (int j = 0; j < env.count; ++j) {
      const int t = table_of[env.neighbor_species[j]];
      if (t < 0) continue;
      const CubicBasis& basis = bases_[static_cast<std::size_t>(t)];
      if (r[j] >= basis.upper() || r[j] < basis.lower()) continue;
      const int m = basis.locate(r[j]);
      const double* a = curves_[static_cast<std::size_t>(t)].data() + 4 * m;
      const double d = r[j] - basis.start(m);
      energy += ((a[3] * d + a[2]) * d + a[1]) * d + a[0];
      const double slope = (3.0 * a[3] * d + 2.0 * a[2]) * d + a[1];
      const double scale = r[j] > 0.0 ? slope / r[j] : 0.0; // coincident atoms: no direction
      gx[j] += scale * x[j];
      gy[j] += scale * y[j];
      gz[j] += scale * z[j];
    }
    return energy;
  }

  void rows(const Environment& env, const RowSink& sink) const override {
    for (int j = 0; j < env.count; ++j) {
      const int t = table(env, j);
      if (t < 0) continue;
      const CubicBasis& basis = bases_[static_cast<std::size_t>(t)];
      const double r = env.r[j];
      if (r >= basis.upper() || r < basis.lower() || r == 0.0) continue;
      const int m = basis.locate(r);
      const BasisValues b = basis_at(basis, m, r);
      const std::int32_t* columns = spec_.columns[static_cast<std::size_t>(t)].data() + m;
      for (int q = 0; q < 4; ++q)
        if (columns[q] >= 0) add_row(env, sink, j, columns[q], b.value[q], b.slope[q] / r);
    }
  }

 private:
  int table(const Environment& env, int j) const {
    return spec_.table[static_cast<std::size_t>(
        env.species * spec_.n_species + env.neighbor_species[j])];
  }

  // Polynomial of the whole curve per interval: sum of its four basis functions.
  std::vector<double> contract(std::size_t t) const {
    const CubicBasis& basis = bases_[t];
    std::vector<double> curve(4 * static_cast<std::size_t>(basis.n_intervals()), 0.0);
    for (int m = 0; m < basis.n_intervals(); ++m)
      for (int q = 0; q < 4; ++q) {
        const int column = spec_.columns[t][static_cast<std::size_t>(m + q)];
        if (column < 0) continue;
        for (int p = 0; p < 4; ++p)
          curve[static_cast<std::size_t>(4 * m + p)] +=
              spec_.coefficients[static_cast<std::size_t>(column)] * basis.powers(m)[4 * p + q];
      }
    return curve;
  }

  static void add_row(const Environment& env, const RowSink& sink, int j, int column,
                      double value, double scale) {
    const double d[3] = {env.x[j], env.y[j], env.z[j]};
    if (sink.energy) sink.energy[sink.column_offset + column] += value;
    if (sink.forces) {
      for (int axis = 0; axis < 3; ++axis) {
        sink.force_row(env.neighbor[j], axis)[column] -= scale * d[axis];
        sink.force_row(env.center, axis)[column] += scale * d[axis];
      }
    }
    if (sink.strain) {
      double* s = sink.strain + sink.column_offset + column;
      const std::int64_t n = sink.n_columns;
      s[0] += scale * d[0] * d[0];
      s[n] += scale * d[1] * d[1];
      s[2 * n] += scale * d[2] * d[2];
      s[3 * n] += scale * d[1] * d[2];
      s[4 * n] += scale * d[0] * d[2];
      s[5 * n] += scale * d[0] * d[1];
    }
  }

  PairSplineSpec spec_;
  std::vector<CubicBasis> bases_;
  std::vector<std::vector<double>> curves_;
  double cutoff_ = 0.0;
};

} // namespace trimpot::TRIMPOT_ISA

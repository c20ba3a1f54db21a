// Triplet term: E_i = sum_{j<k} V3(r_ij, r_ik, r_jk), a tensor product of cubic B-splines
// (Xie, Rupp, Hennig 2023, eq. 4). Each pair of neighbours is visited once per centre.
//
// Evaluation is in triplet_sweep.hpp; this file holds the term and its design rows.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "../specs.hpp"
#include "../term.hpp"
#include "basis.hpp"
#include "triplet_sweep.hpp"

namespace trimpot::TRIMPOT_ISA {

class TripletSpline final : public Term {
 public:
  explicit TripletSpline(TripletSplineSpec spec) : spec_(std::move(spec)) {
    for (std::size_t t = 0; t < spec_.knots_ij.size(); ++t) {
      Trio trio{CubicBasis(spec_.knots_ij[t]), CubicBasis(spec_.knots_ik[t]), CubicBasis(spec_.knots_jk[t]), {}};
      cutoff_ = std::max({cutoff_, trio.ij.upper(), trio.ik.upper()});
      if (has_coefficients()) {
        trio.grid.assign(spec_.columns[t].size(), 0.0);
        for (std::size_t g = 0; g < trio.grid.size(); ++g)
          if (spec_.columns[t][g] >= 0)
            trio.grid[g] = spec_.coefficients[static_cast<std::size_t>(spec_.columns[t][g])];
      }
      exact_.push_back({Basis<double>(trio.ij), Basis<double>(trio.ik), Basis<double>(trio.jk)});
      trios_.push_back(std::move(trio));
    }
    if (!has_coefficients()) return;
    for (int center = 0; center < spec_.n_species; ++center) {
      single_.emplace_back();
      double_.emplace_back();
      for (const auto& trios : sweeps_of(center)) {
        single_.back().emplace_back(spec_.n_species, trios, trios_, single_tables_);
        double_.back().emplace_back(spec_.n_species, trios, trios_, double_tables_);
      }
    }
  }

  double cutoff() const override { return cutoff_; }
  int n_columns() const override { return spec_.n_columns; }
  bool has_coefficients() const override { return !spec_.coefficients.empty(); }
  bool takes_weights() const override { return true; }

  double evaluate(const Environment<double>& env, Gradient<double> g) const override { return add(env, g, double_); }
  double evaluate(const Environment<float>& env, Gradient<float> g) const override { return add(env, g, single_); }

  void rows(const Environment<double>& env, const RowSink& sink) const override {
    std::vector<Leg> js, ks;
    for_each_trio(env.species, [&](int b, int c, std::size_t t) {
      collect(env, b, trios_[t].ij, exact_[t].ij, js);
      if (b != c) collect(env, c, trios_[t].ik, exact_[t].ik, ks);
      const auto& second = b == c ? js : ks;
      for (std::size_t j = 0; j < js.size(); ++j)
        for (std::size_t k = b == c ? j + 1 : 0; k < second.size(); ++k)
          add_rows(env, sink, t, js[j], second[k]);
    });
  }

 private:
  // The three bases of a trio.
  struct Bases {
    Basis<double> ij, ik, jk;
  };

  // A neighbour as one leg of a triplet.
  struct Leg {
    int neighbor; // index into the environment
    int interval;
    double x, y, z, inverse;
    BasisValues<double> basis;
    double weight;
  };

  // Calls visit(b, c, index) for each pair of neighbour species b <= c that has a spline.
  template <class Visit>
  void for_each_trio(int center, Visit&& visit) const {
    const int n = spec_.n_species;
    for (int b = 0; b < n; ++b)
      for (int c = b; c < n; ++c) {
        const int t = spec_.table[static_cast<std::size_t>((center * n + b) * n + c)];
        if (t >= 0) visit(b, c, static_cast<std::size_t>(t));
      }
  }

  // The trios of one centre, in as few tables [b][c] as give the legs of a species the same knots in
  // all trios of a table: mostly one.
  std::vector<std::vector<int>> sweeps_of(int center) const {
    const int n = spec_.n_species;
    std::vector<std::vector<int>> sweeps;
    std::vector<std::vector<const std::vector<double>*>> legs; // knots, by sweep and species
    for_each_trio(center, [&](int b, int c, std::size_t t) {
      const auto *of_b = &spec_.knots_ij[t], *of_c = b == c ? of_b : &spec_.knots_ik[t];
      auto fits = [](const std::vector<double>* known, const std::vector<double>* knots) {
        return known == nullptr || *known == *knots;
      };
      std::size_t s = 0;
      while (s < sweeps.size() && !(fits(legs[s][static_cast<std::size_t>(b)], of_b) && fits(legs[s][static_cast<std::size_t>(c)], of_c))) ++s;
      if (s == sweeps.size()) {
        sweeps.emplace_back(n * n, -1);
        legs.emplace_back(n, nullptr);
      }
      sweeps[s][static_cast<std::size_t>(b * n + c)] = static_cast<int>(t);
      legs[s][static_cast<std::size_t>(b)] = of_b;
      legs[s][static_cast<std::size_t>(c)] = of_c;
    });
    return sweeps;
  }

  template <class Real>
  double add(const Environment<Real>& env, Gradient<Real> g,
             const std::vector<std::vector<TripletSweep<Real>>>& sweeps) const {
    double energy = 0.0;
    for (const auto& sweep : sweeps[static_cast<std::size_t>(env.species)]) {
      const Arena::Scope scope(*env.arena);
      energy += sweep.evaluate(env, g);
    }
    return energy;
  }

  static void collect(const Environment<double>& env, int species, const CubicBasis& basis,
                      const Basis<double>& exact, std::vector<Leg>& legs) {
    legs.clear();
    for (int j = 0; j < env.count; ++j) {
      const double r = env.r[j];
      if (env.neighbor_species[j] != species || r >= basis.upper() || r < basis.lower() || r == 0.0)
        continue;
      const int m = basis.locate(r);
      legs.push_back({j, m, env.x[j], env.y[j], env.z[j], 1.0 / r, exact.at(m, r - basis.start(m)),
                      env.weight ? env.weight[j] : 1.0});
    }
  }

  // Destination rows of one triplet and its geometry.
  struct TripletRows {
    double* energy;
    double* on_j[3];
    double* on_k[3];
    double* on_i[3];
    double* strain;
    double *weight_of_j, *weight_of_k; // rows of dE/dweight
    double wj, wk;                     // the weights
    std::int64_t n_columns;
    double uj[3], uk[3], w[3]; // d_j / r_ij, d_k / r_ik, (d_k - d_j) / r_jk
    double strain_j[6], strain_k[6], strain_w[6];

    // Basis value v and its derivatives along r_ij, r_ik, r_jk go to one column.
    void add(int column, double v, double gj, double gk, double gw) const {
      if (weight_of_j) {
        weight_of_j[column] += v * wk;
        weight_of_k[column] += v * wj;
      }
      const double weight = wj * wk;
      v *= weight, gj *= weight, gk *= weight, gw *= weight;
      if (energy) energy[column] += v;
      if (on_i[0]) {
        for (int a = 0; a < 3; ++a) {
          const double fj = gj * uj[a] - gw * w[a], fk = gk * uk[a] + gw * w[a];
          on_j[a][column] -= fj;
          on_k[a][column] -= fk;
          on_i[a][column] += fj + fk;
        }
      }
      if (strain)
        for (int a = 0; a < 6; ++a)
          strain[a * n_columns + column] += gj * strain_j[a] + gk * strain_k[a] + gw * strain_w[a];
    }
  };

  static void outer(const double* d, const double* u, double* s) {
    s[0] = d[0] * u[0];
    s[1] = d[1] * u[1];
    s[2] = d[2] * u[2];
    s[3] = d[1] * u[2];
    s[4] = d[0] * u[2];
    s[5] = d[0] * u[1];
  }

  static TripletRows destinations(const Environment<double>& env, const RowSink& sink, const Leg& j, const Leg& k,
                                  const double* dw, double r) {
    TripletRows out{};
    out.n_columns = sink.n_columns;
    out.wj = j.weight;
    out.wk = k.weight;
    if (sink.weights) {
      out.weight_of_j = sink.weight_row(j.neighbor);
      out.weight_of_k = sink.weight_row(k.neighbor);
    }
    out.energy = sink.energy ? sink.energy + sink.column_offset : nullptr;
    out.strain = sink.strain ? sink.strain + sink.column_offset : nullptr;
    const double dj[3] = {j.x, j.y, j.z}, dk[3] = {k.x, k.y, k.z};
    for (int a = 0; a < 3; ++a) {
      out.uj[a] = dj[a] * j.inverse;
      out.uk[a] = dk[a] * k.inverse;
      out.w[a] = dw[a] / r;
      if (!sink.forces) continue;
      out.on_j[a] = sink.force_row(env.neighbor[j.neighbor], a);
      out.on_k[a] = sink.force_row(env.neighbor[k.neighbor], a);
      out.on_i[a] = sink.force_row(env.center, a);
    }
    outer(dj, out.uj, out.strain_j);
    outer(dk, out.uk, out.strain_k);
    outer(dw, out.w, out.strain_w);
    return out;
  }

  // The third side of a triplet.
  struct Side {
    int interval;
    BasisValues<double> basis;
  };

  static void add_values(const Trio& trio, const std::int32_t* columns, const Leg& j, const Leg& k, const Side& side,
                         double* energy) {
    const double weight = j.weight * k.weight;
    for (int l = 0; l < 4; ++l)
      for (int m = 0; m < 4; ++m) {
        const std::int32_t* column = columns + trio.corner(j.interval + l, k.interval + m, side.interval);
        const double v = weight * j.basis.value[l] * k.basis.value[m];
        for (int q = 0; q < 4; ++q)
          if (column[q] >= 0) energy[column[q]] += v * side.basis.value[q];
      }
  }

  void add_rows(const Environment<double>& env, const RowSink& sink, std::size_t t, const Leg& j, const Leg& k) const {
    const Trio& trio = trios_[t];
    const std::vector<std::int32_t>& columns = spec_.columns[t];
    const double dw[3] = {k.x - j.x, k.y - j.y, k.z - j.z};
    const double r = std::sqrt(dw[0] * dw[0] + dw[1] * dw[1] + dw[2] * dw[2]);
    if (r >= trio.jk.upper() || r < trio.jk.lower() || r == 0.0) return;
    const int n = trio.jk.locate(r);
    const BasisValues<double> bn = exact_[t].jk.at(n, r - trio.jk.start(n));
    if (!sink.wants_gradients()) return add_values(trio, columns.data(), j, k, {n, bn}, sink.energy + sink.column_offset);
    const TripletRows out = destinations(env, sink, j, k, dw, r);
    for (int l = 0; l < 4; ++l)
      for (int m = 0; m < 4; ++m) {
        const std::int32_t* column = columns.data() + trio.corner(j.interval + l, k.interval + m, n);
        const double v = j.basis.value[l] * k.basis.value[m];
        const double gj = j.basis.slope[l] * k.basis.value[m];
        const double gk = j.basis.value[l] * k.basis.slope[m];
        for (int q = 0; q < 4; ++q)
          if (column[q] >= 0)
            out.add(column[q], v * bn.value[q], gj * bn.value[q], gk * bn.value[q], v * bn.slope[q]);
      }
  }

  TripletSplineSpec spec_;
  std::vector<Trio> trios_;
  std::vector<Bases> exact_;
  TripletTables<float> single_tables_;
  TripletTables<double> double_tables_;
  std::vector<std::vector<TripletSweep<float>>> single_; // by centre
  std::vector<std::vector<TripletSweep<double>>> double_;
  double cutoff_ = 0.0;
};

} // namespace trimpot::TRIMPOT_ISA

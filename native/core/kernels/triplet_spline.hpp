// Triplet term: E_i = sum_{j<k} V3(r_ij, r_ik, r_jk), a tensor product of cubic B-splines
// (Xie, Rupp, Hennig 2023, eq. 4). Each pair of neighbours is visited once per centre.
//
// Per neighbour: interval and basis values along its leg, once. Per triplet: r_jk, its
// basis, and one pass over the 4 x 4 x 4 block of coefficients that gives the energy and
// its three derivatives, four coefficients (along r_jk) at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "../specs.hpp"
#include "../term.hpp"
#include "basis.hpp"

namespace trimpot::TRIMPOT_ISA {

// One kind of triplet: centre and neighbour species fixed.
struct TripletTable {
  CubicBasis ij, ik, jk;
  std::vector<double> grid; // coefficients [l][m][n]; empty: rows only
  bool symmetric = false;   // both neighbours of one species: V3(r, s, t) = V3(s, r, t)

  int n_ik() const { return ik.n_basis(); }
  int n_jk() const { return jk.n_basis(); }
  std::size_t corner(int l, int m, int n) const {
    return (static_cast<std::size_t>(l) * static_cast<std::size_t>(n_ik()) +
            static_cast<std::size_t>(m)) * static_cast<std::size_t>(n_jk()) +
           static_cast<std::size_t>(n);
  }
};

// A neighbour as one leg of a triplet.
struct Leg {
  int neighbor; // index into the environment
  int interval;
  double x, y, z, r;
  BasisValues basis;
};

class TripletSpline final : public Term {
 public:
  explicit TripletSpline(TripletSplineSpec spec) : spec_(std::move(spec)) {
    for (std::size_t t = 0; t < spec_.knots_ij.size(); ++t) {
      TripletTable table{CubicBasis(spec_.knots_ij[t]), CubicBasis(spec_.knots_ik[t]),
                         CubicBasis(spec_.knots_jk[t]), {}, false};
      cutoff_ = std::max({cutoff_, table.ij.upper(), table.ik.upper()});
      if (has_coefficients()) {
        table.grid.assign(spec_.columns[t].size(), 0.0);
        for (std::size_t g = 0; g < table.grid.size(); ++g)
          if (spec_.columns[t][g] >= 0)
            table.grid[g] = spec_.coefficients[static_cast<std::size_t>(spec_.columns[t][g])];
      }
      tables_.push_back(std::move(table));
    }
  }

  double cutoff() const override { return cutoff_; }
  int n_columns() const override { return spec_.n_columns; }
  bool has_coefficients() const override { return !spec_.coefficients.empty(); }

  double evaluate(const Environment& env, Gradient g) const override {
    double energy = 0.0;
    for_each_kind(env, [&](const TripletTable& table, std::size_t, const std::vector<Leg>& js,
                           const std::vector<Leg>& ks, bool same) {
      energy += evaluate_kind(table, js, ks, same, g);
    });
    return energy;
  }

  void rows(const Environment& env, const RowSink& sink) const override {
    for_each_kind(env, [&](const TripletTable& table, std::size_t t, const std::vector<Leg>& js,
                           const std::vector<Leg>& ks, bool same) {
      for (std::size_t a = 0; a < js.size(); ++a)
        for (std::size_t b = same ? a + 1 : 0; b < ks.size(); ++b)
          add_rows(env, sink, table, spec_.columns[t], js[a], ks[b]);
    });
  }

 private:
  // Calls visit(table, index, legs j, legs k, same) for each pair of neighbour species.
  template <class Visit>
  void for_each_kind(const Environment& env, Visit&& visit) const {
    thread_local std::vector<Leg> js, ks;
    const int n = spec_.n_species;
    for (int b = 0; b < n; ++b)
      for (int c = b; c < n; ++c) {
        const int t = spec_.table[static_cast<std::size_t>((env.species * n + b) * n + c)];
        if (t < 0) continue;
        const TripletTable& table = tables_[static_cast<std::size_t>(t)];
        collect(env, b, table.ij, js);
        if (b == c) {
          visit(table, static_cast<std::size_t>(t), js, js, true);
        } else {
          collect(env, c, table.ik, ks);
          visit(table, static_cast<std::size_t>(t), js, ks, false);
        }
      }
  }

  static void collect(const Environment& env, int species, const CubicBasis& basis,
                      std::vector<Leg>& legs) {
    legs.clear();
    for (int j = 0; j < env.count; ++j) {
      const double r = env.r[j];
      if (env.neighbor_species[j] != species || r >= basis.upper() || r < basis.lower() || r == 0.0)
        continue;
      const int m = basis.locate(r);
      legs.push_back({j, m, env.x[j], env.y[j], env.z[j], r, basis_at(basis, m, r)});
    }
  }

  static double evaluate_kind(const TripletTable& table, const std::vector<Leg>& js,
                              const std::vector<Leg>& ks, bool same, Gradient g) {
    const double lower = table.jk.lower() * table.jk.lower();
    const double upper = table.jk.upper() * table.jk.upper();
    const std::size_t stride_m = static_cast<std::size_t>(table.n_jk());
    const std::size_t stride_l = stride_m * static_cast<std::size_t>(table.n_ik());
    double energy = 0.0;
    for (std::size_t a = 0; a < js.size(); ++a) {
      const Leg& j = js[a];
      double radial_j = 0.0, gx = 0.0, gy = 0.0, gz = 0.0;
      for (std::size_t b = same ? a + 1 : 0; b < ks.size(); ++b) {
        const Leg& k = ks[b];
        const double dx = k.x - j.x, dy = k.y - j.y, dz = k.z - j.z;
        const double square = dx * dx + dy * dy + dz * dz;
        if (square >= upper || square < lower || square == 0.0) continue;
        const double r = std::sqrt(square);
        const int n = table.jk.locate(r);
        const BasisValues bn = basis_at(table.jk, n, r);
        const double* corner = table.grid.data() + table.corner(j.interval, k.interval, n);

        v4 e{}, dl{}, dm{};
        for (int l = 0; l < 4; ++l) {
          const double* c = corner + static_cast<std::size_t>(l) * stride_l;
          const v4 c0 = load(c), c1 = load(c + stride_m), c2 = load(c + 2 * stride_m),
                   c3 = load(c + 3 * stride_m);
          const v4 value = k.basis.value[0] * c0 + k.basis.value[1] * c1 +
                           k.basis.value[2] * c2 + k.basis.value[3] * c3;
          const v4 slope = k.basis.slope[0] * c0 + k.basis.slope[1] * c1 +
                           k.basis.slope[2] * c2 + k.basis.slope[3] * c3;
          e += j.basis.value[l] * value;
          dl += j.basis.slope[l] * value;
          dm += j.basis.value[l] * slope;
        }
        const v4 s = sums(e * bn.value, dl * bn.value, dm * bn.value, e * bn.slope);
        energy += s[0];
        radial_j += s[1];
        const double radial_k = s[2] / k.r, along = s[3] / r;
        gx -= along * dx;
        gy -= along * dy;
        gz -= along * dz;
        g.x[k.neighbor] += radial_k * k.x + along * dx;
        g.y[k.neighbor] += radial_k * k.y + along * dy;
        g.z[k.neighbor] += radial_k * k.z + along * dz;
      }
      radial_j /= j.r;
      g.x[j.neighbor] += radial_j * j.x + gx;
      g.y[j.neighbor] += radial_j * j.y + gy;
      g.z[j.neighbor] += radial_j * j.z + gz;
    }
    return energy;
  }

  // Destination rows of one triplet and its geometry.
  struct TripletRows {
    double* energy;
    double* on_j[3];
    double* on_k[3];
    double* on_i[3];
    double* strain;
    std::int64_t n_columns;
    double uj[3], uk[3], w[3]; // d_j / r_ij, d_k / r_ik, (d_k - d_j) / r_jk
    double strain_j[6], strain_k[6], strain_w[6];

    // Basis value v and its derivatives along r_ij, r_ik, r_jk go to one column.
    void add(int column, double v, double gj, double gk, double gw) const {
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

  static TripletRows destinations(const Environment& env, const RowSink& sink, const Leg& j,
                                  const Leg& k, const double* dw, double r) {
    TripletRows out{};
    out.n_columns = sink.n_columns;
    out.energy = sink.energy ? sink.energy + sink.column_offset : nullptr;
    out.strain = sink.strain ? sink.strain + sink.column_offset : nullptr;
    const double dj[3] = {j.x, j.y, j.z}, dk[3] = {k.x, k.y, k.z};
    for (int a = 0; a < 3; ++a) {
      out.uj[a] = dj[a] / j.r;
      out.uk[a] = dk[a] / k.r;
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

  static void add_rows(const Environment& env, const RowSink& sink, const TripletTable& table,
                       const std::vector<std::int32_t>& columns, const Leg& j, const Leg& k) {
    const double dw[3] = {k.x - j.x, k.y - j.y, k.z - j.z};
    const double r = std::sqrt(dw[0] * dw[0] + dw[1] * dw[1] + dw[2] * dw[2]);
    if (r >= table.jk.upper() || r < table.jk.lower() || r == 0.0) return;
    const int n = table.jk.locate(r);
    const BasisValues bn = basis_at(table.jk, n, r);
    const TripletRows out = destinations(env, sink, j, k, dw, r);
    for (int l = 0; l < 4; ++l)
      for (int m = 0; m < 4; ++m) {
        const std::int32_t* column = columns.data() + table.corner(j.interval + l, k.interval + m, n);
        const double v = j.basis.value[l] * k.basis.value[m];
        const double gj = j.basis.slope[l] * k.basis.value[m];
        const double gk = j.basis.value[l] * k.basis.slope[m];
        for (int q = 0; q < 4; ++q)
          if (column[q] >= 0)
            out.add(column[q], v * bn.value[q], gj * bn.value[q], gk * bn.value[q], v * bn.slope[q]);
      }
  }

  TripletSplineSpec spec_;
  std::vector<TripletTable> tables_;
  double cutoff_ = 0.0;
};

} // namespace trimpot::TRIMPOT_ISA

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
  double x, y, z, inverse;
  BasisValues basis;
};

// Neighbours of one species within a leg's cutoff, with separate coordinates for the loop
// over r_jk, and the sum of dE/dr of each leg.
struct Legs {
  std::vector<Leg> leg;
  std::vector<double> x, y, z, radial;

  void clear() {
    leg.clear();
    x.clear();
    y.clear();
    z.clear();
  }
  std::size_t size() const { return leg.size(); }
};

// Third sides of the triangles of one leg j with all legs k.
struct ThirdSides {
  std::vector<double> x, y, z, square, r, inverse;

  void resize(std::size_t n) {
    for (auto* a : {&x, &y, &z, &square, &r, &inverse})
      if (a->size() < n) a->resize(n);
  }
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
    for_each_kind(env, [&](const TripletTable& table, std::size_t, Legs& js, Legs& ks, bool same) {
      energy += evaluate_kind(table, js, ks, same, g);
    });
    return energy;
  }

  void rows(const Environment& env, const RowSink& sink) const override {
    for_each_kind(env, [&](const TripletTable& table, std::size_t t, Legs& js, Legs& ks, bool same) {
      for (std::size_t a = 0; a < js.size(); ++a)
        for (std::size_t b = same ? a + 1 : 0; b < ks.size(); ++b)
          add_rows(env, sink, table, spec_.columns[t], js.leg[a], ks.leg[b]);
    });
  }

 private:
  // Calls visit(table, index, legs j, legs k, same) for each pair of neighbour species.
  template <class Visit>
  void for_each_kind(const Environment& env, Visit&& visit) const {
    thread_local Legs js, ks;
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

  static void collect(const Environment& env, int species, const CubicBasis& basis, Legs& legs) {
    legs.clear();
    for (int j = 0; j < env.count; ++j) {
      const double r = env.r[j];
      if (env.neighbor_species[j] != species || r >= basis.upper() || r < basis.lower() || r == 0.0)
        continue;
      const int m = basis.locate(r);
      legs.leg.push_back({j, m, env.x[j], env.y[j], env.z[j], 1.0 / r, basis_at(basis, m, r)});
      legs.x.push_back(env.x[j]);
      legs.y.push_back(env.y[j]);
      legs.z.push_back(env.z[j]);
    }
    legs.radial.assign(legs.size(), 0.0);
  }

  // Sides d_k - d_j for k = first .. : plain loops that vectorise.
  static void third_sides(const Leg& j, const Legs& ks, std::size_t first, ThirdSides& side) {
    const std::size_t n = ks.size();
    const double *kx = ks.x.data(), *ky = ks.y.data(), *kz = ks.z.data();
    double *x = side.x.data(), *y = side.y.data(), *z = side.z.data();
    double *square = side.square.data(), *r = side.r.data(), *inverse = side.inverse.data();
    for (std::size_t b = first; b < n; ++b) {
      x[b] = kx[b] - j.x;
      y[b] = ky[b] - j.y;
      z[b] = kz[b] - j.z;
      square[b] = x[b] * x[b] + y[b] * y[b] + z[b] * z[b];
    }
    for (std::size_t b = first; b < n; ++b) {
      r[b] = std::sqrt(square[b]);
      inverse[b] = 1.0 / r[b];
    }
  }

  static double evaluate_kind(const TripletTable& table, Legs& js, Legs& ks, bool same, Gradient g) {
    thread_local ThirdSides side;
    side.resize(ks.size());
    const double lower = table.jk.lower(), upper = table.jk.upper();
    const std::size_t stride_m = static_cast<std::size_t>(table.n_jk());
    const std::size_t stride_l = stride_m * static_cast<std::size_t>(table.n_ik());
    double energy = 0.0;
    for (std::size_t a = 0; a < js.size(); ++a) {
      const Leg& j = js.leg[a];
      const std::size_t first = same ? a + 1 : 0;
      third_sides(j, ks, first, side);
      double radial = 0.0, gx = 0.0, gy = 0.0, gz = 0.0;
      for (std::size_t b = first; b < ks.size(); ++b) {
        const double r = side.r[b];
        if (r >= upper || r < lower || r == 0.0) continue;
        const Leg& k = ks.leg[b];
        const int n = table.jk.locate(r);
        const v4 s = contract(table.grid.data() + table.corner(j.interval, k.interval, n), stride_l,
                              stride_m, j.basis, k.basis, basis_at(table.jk, n, r));
        energy += s[0];
        radial += s[1];
        ks.radial[b] += s[2];
        const double along = s[3] * side.inverse[b];
        const double wx = along * side.x[b], wy = along * side.y[b], wz = along * side.z[b];
        gx += wx;
        gy += wy;
        gz += wz;
        g.x[k.neighbor] += wx;
        g.y[k.neighbor] += wy;
        g.z[k.neighbor] += wz;
      }
      js.radial[a] += radial;
      g.x[j.neighbor] -= gx;
      g.y[j.neighbor] -= gy;
      g.z[j.neighbor] -= gz;
    }
    add_radial(js, g);
    if (!same) add_radial(ks, g);
    return energy;
  }

  static void add_radial(const Legs& legs, Gradient g) {
    for (std::size_t a = 0; a < legs.size(); ++a) {
      const Leg& leg = legs.leg[a];
      const double scale = legs.radial[a] * leg.inverse;
      g.x[leg.neighbor] += scale * leg.x;
      g.y[leg.neighbor] += scale * leg.y;
      g.z[leg.neighbor] += scale * leg.z;
    }
  }

  // V3 and its derivatives along r_ij, r_ik, r_jk from the block of coefficients at corner.
  static v4 contract(const double* corner, std::size_t stride_l, std::size_t stride_m,
                     const BasisValues& l, const BasisValues& m, const BasisValues& n) {
    v4 e{}, dl{}, dm{};
    for (int q = 0; q < 4; ++q) {
      const double* c = corner + static_cast<std::size_t>(q) * stride_l;
      const v4 c0 = load(c), c1 = load(c + stride_m), c2 = load(c + 2 * stride_m),
               c3 = load(c + 3 * stride_m);
      const v4 value = m.value[0] * c0 + m.value[1] * c1 + m.value[2] * c2 + m.value[3] * c3;
      const v4 slope = m.slope[0] * c0 + m.slope[1] * c1 + m.slope[2] * c2 + m.slope[3] * c3;
      e += l.value[q] * value;
      dl += l.slope[q] * value;
      dm += l.value[q] * slope;
    }
    return sums(e * n.value, dl * n.value, dm * n.value, e * n.slope);
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

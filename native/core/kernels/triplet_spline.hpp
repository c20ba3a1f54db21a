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

// Neighbours of one species within a leg's cutoff. Coordinates and gradients are separate
// arrays: loops over them vectorise. The four lanes of radial add up to the sum of dE/dr.
struct Legs {
  std::vector<Leg> leg;
  std::vector<double> x, y, z, gx, gy, gz;
  std::vector<v4> radial;

  std::size_t size() const { return leg.size(); }

  void clear() {
    leg.clear();
    for (auto* a : {&x, &y, &z}) a->clear();
  }
  void clear_gradient() {
    for (auto* a : {&gx, &gy, &gz}) a->assign(size(), 0.0);
    radial.assign(size(), v4{});
  }
};

// Third sides of the triangles of one leg j with all legs k, and (dE/dr_jk) / r_jk.
struct ThirdSides {
  std::vector<double> x, y, z, r, along;

  void resize(std::size_t n) {
    for (auto* a : {&x, &y, &z, &r, &along})
      if (a->size() < n) a->resize(n);
  }
};

// Scratch memory of one thread.
struct TripletScratch {
  Legs j, k;
  ThirdSides side;
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
    for_each_kind(env, [&](const TripletTable& table, std::size_t, Legs& js, Legs& ks, ThirdSides& side) {
      js.clear_gradient();
      if (&ks != &js) ks.clear_gradient();
      energy += evaluate_kind(table, js, ks, side);
      add_gradient(js, g);
      if (&ks != &js) add_gradient(ks, g);
    });
    return energy;
  }

  void rows(const Environment& env, const RowSink& sink) const override {
    for_each_kind(env, [&](const TripletTable& table, std::size_t t, Legs& js, Legs& ks, ThirdSides&) {
      for (std::size_t a = 0; a < js.size(); ++a)
        for (std::size_t b = &js == &ks ? a + 1 : 0; b < ks.size(); ++b)
          add_rows(env, sink, table, spec_.columns[t], js.leg[a], ks.leg[b]);
    });
  }

 private:
  // Calls visit(table, index, legs j, legs k, scratch) for each pair of neighbour species;
  // legs j and k are the same object if the species are.
  template <class Visit>
  void for_each_kind(const Environment& env, Visit&& visit) const {
    thread_local TripletScratch scratch;
    auto& [js, ks, side] = scratch;
    const int n = spec_.n_species;
    for (int b = 0; b < n; ++b)
      for (int c = b; c < n; ++c) {
        const int t = spec_.table[static_cast<std::size_t>((env.species * n + b) * n + c)];
        if (t < 0) continue;
        const TripletTable& table = tables_[static_cast<std::size_t>(t)];
        collect(env, b, table.ij, js);
        if (b != c) collect(env, c, table.ik, ks);
        visit(table, static_cast<std::size_t>(t), js, b == c ? js : ks, side);
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
  }

  static double evaluate_kind(const TripletTable& table, Legs& js, Legs& ks, ThirdSides& side) {
    side.resize(ks.size());
    v4 energy{};
    for (std::size_t a = 0; a < js.size(); ++a) {
      const std::size_t first = &js == &ks ? a + 1 : 0;
      third_sides(js.leg[a], ks, first, side);
      energy += contract(table, js.leg[a], js.radial[a], ks, first, side);
      third_side_gradient(js, a, ks, first, side);
    }
    return sum(energy);
  }

  // Sides d_k - d_j of the triangles of leg j with the legs k = first, first + 1, ...
  static void third_sides(const Leg& j, const Legs& ks, std::size_t first, ThirdSides& side) {
    const std::size_t n = ks.size();
    const double *__restrict kx = ks.x.data(), *__restrict ky = ks.y.data(), *__restrict kz = ks.z.data();
    double *__restrict x = side.x.data(), *__restrict y = side.y.data(), *__restrict z = side.z.data();
    double* __restrict r = side.r.data();
    for (std::size_t b = first; b < n; ++b) {
      x[b] = kx[b] - j.x;
      y[b] = ky[b] - j.y;
      z[b] = kz[b] - j.z;
      r[b] = std::sqrt(x[b] * x[b] + y[b] * y[b] + z[b] * z[b]);
    }
  }

  // Energy of the triangles of one leg j (to be summed over lanes). Adds dE/dr_ij and
  // dE/dr_ik lane by lane and writes (dE/dr_jk) / r_jk.
  static v4 contract(const TripletTable& table, const Leg& j, v4& radial_j, Legs& ks,
                     std::size_t first, ThirdSides& side) {
    const double lower = table.jk.lower(), upper = table.jk.upper();
    const std::size_t stride_m = static_cast<std::size_t>(table.n_jk());
    const std::size_t stride_l = stride_m * static_cast<std::size_t>(table.n_ik());
    const double* grid = table.grid.data();
    v4 energy{}, radial{};
    for (std::size_t b = first; b < ks.size(); ++b) {
      const double r = side.r[b];
      if (r >= upper || r < lower || r == 0.0) {
        side.along[b] = 0.0;
        continue;
      }
      const Leg& k = ks.leg[b];
      const int n = table.jk.locate(r);
      const BasisValues basis = basis_at(table.jk, n, r);
      const double* corner = grid + table.corner(j.interval, k.interval, n);
      v4 e{}, dl{}, dm{};
      for (int q = 0; q < 4; ++q) {
        const double* c = corner + static_cast<std::size_t>(q) * stride_l;
        const v4 c0 = load(c), c1 = load(c + stride_m), c2 = load(c + 2 * stride_m),
                 c3 = load(c + 3 * stride_m);
        const v4 value = k.basis.value[0] * c0 + k.basis.value[1] * c1 +
                         k.basis.value[2] * c2 + k.basis.value[3] * c3;
        const v4 slope = k.basis.slope[0] * c0 + k.basis.slope[1] * c1 +
                         k.basis.slope[2] * c2 + k.basis.slope[3] * c3;
        e += j.basis.value[q] * value;
        dl += j.basis.slope[q] * value;
        dm += j.basis.value[q] * slope;
      }
      energy += e * basis.value;
      radial += dl * basis.value;
      ks.radial[b] += dm * basis.value;
      side.along[b] = sum(e * basis.slope) / r;
    }
    radial_j += radial;
    return energy;
  }

  // Gradient along the third sides, for leg j = a and the legs k.
  static void third_side_gradient(Legs& js, std::size_t a, Legs& ks, std::size_t first,
                                  const ThirdSides& side) {
    const std::size_t n = ks.size();
    const double *__restrict x = side.x.data(), *__restrict y = side.y.data(), *__restrict z = side.z.data();
    const double* __restrict along = side.along.data();
    double *__restrict gx = ks.gx.data(), *__restrict gy = ks.gy.data(), *__restrict gz = ks.gz.data();
    double sx = 0.0, sy = 0.0, sz = 0.0;
    for (std::size_t b = first; b < n; ++b) {
      const double wx = along[b] * x[b], wy = along[b] * y[b], wz = along[b] * z[b];
      gx[b] += wx;
      gy[b] += wy;
      gz[b] += wz;
      sx += wx;
      sy += wy;
      sz += wz;
    }
    js.gx[a] -= sx;
    js.gy[a] -= sy;
    js.gz[a] -= sz;
  }

  static void add_gradient(const Legs& legs, Gradient g) {
    for (std::size_t a = 0; a < legs.size(); ++a) {
      const Leg& leg = legs.leg[a];
      const double scale = sum(legs.radial[a]) * leg.inverse;
      g.x[leg.neighbor] += legs.gx[a] + scale * leg.x;
      g.y[leg.neighbor] += legs.gy[a] + scale * leg.y;
      g.z[leg.neighbor] += legs.gz[a] + scale * leg.z;
    }
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

// Energy and gradient of the triplets of one centre with two kinds of neighbours.
//
// V3 = sum_lmn c_lmn A_l(r_ij) B_m(r_ik) C_n(r_jk). Along r_jk the table is kept as polynomials:
// in the interval of a triplet, with u the distance from its middle,
//   V3 = sum_lm A_l B_m T_lm(u),   T_lm(u) = t0 + t1 u + t2 u^2 + t3 u^3.
// Each t is a tile of 4 (l) x 4 (m) numbers; the four of a triplet are one run of memory. With the
// whole tile in one or few registers, Horner's scheme gives T and T' at once, and then
//   Y = sum_k T B_m      adds up lane by lane in j:  dE/dr_ij = sum_lm Y A'_l,  E = sum Y A_l;
//   Z = sum_j T A_l      adds up lane by lane in k:  dE/dr_ik = sum_lm Z B'_m;
//   dE/dr_jk = sum_lm T' A_l B_m                     is a number of each triplet.
//
// Triplets stand in rows s of all j. With neighbours of one species k = j + s around the circle of
// legs, and s = 1 .. n / 2 meets every pair once; with two species k is the leg s. So sides and
// the gradient along them are worked out for whole vectors of j.
#pragma once

#include <vector>

#include "../memory.hpp"
#include "../term.hpp"
#include "basis.hpp"
#include "cells.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "uniform_basis.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class Real>
class TripletTiles {
 public:
  // grid: coefficients [l][m][n].
  TripletTiles(const CubicBasis& ij, const CubicBasis& ik, const CubicBasis& jk, std::vector<double> grid)
      : ij_(ij), ik_(ik), jk_(jk), stride_m_(block * jk.n_intervals()), stride_l_(stride_m_ * ik.n_intervals()) {
    const auto n_l = static_cast<std::size_t>(ij.n_basis()), n_m = static_cast<std::size_t>(ik.n_basis()),
               n_n = static_cast<std::size_t>(jk.n_basis());
    for (std::size_t row = 0; row < n_m * n_n && ij_.uniform(); ++row)
      to_uniform_basis(ij, grid.data() + row, n_m * n_n);
    for (std::size_t row = 0; row < n_l * n_n && ik_.uniform(); ++row)
      to_uniform_basis(ik, grid.data() + row / n_n * n_m * n_n + row % n_n, n_n);
    tiles_.reserve(static_cast<std::size_t>(stride_l_ * ij.n_intervals()));
    for (std::size_t l = 0; l + 3 < n_l; ++l)
      for (std::size_t m = 0; m + 3 < n_m; ++m)
        for (std::size_t n = 0; n + 3 < n_n; ++n) {
          const auto powers = jk_.powers(jk, static_cast<int>(n));
          for (std::size_t p = 0; p < 4; ++p)
            for (std::size_t lane = 0; lane < tile; ++lane) {
              const double* c = grid.data() + ((l + lane / 4) * n_m + m + lane % 4) * n_n + n;
              double t = 0.0;
              for (std::size_t q = 0; q < 4; ++q) t += c[q] * powers[4 * p + q];
              tiles_.push_back(static_cast<Real>(std::abs(t) < 1e-30 ? 0.0 : t)); // no denormals
            }
        }
  }

  // Triplets of the central atom with neighbours j of one species and k of another.
  double evaluate(const Environment<Real>& env, int species_j, int species_k, Gradient<Real> g) const {
    const bool same = species_j == species_k;
    const int most = padded(env.count) + N;
    Legs js(*env.arena, most), other;
    js.collect(env, species_j, ij_);
    if (!same) {
      other = Legs(*env.arena, most);
      other.collect(env, species_k, ik_);
    }
    Legs& ks = same ? js : other;
    if (js.count == 0 || ks.count < (same ? 2 : 1)) return 0.0;
    const Rows rows(*env.arena, js.count, ks, same, stride_m_);
    find_sides(js, rows);
    Tile energy{};
    for (int j = 0; j < js.count; ++j) contract(js, j, ks, rows, energy);
    if (same) {
      pull_along_sides<true>(js, ks, rows);
      pull_other_ends(js, rows);
    } else {
      pull_along_sides<false>(js, ks, rows);
    }
    ks.close(same);
    js.add_gradient(g, ij_.per_length());
    if (!same) ks.add_gradient(g, ik_.per_length());
    return static_cast<double>(sum(energy));
  }

 private:
  static constexpr int tile = 16, block = 4 * tile;
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;
  using Tile = Vec<Real, tile>;

  static int padded(int n) { return (n + N - 1) / N * N; }
  // Where the four of entry j stands in an array written by store_fours.
  static int place(int j) { return j / N * N + place_of_four<N>(j % N); }

  // Neighbours of one species within the reach of a leg.
  struct Legs {
    int count = 0;
    bool all = true;                // every neighbour of the environment is here, in its order
    const Real *x, *y, *z, *r;      // of the environment, or packed
    Real *packed, *gx, *gy, *gz;    // gradient, as far as it comes from opposite sides
    std::int32_t *neighbor, *interval;
    Real *value, *slope;            // basis along the leg, as Axis::at writes them
    Real *radial;                   // fours that add up to dE/dr, in the same order
    Real *sum_of_j;                 // Z, in the same order
    int stride;

    Legs() = default;
    Legs(Arena& arena, int most) : stride(most) {
      Real* p = arena.take<Real>((4 + 3 + 3 * 4 + tile + 2) * most);
      packed = p, p += 4 * most;
      for (auto** a : {&gx, &gy, &gz}) *a = p, p += most;
      for (auto** a : {&value, &slope, &radial}) *a = p, p += 4 * most;
      sum_of_j = p, p += tile * most;
      neighbor = reinterpret_cast<std::int32_t*>(p);
      interval = neighbor + most;
    }

    TRIMPOT_INLINE void collect(const Environment<Real>& env, int species, const Axis<Real>& axis) {
      auto within = [&](int j) {
        const V upper = broadcast<N>(axis.upper()), lower = broadcast<N>(std::max(axis.lower(), Real(1e-10)));
        const V r_j = load<N>(env.r + j);
        return below(r_j, upper) & ~below(r_j, lower) & equal(load<N>(env.neighbor_species + j), species);
      };
      for (int j = 0; j < env.count && all; j += N)
        all = within(j) == (env.count - j < N ? (1u << (env.count - j)) - 1u : ~0u >> (32 - N));
      x = env.x, y = env.y, z = env.z, r = env.r;
      count = env.count;
      if (!all) pack_those(env, within);
      find_basis(axis);
    }

    template <class Within>
    void pack_those(const Environment<Real>& env, Within&& within) {
      x = packed, y = packed + stride, z = packed + 2 * stride, r = packed + 3 * stride;
      count = 0;
      for (int j = 0; j < env.count; j += N) {
        const std::uint32_t bits = within(j);
        pack(packed + count, bits, load<N>(env.x + j));
        pack(packed + stride + count, bits, load<N>(env.y + j));
        pack(packed + 2 * stride + count, bits, load<N>(env.z + j));
        pack(packed + 3 * stride + count, bits, load<N>(env.r + j));
        pack(neighbor + count, bits, iota<N>(j));
        count += __builtin_popcount(bits);
      }
      for (int a = 0; a < 4; ++a) store(packed + a * stride + count, broadcast<N>(Real(1e4))); // idle lanes hold numbers
    }

    TRIMPOT_INLINE void find_basis(const Axis<Real>& axis) {
      for (int a = 0; a < count; a += N) {
        store(interval + a, axis.at(load<N>(r + a), value + 4 * a, slope + 4 * a));
        for (Real* g : {gx, gy, gz}) store(g + a, V{});
      }
      for (int a = 0; a < count; ++a) store(sum_of_j + tile * place(a), Tile{});
    }

    // What Z means for dE/dr.
    TRIMPOT_INLINE void close(bool both_ends) const {
      for (int a = 0; a < count; ++a) {
        const int at = 4 * place(a);
        const auto part = fold(load<tile>(sum_of_j + 4 * at) * load_repeated<tile>(slope + at));
        store(radial + at, both_ends ? load<4>(radial + at) + part : part);
      }
    }

    TRIMPOT_INLINE void add_gradient(Gradient<Real> g, Real per_length) const {
      for (int a = 0; a < count; a += N) {
        const V scale = broadcast<N>(per_length) * sums_of_fours<N>(radial + 4 * a) * reciprocal(load<N>(r + a));
        const V ax = load<N>(gx + a) + scale * load<N>(x + a);
        const V ay = load<N>(gy + a) + scale * load<N>(y + a);
        const V az = load<N>(gz + a) + scale * load<N>(z + a);
        if (all) {
          store(g.x + a, load<N>(g.x + a) + ax);
          store(g.y + a, load<N>(g.y + a) + ay);
          store(g.z + a, load<N>(g.z + a) + az);
        } else {
          store(gx + a, ax);
          store(gy + a, ay);
          store(gz + a, az);
        }
      }
      for (int a = 0; a < (all ? 0 : count); ++a) {
        g.x[neighbor[a]] += gx[a];
        g.y[neighbor[a]] += gy[a];
        g.z[neighbor[a]] += gz[a];
      }
    }
  };

  // Rows s of triplets, and what belongs to each of them.
  struct Rows {
    int n_j, n_k, first, last, stride, step_s, step_j, force_stride;
    bool halved; // the last row of a circle meets each of its pairs from both ends
    // Legs k at [s step_s + j step_j], where they are n_k legs once around and on, or each of them
    // as often as a vector has lanes; leg, place of k in the arrays of Legs, at [s + j] or [s].
    Real *x, *y, *z;
    std::int32_t *leg, *tiles_of_leg;
    Real *inverse, *u;    // of sides, at [s - first][j]
    std::int32_t* offset; // into the tiles; -1: no interaction
    Real* fours;          // they add up to dE/dr_jk, as store_fours orders them
    Real* force;          // dE/dr_jk / r_jk of circles: twice, n_k apart

    TRIMPOT_INLINE Rows(Arena& arena, int j_count, const Legs& ks, bool same, std::int32_t stride_m)
        : n_j(j_count), n_k(ks.count), first(same ? 1 : 0), last(same ? n_k / 2 : n_k - 1),
          stride(padded(n_j)), step_s(same ? 1 : N), step_j(same ? 1 : 0), force_stride(same ? n_k + stride : 0),
          halved(same && n_k % 2 == 0) {
      const int around = same ? padded(n_k + stride) + N : N * n_k + N; // idle lanes read numbers too
      const int rows = last - first + 1;
      Real* p = arena.take<Real>(5 * around + rows * (7 * stride + force_stride) + N);
      for (auto** a : {&x, &y, &z}) *a = p, p += around;
      leg = reinterpret_cast<std::int32_t*>(p);
      tiles_of_leg = leg + around;
      p += 2 * around;
      fours = p;
      inverse = fours + 4 * rows * stride;
      u = inverse + rows * stride;
      offset = reinterpret_cast<std::int32_t*>(u + rows * stride);
      force = u + 2 * rows * stride;
      if (same)
        go_around(ks, stride_m);
      else
        repeat(ks, stride_m);
    }

    TRIMPOT_INLINE void go_around(const Legs& ks, std::int32_t stride_m) {
      for (int t = 0; t < n_k + stride; t += n_k) // what is written beyond an end is overwritten later
        for (int q = 0; q < std::min(n_k, n_k + stride - t); q += N) {
          store(x + t + q, load<N>(ks.x + q));
          store(y + t + q, load<N>(ks.y + q));
          store(z + t + q, load<N>(ks.z + q));
          store(tiles_of_leg + t + q, load<N>(ks.interval + q) * broadcast<N>(stride_m));
          store(leg + t + q, leg_of(q));
        }
    }

    void repeat(const Legs& ks, std::int32_t stride_m) {
      for (int k = 0; k < n_k; ++k) {
        store(x + N * k, broadcast<N>(ks.x[k]));
        store(y + N * k, broadcast<N>(ks.y[k]));
        store(z + N * k, broadcast<N>(ks.z[k]));
        store(tiles_of_leg + N * k, broadcast<N>(ks.interval[k] * stride_m));
        leg[k] = 4 * place(k);
      }
    }

    // 4 place(l) of the N legs from one on.
    TRIMPOT_INLINE static Vec<std::int32_t, N> leg_of(int from) {
      std::int32_t places[N];
      for (int l = 0; l < N; ++l) places[l] = 4 * place_of_four<N>(l);
      return load<N>(places) + broadcast<N>(4 * from);
    }

    int rows_of(int j) const { return last - first + 1 - (halved && j >= n_k / 2 ? 1 : 0); }
    int visited(int s) const { return halved && s == last ? n_k / 2 : n_j; }
    int at(int s, int j) const { return (s - first) * stride + j; }
  };

  TRIMPOT_INLINE void find_sides(const Legs& js, const Rows& rows) const {
    const V upper = broadcast<N>(jk_.upper()), lower = broadcast<N>(std::max(jk_.lower(), Real(1e-10)));
    for (int j = 0; j < rows.stride; j += N) {
      const V xj = load<N>(js.x + j), yj = load<N>(js.y + j), zj = load<N>(js.z + j);
      const int valid = std::min(js.count - j, N); // lanes behind are not visited
      for (int s = rows.first; s <= rows.last; ++s) {
        const int at = rows.at(s, j), k = s * rows.step_s + j * rows.step_j;
        const V dx = load<N>(rows.x + k) - xj, dy = load<N>(rows.y + k) - yj, dz = load<N>(rows.z + k) - zj;
        const auto root = roots(dx * dx + (dy * dy + (dz * dz + broadcast<N>(Real(1e-20)))));
        V u;
        const auto m = jk_.at(root.root, u);
        store(rows.inverse + at, root.inverse);
        store(rows.u + at, u);
        store(rows.offset + at, m * broadcast<N>(std::int32_t{block}) + load<N>(rows.tiles_of_leg + k));
        const std::uint32_t out = ~(below(lower, root.root) & below(root.root, upper));
        if ((out & ((2u << (valid - 1)) - 1u)) != 0) [[unlikely]]
          for (int l = 0; l < N; ++l)
            if (out >> l & 1u) rows.offset[at + l] = -1;
      }
    }
  }

  TRIMPOT_INLINE void contract(const Legs& js, int j, const Legs& ks, const Rows& rows, Tile& energy) const {
    const Tile a = each_four_times(load<4>(js.value + 4 * place(j)));
    const Real* const tiles = tiles_.data() + static_cast<std::ptrdiff_t>(stride_l_) * js.interval[j];
    const Real* const value = ks.value;
    Real* const sum_of_j = ks.sum_of_j;
    const std::int32_t* leg = rows.leg + rows.first + rows.step_j * j;
    const std::int32_t* offset = rows.offset + j;
    const Real* u = rows.u + j;
    Real* fours = rows.fours + 4 * place(j);
    const std::ptrdiff_t stride = rows.stride;
    Tile y{};
    for (int n = rows.rows_of(j); n > 0; --n) {
      if (*offset >= 0) [[likely]] {
        const Real* const p = tiles + static_cast<std::uint32_t>(*offset);
        const auto k = static_cast<std::uint32_t>(*leg);
        const Tile x = broadcast<tile>(*u), b = load_repeated<tile>(value + k);
        const Tile t3 = load<tile>(p + 3 * tile), quadratic = t3 * x + load<tile>(p + 2 * tile);
        const Tile cubic = quadratic * x + load<tile>(p + tile), v = cubic * x + load<tile>(p);
        store(fours, fold(((t3 * x + quadratic) * x + cubic) * (a * b)));
        y += v * b;
        store(sum_of_j + 4 * k, load<tile>(sum_of_j + 4 * k) + v * a);
      } else {
        store(fours, Vec<Real, 4>{});
      }
      ++leg;
      offset += stride;
      u += stride;
      fours += 4 * stride;
    }
    energy += y * a;
    store(js.radial + 4 * place(j), fold(y * each_four_times(load<4>(js.slope + 4 * place(j)))));
  }

  // What dE/dr_jk means for j, and with two species for k.
  template <bool same>
  TRIMPOT_INLINE void pull_along_sides(const Legs& js, const Legs& ks, const Rows& rows) const {
    const V scale = broadcast<N>(jk_.per_length());
    for (int j = rows.stride - N; j >= 0; j -= N) { // backwards: idle lanes of `force` are overwritten
      const V xj = load<N>(js.x + j), yj = load<N>(js.y + j), zj = load<N>(js.z + j);
      V gx{}, gy{}, gz{};
      for (int s = rows.first; s <= rows.last; ++s) {
        const int at = rows.at(s, j), k = s * rows.step_s + j * rows.step_j;
        const V f = first_lanes(load<N>(rows.inverse + at) * scale * sums_of_fours<N>(rows.fours + 4 * at),
                                rows.visited(s) - j);
        const V fx = f * (load<N>(rows.x + k) - xj), fy = f * (load<N>(rows.y + k) - yj),
                fz = f * (load<N>(rows.z + k) - zj);
        gx -= fx;
        gy -= fy;
        gz -= fz;
        if constexpr (same) {
          Real* const force = rows.force + (s - rows.first) * rows.force_stride + j;
          store(force, f);
          store(force + rows.n_k, f);
        } else {
          const auto on_k = sums(fx, fy, fz, V{});
          ks.gx[s] += on_k[0];
          ks.gy[s] += on_k[1];
          ks.gz[s] += on_k[2];
        }
      }
      store(js.gx + j, gx);
      store(js.gy + j, gy);
      store(js.gz + j, gz);
    }
  }

  // The same for k of a circle: that of j = k - s.
  TRIMPOT_INLINE void pull_other_ends(const Legs& ks, const Rows& rows) const {
    for (int k = 0; k < rows.n_k; k += N) {
      const V xk = load<N>(ks.x + k), yk = load<N>(ks.y + k), zk = load<N>(ks.z + k);
      V gx = load<N>(ks.gx + k), gy = load<N>(ks.gy + k), gz = load<N>(ks.gz + k);
      for (int s = rows.first; s <= rows.last; ++s) {
        const int j = rows.n_k - s + k;
        const V f = load<N>(rows.force + (s - rows.first) * rows.force_stride + j);
        gx += f * (xk - load<N>(rows.x + j));
        gy += f * (yk - load<N>(rows.y + j));
        gz += f * (zk - load<N>(rows.z + j));
      }
      store(ks.gx + k, gx);
      store(ks.gy + k, gy);
      store(ks.gz + k, gz);
    }
  }

  Axis<Real> ij_, ik_;
  Cells<Real> jk_;
  std::int32_t stride_m_, stride_l_;
  AlignedVector<Real> tiles_;
};

} // namespace trimpot::TRIMPOT_ISA

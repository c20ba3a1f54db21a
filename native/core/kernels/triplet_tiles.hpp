// Energy and gradient of the triplets of one centre with two kinds of neighbours.
//
// V3 = sum_lmn c_lmn A_l(r_ij) B_m(r_ik) C_n(r_jk). A triplet meets 4 x 4 x 4 coefficients.
// They are stored as tiles, one per (interval of r_ik, interval of r_jk, l), of 4 (m) x 4 (n)
// numbers, so that the four tiles of a triplet are one run of memory and every step of
//   V = sum_l A_l tile_l,   X_l = sum_jk tile_l B_m C_n
// works on whole registers:
//   dE/dr_ij = sum_l A'_l sum_mn X_l      adds up over the triplets of j;
//   R = V C_n                             adds up lane by lane in k, and gives in the end
//   dE/dr_ik = sum_mn R B'_m, E = sum_mn R B_m;
//   dE/dr_jk = sum_n F_n C'_n             needs F_n = sum_m V B_m, four numbers per triplet.
//
// Pairs of legs are numbered by j and a shift s, k = j + s around the circle of the legs k: for
// one species s = 1 .. n / 2 meets every pair once. All j of a shift are one run of memory, so
// sides and the gradient along them are worked out for whole vectors of j.
#pragma once

#include <vector>

#include "../memory.hpp"
#include "../term.hpp"
#include "basis.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "uniform_basis.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class Real>
class TripletTiles {
 public:
  // grid: coefficients [l][m][n].
  TripletTiles(const CubicBasis& ij, const CubicBasis& ik, const CubicBasis& jk, std::vector<double> grid)
      : ij_(ij), ik_(ik), jk_(jk), stride_n_(tile * ij.n_basis()), stride_m_(stride_n_ * jk.n_intervals()) {
    const auto n_l = static_cast<std::size_t>(ij.n_basis()), n_m = static_cast<std::size_t>(ik.n_basis()),
               n_n = static_cast<std::size_t>(jk.n_basis());
    for (std::size_t row = 0; row < n_m * n_n && ij_.uniform(); ++row)
      to_uniform_basis(ij, grid.data() + row, n_m * n_n);
    for (std::size_t row = 0; row < n_l * n_n && ik_.uniform(); ++row)
      to_uniform_basis(ik, grid.data() + row / n_n * n_m * n_n + row % n_n, n_n);
    for (std::size_t row = 0; row < n_l * n_m && jk_.uniform(); ++row)
      to_uniform_basis(jk, grid.data() + row * n_n, 1);
    tiles_.resize(static_cast<std::size_t>(stride_m_ * ik.n_intervals()));
    std::size_t at = 0;
    for (std::size_t m = 0; m + 3 < n_m; ++m)
      for (std::size_t n = 0; n + 3 < n_n; ++n)
        for (std::size_t l = 0; l < n_l; ++l)
          for (std::size_t p = 0; p < tile; ++p) {
            const double c = grid[(l * n_m + m + p / 4) * n_n + n + p % 4];
            tiles_[at++] = static_cast<Real>(std::abs(c) < 1e-30 ? 0.0 : c); // no denormals
          }
  }

  // Triplets of the central atom with neighbours j of one species and k of another.
  double evaluate(const Environment<Real>& env, int species_j, int species_k, Gradient<Real> g) const {
    const bool same = species_j == species_k;
    const int most = (env.count + N - 1) / N * N + N;
    Legs js(*env.arena, most), other;
    js.collect(env, species_j, ij_);
    if (!same) {
      other = Legs(*env.arena, most);
      other.collect(env, species_k, ik_);
    }
    Legs& ks = same ? js : other;
    if (js.count == 0 || ks.count < (same ? 2 : 1)) return 0.0;
    const Circle circle(*env.arena, js.count, ks, same, stride_m_);
    for (int s = circle.first; s <= circle.last; ++s) find_sides(js, circle, s);
    for (int j = 0; j < js.count; ++j) contract(js, j, ks, circle);
    for (int s = circle.first; s <= circle.last; ++s) pull_along_sides(js, circle, s);
    circle.close(ks);
    Tile energy{};
    ks.close(energy);
    js.add_gradient(g, ij_.per_length());
    if (!same) ks.add_gradient(g, ik_.per_length());
    return static_cast<double>(sum(energy));
  }

 private:
  static constexpr int tile = 16, wide_size = 4 * tile;
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;
  using Tile = Vec<Real, tile>;

  static int padded(int n) { return (n + N - 1) / N * N; }

  // Neighbours of one species within the reach of a leg.
  struct Legs {
    int count = 0;
    bool all = true;               // every neighbour of the environment is here, in its order
    Real *x, *y, *z, *r, *gx, *gy, *gz;
    std::int32_t *neighbor, *interval;
    Real *value, *slope;           // basis along the leg, as Axis::at writes them
    // The same, each number four times (16 + 16), 16 lanes that add up to dE/dr of this leg as j,
    // and R. They stand together: with arrays 4096 bytes apart, loads would wait for stores to
    // equal low addresses.
    Real* wide;

    Legs() = default;
    Legs(Arena& arena, int most) {
      Real* p = arena.take<Real>((7 + 2 * 4 + wide_size + 2) * most);
      for (auto** a : {&x, &y, &z, &r, &gx, &gy, &gz}) *a = p, p += most;
      for (auto** a : {&value, &slope}) *a = p, p += 4 * most;
      wide = p;
      p += wide_size * most;
      neighbor = reinterpret_cast<std::int32_t*>(p);
      interval = neighbor + most;
    }

    TRIMPOT_INLINE void collect(const Environment<Real>& env, int species, const Axis<Real>& axis) {
      const V upper = broadcast<N>(axis.upper()), lower = broadcast<N>(std::max(axis.lower(), Real(1e-10)));
      for (int j = 0; j < env.count; j += N) {
        const V rj = load<N>(env.r + j), xj = load<N>(env.x + j), yj = load<N>(env.y + j), zj = load<N>(env.z + j);
        const std::uint32_t bits = below(rj, upper) & ~below(rj, lower) & equal(load<N>(env.neighbor_species + j), species);
        const int left = env.count - j;
        if (all && bits == (left < N ? (1u << left) - 1u : ~0u >> (32 - N))) {
          store(x + count, xj);
          store(y + count, yj);
          store(z + count, zj);
          store(r + count, rj);
          store(neighbor + count, iota<N>(j));
          count += std::min(left, N);
          continue;
        }
        all = false;
        pack(x + count, bits, xj);
        pack(y + count, bits, yj);
        pack(z + count, bits, zj);
        pack(r + count, bits, rj);
        pack(neighbor + count, bits, iota<N>(j));
        count += __builtin_popcount(bits);
      }
      for (Real* a : {x, y, z, r}) store(a + count, broadcast<N>(Real(1e4))); // idle lanes hold numbers
      for (int a = 0; a < count; a += N) {
        store(interval + a, axis.at(load<N>(r + a), value + 4 * a, slope + 4 * a));
        store(gx + a, V{});
        store(gy + a, V{});
        store(gz + a, V{});
      }
      for (int a = 0; a < count; a += N) { // slopes as values are
        const auto s = [&](int q) { return load<N>(slope + 4 * a + q * N); };
        store_fours(slope + 4 * a, s(0), s(1), s(2), s(3));
      }
      for (int a = 0; a < count; ++a) {
        const int from = 4 * place(a);
        store(wide + wide_size * a, each_four_times(load<4>(value + from)));
        store(wide + wide_size * a + tile, each_four_times(load<4>(slope + from)));
        store(wide + wide_size * a + 2 * tile, Tile{});
        store(wide + wide_size * a + 3 * tile, Tile{});
      }
    }

    // What R means for dE/dr of this leg as k and for the energy.
    TRIMPOT_INLINE void close(Tile& energy) const {
      for (int a = 0; a < count; ++a) {
        Real* const w = wide + wide_size * a;
        const Tile r = load<tile>(w + 3 * tile);
        energy += r * load<tile>(w);
        store(w + 2 * tile, load<tile>(w + 2 * tile) + r * load<tile>(w + tile));
      }
    }

    TRIMPOT_INLINE void add_gradient(Gradient<Real> g, Real per_length) const {
      alignas(64) Real lanes4[4 * N];
      for (int a = 0; a < count; a += N) {
        for (int q = 0; q < 4; ++q)
          store(lanes4 + q * N, fold_tiles<N>(wide + wide_size * (a + q * N / 4) + 2 * tile, wide_size));
        const auto part = load_rows<N, Real>([&](int l) { return lanes4 + 4 * l; });
        const V scale = broadcast<N>(per_length) * ((part.x + part.y) + (part.z + part.w)) * reciprocal(load<N>(r + a));
        const V ax = load<N>(gx + a) + scale * load<N>(x + a);
        const V ay = load<N>(gy + a) + scale * load<N>(y + a);
        const V az = load<N>(gz + a) + scale * load<N>(z + a);
        if (all) {
          store(g.x + a, load<N>(g.x + a) + ax);
          store(g.y + a, load<N>(g.y + a) + ay);
          store(g.z + a, load<N>(g.z + a) + az);
          continue;
        }
        store(gx + a, ax);
        store(gy + a, ay);
        store(gz + a, az);
      }
      for (int a = 0; a < (all ? 0 : count); ++a) {
        g.x[neighbor[a]] += gx[a];
        g.y[neighbor[a]] += gy[a];
        g.z[neighbor[a]] += gz[a];
      }
    }
  };

  // Where the four of entry j stands in an array written by store_fours.
  static int place(int j) { return j / N * N + place_of_four<N>(j % N); }

  // The legs k once around and on, so that k = j + s is always there, and what belongs to each
  // (s, j), at [s - first][j].
  struct Circle {
    int n_j, n_k, first, last, stride;
    bool halved; // the last shift meets each of its pairs from both ends
    Real *x, *y, *z, *gx, *gy, *gz;
    std::int32_t *leg, *tiles_of_leg; // place of k in Legs::wide, and where the tiles of k start
    Real *inverse, *value, *slope;    // of the sides; basis, as Axis::at writes it
    Real* product;                    // V B_m, 16 each, in the same order
    std::int32_t* offset;             // into the tiles; -1: no interaction

    TRIMPOT_INLINE Circle(Arena& arena, int j_count, const Legs& ks, bool same, std::int32_t stride_m)
        : n_j(j_count), n_k(ks.count), first(same ? 1 : 0), last(same ? n_k / 2 : n_k - 1),
          stride(padded(n_j)), halved(same && n_k % 2 == 0) {
      const int reach = n_k + stride; // idle lanes must read numbers too
      const int around = padded(reach) + 2 * N, size = (last - first + 1) * stride;
      Real* p = arena.take<Real>(8 * around + (2 + 2 * 4 + tile) * size);
      for (auto** a : {&x, &y, &z, &gx, &gy, &gz}) *a = p, p += around;
      leg = reinterpret_cast<std::int32_t*>(p);
      tiles_of_leg = leg + around;
      p += 2 * around;
      product = p;
      value = product + tile * size;
      slope = value + 4 * size;
      inverse = slope + 4 * size;
      offset = reinterpret_cast<std::int32_t*>(inverse + size);
      for (int t = 0; t < reach; t += n_k) // what is written beyond an end is overwritten later
        for (int q = 0; q < std::min(n_k, reach - t); q += N) {
          store(x + t + q, load<N>(ks.x + q));
          store(y + t + q, load<N>(ks.y + q));
          store(z + t + q, load<N>(ks.z + q));
          store(leg + t + q, iota<N>(q) * broadcast<N>(wide_size));
          store(tiles_of_leg + t + q, load<N>(ks.interval + q) * broadcast<N>(stride_m));
        }
      for (int t = 0; t < reach + N; t += N) {
        store(gx + t, V{});
        store(gy + t, V{});
        store(gz + t, V{});
      }
      for (int s = first; s <= last; ++s) // pairs that are not visited
        for (int j = halved && s == last ? n_k / 2 : n_j; j < stride; ++j)
          store(product + tile * ((s - first) * stride + place(j)), Tile{});
    }

    int shifts_of(int j) const { return last - first + 1 - (halved && j >= n_k / 2 ? 1 : 0); }

    TRIMPOT_INLINE void close(Legs& ks) const {
      for (int t = 0; t < n_k + n_j; t += n_k) // places behind the last k hold nothing of use
        for (int q = 0; q < n_k; q += N) {
          const int from = std::min(t + q, n_k + n_j);
          store(ks.gx + q, load<N>(ks.gx + q) + load<N>(gx + from));
          store(ks.gy + q, load<N>(ks.gy + q) + load<N>(gy + from));
          store(ks.gz + q, load<N>(ks.gz + q) + load<N>(gz + from));
        }
    }
  };

  TRIMPOT_INLINE void find_sides(const Legs& js, const Circle& c, int s) const {
    const V upper = broadcast<N>(jk_.upper()), lower = broadcast<N>(std::max(jk_.lower(), Real(1e-10)));
    for (int j = 0; j < js.count; j += N) {
      const int at = (s - c.first) * c.stride + j;
      const V dx = load<N>(c.x + s + j) - load<N>(js.x + j);
      const V dy = load<N>(c.y + s + j) - load<N>(js.y + j);
      const V dz = load<N>(c.z + s + j) - load<N>(js.z + j);
      const V square = dx * dx + (dy * dy + (dz * dz + broadcast<N>(Real(1e-20))));
      const V inverse = inverse_sqrt(square);
      const V r = square * inverse;
      store(c.inverse + at, inverse);
      const auto m = jk_.at(r, c.value + 4 * at, c.slope + 4 * at);
      store(c.offset + at, m * broadcast<N>(stride_n_));
      const std::uint32_t out = ~(below(lower, r) & below(r, upper));
      const int valid = js.count - j; // lanes behind are not visited
      if ((out & (valid >= N ? ~0u >> (32 - N) : (1u << valid) - 1u)) != 0) [[unlikely]]
        for (int l = 0; l < N; ++l)
          if (out >> l & 1u) c.offset[at + l] = -1;
    }
  }

  TRIMPOT_INLINE void contract(const Legs& js, int j, const Legs& ks, const Circle& circle) const {
    const Real *value = js.value + 4 * place(j), *slope = js.slope + 4 * place(j);
    const Tile a0 = broadcast<tile>(value[0]), a1 = broadcast<tile>(value[1]),
               a2 = broadcast<tile>(value[2]), a3 = broadcast<tile>(value[3]);
    const Real* const tiles = tiles_.data() + tile * js.interval[j];
    Real* const wide = ks.wide;
    const std::int32_t *leg = circle.leg + circle.first + j, *tiles_of_leg = circle.tiles_of_leg + circle.first + j;
    const std::int32_t* offset = circle.offset + j;
    const Real* value_c = circle.value + 4 * place(j);
    Real* product = circle.product + tile * place(j);
    const std::ptrdiff_t stride = circle.stride;
    Tile x0{}, x1{}, x2{}, x3{};
    for (int n = circle.shifts_of(j); n > 0; --n) {
      if (*offset >= 0) [[likely]] {
        const Real* p = tiles + static_cast<std::uint32_t>(*offset + *tiles_of_leg);
        Real* const k = wide + static_cast<std::uint32_t>(*leg);
        const Tile t0 = load<tile>(p), t1 = load<tile>(p + tile), t2 = load<tile>(p + 2 * tile),
                   t3 = load<tile>(p + 3 * tile);
        const Tile v = a3 * t3 + (a2 * t2 + (a1 * t1 + a0 * t0));
        const Tile c = load_repeated<tile>(value_c), b = load<tile>(k), bc = b * c;
        x0 += t0 * bc;
        x1 += t1 * bc;
        x2 += t2 * bc;
        x3 += t3 * bc;
        store(product, v * b);
        store(k + 3 * tile, load<tile>(k + 3 * tile) + v * c);
      } else {
        store(product, Tile{});
      }
      ++leg;
      ++tiles_of_leg;
      offset += stride;
      value_c += 4 * stride;
      product += tile * stride;
    }
    store(js.wide + wide_size * j + 2 * tile,
          (slope[0] * x0 + slope[1] * x1) + (slope[2] * x2 + slope[3] * x3));
  }

  TRIMPOT_INLINE void pull_along_sides(Legs& js, const Circle& c, int s) const {
    const V scale = broadcast<N>(jk_.per_length());
    for (int j = 0; j < js.count; j += N) {
      const int at = (s - c.first) * c.stride + j, k = s + j;
      const Real *product = c.product + tile * at, *slope = c.slope + 4 * at;
      const auto f = transpose(fold_tiles<N>(product), fold_tiles<N>(product + 4 * N),
                               fold_tiles<N>(product + 8 * N), fold_tiles<N>(product + 12 * N));
      const V along = (load<N>(c.inverse + at) * scale) *
                      (f.w * load<N>(slope + 3 * N) + (f.z * load<N>(slope + 2 * N) +
                       (f.y * load<N>(slope + N) + f.x * load<N>(slope))));
      pull(along, load<N>(c.x + k) - load<N>(js.x + j), c.gx + k, js.gx + j);
      pull(along, load<N>(c.y + k) - load<N>(js.y + j), c.gy + k, js.gy + j);
      pull(along, load<N>(c.z + k) - load<N>(js.z + j), c.gz + k, js.gz + j);
    }
  }

  TRIMPOT_INLINE static void pull(V along, V d, Real* gk, Real* gj) {
    store(gk, load<N>(gk) + along * d);
    store(gj, load<N>(gj) - along * d);
  }

  Axis<Real> ij_, ik_, jk_;
  std::int32_t stride_n_, stride_m_;
  AlignedVector<Real> tiles_;
};

} // namespace trimpot::TRIMPOT_ISA

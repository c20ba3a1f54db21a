// Energy and gradient of the triplets of one centre.
//
// With V3 = sum_lm A_l B_m T_lm(u) as in triplet_tables.hpp, and a tile of 4 x 4 numbers T_lm in one
// or few registers, Horner's scheme gives T and T' at once. Then
//   Y = sum_k T B_m      adds up lane by lane in j:  dE/dr_ij = sum_lm Y A'_l,  E = sum Y A_l;
//   Z = sum_j T A_l      adds up lane by lane in k:  dE/dr_ik = sum_lm Z B'_m;
//   dE/dr_jk = sum_lm T' A_l B_m                     is a number of each triplet.
//
// Triplets stand in rows s of all j, with k = j + s around the circle of legs; s = 1 .. n / 2 meets
// every pair once. So sides and the gradient along them are worked out for whole vectors of j.
// Species only choose the table; that of (k, j) is that of (j, k), mirrored.
#pragma once

#include <algorithm>
#include <vector>

#include "../memory.hpp"
#include "../term.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "triplet_axes.hpp"
#include "triplet_tables.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class Real>
class TripletSweep {
 public:
  // trios: which of `all` a pair of species has, at [b * n_species + c] for b <= c; -1: none. Legs of
  // one species must have the same knots in all of them.
  TripletSweep(int n_species, const std::vector<int>& trios, const std::vector<Trio>& all, TripletTables<Real>& tables)
      : n_species_(n_species), tables_(&tables) {
    auto number = [&](int b, int c) { return trios[static_cast<std::size_t>(std::min(b, c) * n_species + std::max(b, c))]; };
    auto leg = [&](int b) -> const CubicBasis* {
      for (int c = 0; c < n_species; ++c)
        if (const int t = number(b, c); t >= 0) return b <= c ? &all[static_cast<std::size_t>(t)].ij : &all[static_cast<std::size_t>(t)].ik;
      return nullptr;
    };
    for (int b = 0; b < n_species; ++b) legs_.add(leg(b));
    for (int b = 0; b < n_species; ++b)
      for (int c = 0; c < n_species; ++c) {
        const int t = number(b, c);
        sides_.add(t < 0 ? nullptr : &all[static_cast<std::size_t>(t)].jk);
      }
    for (int b = 0; b < n_species; ++b)
      for (int c = 0; c < n_species; ++c) {
        const int t = number(b, c);
        if (t < 0) {
          for (auto* table : {&first_, &n_k_, &n_sides_}) table->push_back(0);
          continue;
        }
        const Trio& trio = all[static_cast<std::size_t>(t)];
        first_.push_back(tables.place(t, trio, b > c, legs_.uniform(), sides_));
        n_k_.push_back((b <= c ? trio.ik : trio.ij).n_intervals());
        n_sides_.push_back(trio.jk.n_intervals());
      }
  }

  double evaluate(const Environment<Real>& env, Gradient<Real> g) const {
    return env.weight ? evaluate<true>(env, g) : evaluate<false>(env, g);
  }

 private:
  static constexpr int tile = TripletTables<Real>::tile, block = TripletTables<Real>::block;
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;
  using Int = Vec<std::int32_t, N>;
  using Tile = Vec<Real, tile>;

  template <bool weighted>
  TRIMPOT_INLINE double evaluate(const Environment<Real>& env, Gradient<Real> g) const {
    Legs<weighted> legs(*env.arena, padded(env.count) + N);
    legs.collect(env, legs_);
    if (legs.count < 2) return 0.0;
    const Circle circle(*env.arena, legs);
    find_sides(legs, circle);
    Tile energy{};
    for (int j = 0; j < legs.count; ++j) contract(legs, j, circle, energy);
    pull_first_ends(legs, circle);
    pull_other_ends(legs, circle);
    legs.close();
    legs.add_gradient(g, legs_);
    return static_cast<double>(sum(energy));
  }

  static int padded(int n) { return (n + N - 1) / N * N; }

  // Where the four of entry j stands in an array written by store_fours.
  static int place(int j) { return j / N * N + place_of_four<N>(j % N); }

  // Neighbours within the reach of a leg.
  template <bool weighted>
  struct Legs {
    int count = 0;
    bool all = true;                // every neighbour of the environment is here, in its order
    const Real *x, *y, *z, *r;      // of the environment, or packed
    const std::int32_t* species;
    Real *packed, *gx, *gy, *gz;    // gradient, as far as it comes from opposite sides
    std::int32_t *packed_species, *neighbor, *interval;
    Real *value, *slope;            // basis along the leg, fours in the order of store_fours
    Real *radial;                   // fours that add up to dE/dr over the weight, in the same order
    Real *plain, *by_weight;        // value without its weight; fours that add up to dE/dweight
    const Real* weight;
    Real* packed_weight;
    Real *sum_of_j;                 // Z, in the same order
    int stride;

    Legs(Arena& arena, int most) : stride(most) {
      Real* p = arena.take<Real>((4 + 3 + 3 * 4 + tile + 3 + (weighted ? 9 : 0)) * most);
      packed = p, p += 4 * most;
      for (auto** a : {&gx, &gy, &gz}) *a = p, p += most;
      for (auto** a : {&value, &slope, &radial}) *a = p, p += 4 * most;
      sum_of_j = p, p += tile * most;
      plain = value;
      if constexpr (weighted) {
        plain = p, p += 4 * most;
        by_weight = p, p += 4 * most;
        packed_weight = p, p += most;
      }
      packed_species = reinterpret_cast<std::int32_t*>(p);
      neighbor = packed_species + most;
      interval = neighbor + most;
    }

    TRIMPOT_INLINE void collect(const Environment<Real>& env, const LegAxes<Real>& axes) {
      auto within = [&](int j) {
        const int left = env.count - j;
        const std::uint32_t real = left < N ? (1u << left) - 1u : ~0u >> (32 - N);
        return std::pair{axes.within(load<N>(env.r + j), load<N>(env.neighbor_species + j)) & real, real};
      };
      for (int j = 0; j < env.count && all; j += N) {
        const auto [inside, real] = within(j);
        all = inside == real;
      }
      x = env.x, y = env.y, z = env.z, r = env.r, species = env.neighbor_species, weight = env.weight;
      count = env.count;
      if (!all) pack_those(env, within);
      for (int a = 0; a < count; a += N) {
        store(interval + a, axes.at(load<N>(r + a), load<N>(species + a), plain + 4 * a, slope + 4 * a));
        if constexpr (weighted)
          for (int l = 0; l < N; ++l)
            store(value + 4 * place(a + l), broadcast<4>(weight[a + l]) * load<4>(plain + 4 * place(a + l)));
      }
      for (int a = 0; a < count; ++a) store(sum_of_j + tile * place(a), Tile{});
    }

    template <class Within>
    void pack_those(const Environment<Real>& env, Within&& within) {
      x = packed, y = packed + stride, z = packed + 2 * stride, r = packed + 3 * stride, species = packed_species;
      if constexpr (weighted) weight = packed_weight;
      count = 0;
      for (int j = 0; j < env.count; j += N) {
        const std::uint32_t bits = within(j).first;
        pack(packed + count, bits, load<N>(env.x + j));
        pack(packed + stride + count, bits, load<N>(env.y + j));
        pack(packed + 2 * stride + count, bits, load<N>(env.z + j));
        pack(packed + 3 * stride + count, bits, load<N>(env.r + j));
        pack(packed_species + count, bits, load<N>(env.neighbor_species + j));
        if constexpr (weighted) pack(packed_weight + count, bits, load<N>(env.weight + j));
        pack(neighbor + count, bits, iota<N>(j));
        count += __builtin_popcount(bits);
      }
      for (int a = 0; a < 4; ++a) store(packed + a * stride + count, broadcast<N>(Real(1e4))); // idle lanes hold numbers
      store(packed_species + count, Int{});
      if constexpr (weighted) store(packed_weight + count, V{});
    }

    // What Z means for dE/dr.
    TRIMPOT_INLINE void close() const {
      for (int a = 0; a < count; ++a) {
        const int at = 4 * place(a);
        const Tile z = load<tile>(sum_of_j + 4 * at);
        store(radial + at, load<4>(radial + at) + fold(z * load_repeated<tile>(slope + at)));
        if constexpr (weighted)
          store(by_weight + at, load<4>(by_weight + at) + fold(z * load_repeated<tile>(plain + at)));
      }
    }

    TRIMPOT_INLINE void add_gradient(Gradient<Real> g, const LegAxes<Real>& axes) const {
      for (int a = 0; a < count; a += N) {
        V scale = axes.scale(load<N>(species + a)) * sums_of_fours<N>(radial + 4 * a) * reciprocal(load<N>(r + a));
        if constexpr (weighted) {
          scale = scale * load<N>(weight + a);
          const V part = sums_of_fours<N>(by_weight + 4 * a);
          if (all)
            store(g.weight + a, load<N>(g.weight + a) + part);
          else
            store(by_weight + a, part); // its fours have been read
        }
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
        if constexpr (weighted) g.weight[neighbor[a]] += by_weight[a];
      }
    }
  };

  // The legs once around and on, so that k = j + s is always there, and what belongs to each (s, j),
  // at [s - 1][j].
  struct Circle {
    int n, last, stride, force_stride;
    bool halved; // the last row meets each of its pairs from both ends
    Real *x, *y, *z;
    std::int32_t *species, *interval, *leg; // leg: place of k in the arrays of Legs
    Real *inverse, *u;    // of sides: derivatives by u times inverse are dE/dr_jk / r_jk
    std::int32_t* offset; // block of the table; -1: no interaction
    Real* fours;          // they add up to dE/du, in the order of store_fours
    Real* force;          // dE/dr_jk / r_jk, twice, n apart

    template <class Legs>
    TRIMPOT_INLINE Circle(Arena& arena, const Legs& legs)
        : n(legs.count), last(n / 2), stride(padded(n)), force_stride(n + stride), halved(n % 2 == 0) {
      const int around = padded(n + stride) + N; // idle lanes read numbers too
      Real* p = arena.take<Real>(6 * around + last * (7 * stride + force_stride) + N);
      for (auto** a : {&x, &y, &z}) *a = p, p += around;
      for (auto** a : {&species, &interval, &leg}) *a = reinterpret_cast<std::int32_t*>(p), p += around;
      fours = p;
      inverse = fours + 4 * last * stride;
      u = inverse + last * stride;
      offset = reinterpret_cast<std::int32_t*>(u + last * stride);
      force = u + 2 * last * stride;
      for (int t = 0; t < n + stride; t += n) // what is written beyond an end is overwritten later
        for (int q = 0; q < std::min(n, n + stride - t); q += N) {
          store(x + t + q, load<N>(legs.x + q));
          store(y + t + q, load<N>(legs.y + q));
          store(z + t + q, load<N>(legs.z + q));
          store(species + t + q, load<N>(legs.species + q));
          store(interval + t + q, load<N>(legs.interval + q));
          store(leg + t + q, leg_of(q));
        }
    }

    // 4 place(l) of the N legs from one on.
    TRIMPOT_INLINE static Int leg_of(int from) {
      std::int32_t places[N];
      for (int l = 0; l < N; ++l) places[l] = 4 * place_of_four<N>(l);
      return load<N>(places) + broadcast<N>(4 * from);
    }

    int rows_of(int j) const { return last - (halved && j >= last ? 1 : 0); }
    int visited(int s) const { return halved && s == last ? last : n; }
    int at(int s, int j) const { return (s - 1) * stride + j; }
    Real* force_of(int s) const { return force + (s - 1) * force_stride; }
  };

  template <class Legs>
  TRIMPOT_INLINE void find_sides(const Legs& legs, const Circle& c) const {
    for (int j = 0; j < c.stride; j += N) {
      const V xj = load<N>(legs.x + j), yj = load<N>(legs.y + j), zj = load<N>(legs.z + j);
      const Int species = load<N>(legs.species + j) * broadcast<N>(std::int32_t{n_species_});
      const Int interval = load<N>(legs.interval + j);
      const std::uint32_t real = (2u << (std::min(c.n - j, N) - 1)) - 1u; // lanes behind are not visited
      for (int s = 1; s <= c.last; ++s) {
        const int at = c.at(s, j), k = s + j;
        const V dx = load<N>(c.x + k) - xj, dy = load<N>(c.y + k) - yj, dz = load<N>(c.z + k) - zj;
        const auto root = roots(dx * dx + (dy * dy + (dz * dz + broadcast<N>(Real(1e-20)))));
        const Int kind = species + load<N>(c.species + k);
        V u;
        const Int m = sides_.at(root.root, kind, u);
        store(c.inverse + at, root.inverse * sides_.scale(kind));
        store(c.u + at, u);
        store(c.offset + at, first_.at(kind) + (interval * n_k_.at(kind) + load<N>(c.interval + k)) * n_sides_.at(kind) + m);
        const std::uint32_t out = real & ~sides_.within(root.root, kind);
        if (out != 0) [[unlikely]]
          for (int l = 0; l < N; ++l)
            if (out >> l & 1u) c.offset[at + l] = -1;
      }
    }
  }

  template <bool weighted>
  TRIMPOT_INLINE void contract(const Legs<weighted>& legs, int j, const Circle& c, Tile& energy) const {
    const Tile a = each_four_times(load<4>(legs.value + 4 * place(j)));
    const Real* const tables = tables_->data();
    const Real* const value = legs.value;
    Real* const sum_of_j = legs.sum_of_j;
    const std::int32_t* leg = c.leg + 1 + j;
    const std::int32_t* offset = c.offset + j;
    const Real* u = c.u + j;
    Real* fours = c.fours + 4 * place(j);
    const std::ptrdiff_t stride = c.stride;
    Tile y{};
    for (int n = c.rows_of(j); n > 0; --n) {
      if (*offset >= 0) [[likely]] {
        const Real* const t = tables + static_cast<std::size_t>(*offset) * block;
        const auto k = static_cast<std::uint32_t>(*leg);
        const Tile x = broadcast<tile>(*u), b = load_repeated<tile>(value + k);
        const Tile t3 = load<tile>(t + 3 * tile), quadratic = t3 * x + load<tile>(t + 2 * tile);
        const Tile cubic = quadratic * x + load<tile>(t + tile), v = cubic * x + load<tile>(t);
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
    store(legs.radial + 4 * place(j), fold(y * each_four_times(load<4>(legs.slope + 4 * place(j)))));
    if constexpr (weighted)
      store(legs.by_weight + 4 * place(j), fold(y * each_four_times(load<4>(legs.plain + 4 * place(j)))));
  }

  // What dE/dr_jk means for j.
  template <class Legs>
  TRIMPOT_INLINE void pull_first_ends(const Legs& legs, const Circle& c) const {
    for (int j = c.stride - N; j >= 0; j -= N) { // backwards: idle lanes of `force` are overwritten
      const V xj = load<N>(legs.x + j), yj = load<N>(legs.y + j), zj = load<N>(legs.z + j);
      V gx{}, gy{}, gz{};
      for (int s = 1; s <= c.last; ++s) {
        const int at = c.at(s, j), k = s + j;
        const V f = first_lanes(load<N>(c.inverse + at) * sums_of_fours<N>(c.fours + 4 * at), c.visited(s) - j);
        gx -= f * (load<N>(c.x + k) - xj);
        gy -= f * (load<N>(c.y + k) - yj);
        gz -= f * (load<N>(c.z + k) - zj);
        Real* const force = c.force_of(s) + j;
        store(force, f);
        store(force + c.n, f);
      }
      store(legs.gx + j, gx);
      store(legs.gy + j, gy);
      store(legs.gz + j, gz);
    }
  }

  // The same for k; that of j = k - s.
  template <class Legs>
  TRIMPOT_INLINE void pull_other_ends(const Legs& legs, const Circle& c) const {
    for (int k = 0; k < c.n; k += N) {
      const V xk = load<N>(legs.x + k), yk = load<N>(legs.y + k), zk = load<N>(legs.z + k);
      V gx = load<N>(legs.gx + k), gy = load<N>(legs.gy + k), gz = load<N>(legs.gz + k);
      for (int s = 1; s <= c.last; ++s) {
        const int j = c.n - s + k;
        const V f = load<N>(c.force_of(s) + j);
        gx += f * (xk - load<N>(c.x + j));
        gy += f * (yk - load<N>(c.y + j));
        gz += f * (zk - load<N>(c.z + j));
      }
      store(legs.gx + k, gx);
      store(legs.gy + k, gy);
      store(legs.gz + k, gz);
    }
  }

  int n_species_;
  LegAxes<Real> legs_;
  SideAxes<Real> sides_;
  LaneTable<std::int32_t> first_, n_k_, n_sides_; // of pairs of species: first block, intervals
  const TripletTables<Real>* tables_;
};

} // namespace trimpot::TRIMPOT_ISA

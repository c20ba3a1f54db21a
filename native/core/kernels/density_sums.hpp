// Densities of one atom from its neighbours, and the way back from derivatives by the densities.
//
// A neighbour adds to four functions from its interval on. Densities therefore stand with three
// places before and behind those of each species, and one more set for neighbours that are too far:
// four numbers, or four rows of harmonics, are added at one place.
#pragma once

#include <algorithm>
#include <cmath>

#include "../memory.hpp"
#include "../specs.hpp"
#include "../term.hpp"
#include "harmonics.hpp"
#include "lane_table.hpp"
#include "register_table.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "uniform_basis.hpp"

namespace trimpot::TRIMPOT_ISA {

// Where the functions of neighbours stand.
template <class Real>
class DensityAxis {
 public:
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;
  using Int = Vec<std::int32_t, N>;
  static constexpr int margin = 3;

  DensityAxis(const DensitySpec::Radial& radial, int n_species) : n_(radial.n), n_species_(n_species) {
    for (std::size_t pair = 0; pair < radial.high.size(); ++pair) {
      const double per_length = std::max(radial.n, 1) / (radial.high[pair] - radial.low[pair]);
      per_length_.push_back(static_cast<Real>(per_length));
      start_.push_back(static_cast<Real>(-radial.low[pair] * per_length));
      reach_ = std::max(reach_, static_cast<Real>(radial.high[pair]));
    }
  }

  int n() const { return n_; }
  int n_species() const { return n_species_; }
  int places() const { return (n_species_ + 1) * (n_ + 2 * margin); }
  // Of the first function of a species.
  int first(int species) const { return species * (n_ + 2 * margin) + margin; }

  // Neighbours up to the last vector with one that is near enough.
  int reached(const Environment<Real>& env) const {
    int count = (env.count + N - 1) / N * N;
    while (count > 0 && below(load<N>(env.r + count - N), broadcast<N>(reach_)) == 0) count -= N;
    return count;
  }

  struct Position {
    Int place;    // of the first of the four functions
    V x;          // in the interval, 0 to 1
    V per_length; // intervals per angstrom
  };

  TRIMPOT_INLINE Position at(int center, V r, Int species) const {
    const Int kind = n_species_ == 1 ? species : species + broadcast<N>(std::int32_t{center * n_species_});
    const V per_length = per_length_.at(kind), t = r * per_length + start_.at(kind);
    const std::uint32_t far = ~below(t, broadcast<N>(static_cast<Real>(n_))) | below(t, broadcast<N>(Real(-margin)));
    const V kept = minimum(maximum(t, broadcast<N>(Real(-margin))), broadcast<N>(static_cast<Real>(n_)));
    const Int m = nearest(kept - broadcast<N>(Real(0.5)));
    const V x = kept - convert<Real>(m);
    const Int place = species * broadcast<N>(std::int32_t{n_ + 2 * margin}) + (m + broadcast<N>(std::int32_t{margin}));
    const Int nowhere = broadcast<N>(std::int32_t{n_species_ * (n_ + 2 * margin)});
    return {select(far, nowhere, place), x, per_length};
  }

 private:
  int n_, n_species_;
  Real reach_ = Real(0);
  LaneTable<Real> per_length_, start_;
};

// Densities rho: four numbers per neighbour.
template <class Real>
class RadialSums {
 public:
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;

  RadialSums(const DensityAxis<Real>& axis, const Environment<Real>& env)
      : axis_(axis), env_(env), n_species_(axis.n_species()), count_(axis.reached(env)) {
    const int padded = count_;
    stride_ = (axis.places() + 2 * N - 1) / N * N;
    Real* p = env.arena->template take<Real>(7 * padded + copies * stride_ + register_table_size<Real>);
    sums_ = p, p += copies * stride_ + register_table_size<Real>;
    fours_ = p, p += 4 * padded;
    x_ = p, p += padded;
    per_length_ = p, p += padded;
    place_ = reinterpret_cast<std::int32_t*>(p);
  }

  int count() const { return count_; }

  // The steps of one atom. Each reads what the step before has written in other pieces, which takes
  // time; so all atoms of a batch go through one step before the next.

  // What each neighbour adds, put together in a few copies.
  TRIMPOT_INLINE void scatter() {
    clear(sums_, copies * stride_);
    for (int j = 0; j < count_; j += N) {
      const auto at = axis_.at(env_.species, load<N>(env_.r + j), load<N>(env_.neighbor_species + j));
      store(place_ + j, at.place);
      store(x_ + j, at.x);
      store(per_length_ + j, at.per_length);
      const auto v = uniform_values(at.x);
      if (env_.weight) {
        const V w = load<N>(env_.weight + j);
        store_fours(fours_ + 4 * j, w * v.v0, w * v.v1, w * v.v2, w * v.v3);
      } else {
        store_fours(fours_ + 4 * j, v.v0, v.v1, v.v2, v.v3);
      }
    }
    for (int j = 0; j < count_; j += N)
      for (int l = 0; l < std::min(N, env_.count - j); ++l) {
        Real* sum = sums_ + l % copies * stride_ + place_[j + l];
        store(sum, load<4>(sum) + load<4>(fours_ + 4 * (j + place_of_four<N>(l))));
      }
  }

  // The densities of all species one after the other, and zeros: `padded` numbers.
  TRIMPOT_INLINE void collect(Real* rho, int padded) {
    if (n_species_ == 1) {
      for (int x = 0; x < padded; x += N) store(rho + x, first_lanes(sum_of_copies(axis_.first(0) + x), axis_.n() - x));
      return;
    }
    for (int p = 0; p < axis_.places(); p += N) store(sums_ + p, sum_of_copies(p));
    for (int b = 0, a = 0; b < n_species_; ++b)
      for (int k = 0; k < axis_.n(); ++k) rho[a++] = sums_[axis_.first(b) + k];
  }

  // Derivatives by rho, in the places of the densities.
  TRIMPOT_INLINE void put(const Real* by_rho) {
    clear(sums_, stride_);
    if (n_species_ == 1) {
      for (int x = 0; x < axis_.n(); x += N) store(sums_ + axis_.first(0) + x, first_lanes(load<N>(by_rho + x), axis_.n() - x));
      return;
    }
    for (int b = 0, a = 0; b < n_species_; ++b)
      for (int k = 0; k < axis_.n(); ++k) sums_[axis_.first(b) + k] = by_rho[a++];
  }

  // Adds the gradient.
  TRIMPOT_INLINE void pull_back(Gradient<Real> g) const {
    const Real* const by = sums_;
    const bool in_registers = axis_.places() <= register_table_size<Real>;
    const auto table = RegisterTable<Real>::from(by);
    for (int j = 0; j < count_; j += N) {
      const auto d = in_registers ? four_of(table, load<N>(place_ + j))
                                  : load_rows<N, Real>([&](int l) { return by + place_[j + l]; });
      const auto v = uniform_values(load<N>(x_ + j));
      V scale = (d.x * v.s0 + d.y * v.s1) + (d.z * v.s2 + d.w * v.s3);
      if (env_.weight) {
        scale = scale * load<N>(env_.weight + j);
        const V value = (d.x * v.v0 + d.y * v.v1) + (d.z * v.v2 + d.w * v.v3);
        store(g.weight + j, load<N>(g.weight + j) + value);
      }
      scale = scale * load<N>(per_length_ + j) * near_reciprocal(load<N>(env_.r + j));
      store(g.x + j, load<N>(g.x + j) + scale * load<N>(env_.x + j));
      store(g.y + j, load<N>(g.y + j) + scale * load<N>(env_.y + j));
      store(g.z + j, load<N>(g.z + j) + scale * load<N>(env_.z + j));
    }
  }

 private:
  static constexpr int copies = 4;

  TRIMPOT_INLINE static Columns<Real, N> four_of(const RegisterTable<Real>& table, Vec<std::int32_t, N> place) {
    const auto one = broadcast<N>(std::int32_t{1});
    const auto second = place + one, third = second + one, fourth = third + one;
    return {table.at(place), table.at(second), table.at(third), table.at(fourth)};
  }

  TRIMPOT_INLINE V sum_of_copies(int place) const {
    V sum = load<N>(sums_ + place);
    for (int c = 1; c < copies; ++c) sum += load<N>(sums_ + c * stride_ + place);
    return sum;
  }

  const DensityAxis<Real>& axis_;
  const Environment<Real>& env_;
  int n_species_;
  int count_;  // neighbours up to the last vector that the densities reach
  int stride_; // of the copies of the sums
  std::int32_t* place_;
  Real *x_, *per_length_, *sums_, *fours_;
};

// Components A: four rows of harmonics per neighbour.
template <class Real>
class AngularSums {
 public:
  static constexpr int N = lanes<Real>;
  static constexpr int row = 16;
  using V = Vec<Real, N>;
  using Row = Vec<Real, row>;

  AngularSums(const DensityAxis<Real>& axis, const Environment<Real>& env)
      : axis_(axis), env_(env), count_(axis.n() == 0 ? 0 : axis.reached(env)) {
    if (axis.n() == 0) return;
    const int padded = count_;
    Real* p = env.arena->template take<Real>((row + 11) * padded + copies * row * (axis.places() + 1));
    sums_ = p, p += copies * row * (axis.places() + 1);
    harmonics_ = p, p += row * padded;
    value_ = p, p += 4 * padded;
    slope_ = p, p += 4 * padded;
    x_ = p, p += padded;
    per_length_ = p, p += padded;
    place_ = reinterpret_cast<std::int32_t*>(p);
  }

  int count() const { return count_; }

  // Adds up; A: rows of 15 components and a 0, of all functions and species one after the other.
  TRIMPOT_INLINE void add_up(Real* A) {
    const int stride = row * (axis_.places() + 1);
    clear(sums_, copies * stride);
    for (int j = 0; j < count_; j += N) {
      const V r = load<N>(env_.r + j), inverse = reciprocal(r);
      const auto at = axis_.at(env_.species, r, load<N>(env_.neighbor_species + j));
      store(place_ + j, at.place);
      store(x_ + j, at.x);
      store(per_length_ + j, at.per_length);
      V y[row];
      harmonics(inverse * load<N>(env_.x + j), inverse * load<N>(env_.y + j), inverse * load<N>(env_.z + j), y);
      y[row - 1] = V{};
      Real fours[row * N];
      for (int f = 0; f < 4; ++f) store_fours(fours + 4 * N * f, y[4 * f], y[4 * f + 1], y[4 * f + 2], y[4 * f + 3]);
      const auto v = uniform_values(at.x);
      const V w = env_.weight ? load<N>(env_.weight + j) : broadcast<N>(Real(1));
      store_fours(value_ + 4 * j, w * v.v0, w * v.v1, w * v.v2, w * v.v3);
      for (int l = 0; l < N; ++l) {
        const Real* p = fours + 4 * place_of_four<N>(l);
        const Row harmonic = joined_fours(p, p + 4 * N, p + 8 * N, p + 12 * N);
        store(harmonics_ + row * (j + l), harmonic);
        const Real* value = value_ + 4 * (j + place_of_four<N>(l));
        Real* sum = sums_ + l % copies * stride + row * place_[j + l];
        for (int q = 0; q < 4; ++q)
          store(sum + row * q, load<row>(sum + row * q) + broadcast<row>(value[q]) * harmonic);
      }
    }
    Real* out = A;
    for (int b = 0; b < axis_.n_species(); ++b)
      for (int k = 0; k < axis_.n(); ++k, out += row) {
        const int from = row * (axis_.first(b) + k);
        Row sum = load<row>(sums_ + from);
        for (int c = 1; c < copies; ++c) sum += load<row>(sums_ + c * stride + from);
        store(out, sum);
      }
  }

  // Adds the gradient, from derivatives by A.
  TRIMPOT_INLINE void pull_back(const Real* by_A, Gradient<Real> g) {
    Real* const by = sums_;
    clear(by, row * axis_.places());
    for (int b = 0; b < axis_.n_species(); ++b, by_A += row * axis_.n())
      std::copy_n(by_A, row * axis_.n(), by + row * axis_.first(b));
    Real radial[4 * N], of_weight[4 * N], by_harmonic[row * N];
    for (int j = 0; j < count_; j += N) {
      const auto v = uniform_values(load<N>(x_ + j));
      store_fours(value_ + 4 * j, v.v0, v.v1, v.v2, v.v3);
      store_fours(slope_ + 4 * j, v.s0, v.s1, v.s2, v.s3);
      for (int l = 0; l < N; ++l) {
        const int four = 4 * place_of_four<N>(l);
        const Real *value = value_ + 4 * j + four, *slope = slope_ + 4 * j + four, *from = by + row * place_[j + l];
        Row h{}, s{};
        for (int q = 0; q < 4; ++q) {
          const Row d = load<row>(from + row * q);
          h += broadcast<row>(value[q]) * d;
          s += broadcast<row>(slope[q]) * d;
        }
        const Row harmonic = load<row>(harmonics_ + row * (j + l));
        store(by_harmonic + row * l, h);
        store(radial + four, fold(s * harmonic));
        if (env_.weight) store(of_weight + four, fold(h * harmonic));
      }
      const V r = load<N>(env_.r + j), inverse = reciprocal(r);
      const V ux = inverse * load<N>(env_.x + j), uy = inverse * load<N>(env_.y + j), uz = inverse * load<N>(env_.z + j);
      V h[row], d[3] = {};
      for (int f = 0; f < 4; ++f) {
        const auto four = load_rows<N, Real>([&](int l) { return by_harmonic + row * l + 4 * f; });
        h[4 * f] = four.x, h[4 * f + 1] = four.y, h[4 * f + 2] = four.z, h[4 * f + 3] = four.w;
      }
      harmonics_gradient(ux, uy, uz, h, d);
      const V along = d[0] * ux + (d[1] * uy + d[2] * uz);
      const V outward = load<N>(per_length_ + j) * sums_of_fours<N>(radial) - inverse * along;
      const V w = env_.weight ? load<N>(env_.weight + j) : broadcast<N>(Real(1));
      const V sideways = w * inverse, forward = w * outward;
      store(g.x + j, load<N>(g.x + j) + (sideways * d[0] + forward * ux));
      store(g.y + j, load<N>(g.y + j) + (sideways * d[1] + forward * uy));
      store(g.z + j, load<N>(g.z + j) + (sideways * d[2] + forward * uz));
      if (env_.weight) store(g.weight + j, load<N>(g.weight + j) + sums_of_fours<N>(of_weight));
    }
  }

 private:
  static constexpr int copies = 2;

  const DensityAxis<Real>& axis_;
  const Environment<Real>& env_;
  int count_;  // neighbours up to the last vector that the densities reach
  std::int32_t* place_;
  Real *x_, *per_length_, *sums_, *harmonics_, *value_, *slope_;
};

} // namespace trimpot::TRIMPOT_ISA

// Weights of the edges of atoms, with their slopes by all vectors.
//
// Neighbours are sorted by distance, but not exactly: the search for what screens asks for no more, and edges
// stay in this order.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../edge_weights.hpp"
#include "../memory.hpp"
#include "../term.hpp"
#include "rows.hpp"
#include "screening.hpp"
#include "screening_search.hpp"
#include "simd.hpp"
#include "switches.hpp"

namespace trimpot::TRIMPOT_ISA {

struct ValueAndSlope {
  double value, slope;
};

// f(r) and df/dr (src/trimpot/envelopes/radial.py).
inline ValueAndSlope radial_weight(const RadialSpec& spec, double r) {
  const double x = r / spec.cutoff;
  if (x >= 1.0) return {0.0, 0.0};
  const double y = 1.0 - x;
  switch (spec.kind) {
    case RadialSpec::Kind::cosine: {
      constexpr double pi = 3.14159265358979323846;
      return {0.5 * (1.0 + std::cos(pi * x)), -0.5 * pi * std::sin(pi * x) / spec.cutoff};
    }
    case RadialSpec::Kind::polynomial: {
      const int p = spec.power;
      double rest = 0.0, power = 1.0; // a sum of positive terms, and x^(p - 1)
      for (int m = p - 1; m >= 0; --m) rest = rest * x + 0.5 * (m + 1) * (m + 2);
      for (int m = 1; m < p; ++m) power *= x;
      return {y * y * y * rest, -0.5 * p * (p + 1.0) * (p + 2.0) * power * (y * y) / spec.cutoff};
    }
    case RadialSpec::Kind::bump: break;
  }
  const double rest = y * (1.0 + x), value = std::exp(-x * x / rest);
  return {value, -2.0 * x / (rest * rest) * value / spec.cutoff};
}

class EdgeWeighing {
 public:
  // For atoms with up to this many pairs.
  EdgeWeighing(const EdgeWeightSpec& spec, const PairsView& pairs, std::int64_t most)
      : spec_(spec), limits_(spec.screening), pairs_(pairs), screening_(spec.screening), plain_(screening_.plain()),
        search_(screening_, arena_, static_cast<int>(most), spec.radial.cutoff), found_(search_.places(arena_)) {
    const double longest = spec.radial.cutoff * (spec.screened ? screening_.stretch() * (1.0 + 1e-12) : 1.0);
    farthest_ = longest * longest;
    const std::int64_t size = most + 2 * N;
    for (double** a : {&x_, &y_, &z_, &r_, &s_, &f_, &lift_, &lift_slope_, &sum_})
      *a = arena_.take<double>(size);
    for (double** a : {&given_, &rows_, &own_}) *a = arena_.take<double>(4 * size);
    for (std::int32_t** a : {&given_pair_, &pair_, &atom_, &ends_, &edge_, &left_})
      *a = arena_.take<std::int32_t>(size);
    bin_ = arena_.take<std::uint8_t>(size);
  }

  EdgeWeighing(const EdgeWeighing&) = delete; // the search refers to the screening
  EdgeWeighing& operator=(const EdgeWeighing&) = delete;

  // Appends the edges of an atom.
  void run(std::int64_t atom, WeightedEdges& out) {
    first_ = pairs_.first[atom];
    n_pairs_ = pairs_.first[atom + 1] - first_;
    species_ = pairs_.species[atom];
    gather(atom);
    triplets_.clear();
    if (spec_.screened && count_ > 0) screen();
    const auto before = static_cast<std::int64_t>(out.weights.size());
    out.first.push_back(before);
    weigh();
    write_triplets(before, out);
    write_edges(before, out);
    if (odd_) write_odd(atom, out);
  }

 private:
  static constexpr int N = lanes<double>;
  static constexpr int M = ScreeningSearch<double>::M;
  static constexpr int bins = 64;           // of squared distances
  static constexpr double nothing = 1e-290; // up to this r^2 is 0: ratios of squares would not be finite
  static constexpr std::int32_t gone = -1;
  using V = Vec<double, N>;

  struct Triplet {
    std::int32_t j, k;
  };

  std::array<double, 3> vector(std::int64_t atom, std::int64_t p) const {
    if (pairs_.vectors != nullptr) {
      const double* const d = pairs_.vectors + 3 * (first_ + p);
      return {d[0], d[1], d[2]};
    }
    const double* const a = pairs_.positions + 3 * atom;
    const double* const b = pairs_.positions + 3 * std::ptrdiff_t{pairs_.neighbors[first_ + p]};
    return {b[0] - a[0], b[1] - a[1], b[2] - a[2]};
  }

  // Neighbours that weigh something or screen, as they come: x, y, z, r^2 and the bin of r^2.
  int take(std::int64_t atom) {
    int count = 0;
    const double to_bin = bins / farthest_;
    double* const given = given_;
    std::int32_t* const given_pair = given_pair_;
    std::uint8_t* const bin = bin_;
    bool odd = false;
    for (std::int64_t p = 0, n = n_pairs_; p < n; ++p) {
      const auto d = vector(atom, p);
      const double square = d[0] * d[0] + (d[1] * d[1] + d[2] * d[2]);
      double* const to = given + 4 * count;
      to[0] = d[0], to[1] = d[1], to[2] = d[2], to[3] = square;
      given_pair[count] = static_cast<std::int32_t>(p);
      int in = static_cast<int>(std::min(double{bins}, square * to_bin)); // the last also for what is no number
      if (!(square > nothing)) {
        odd = true;
        in = bins;
      }
      bin[count] = static_cast<std::uint8_t>(in);
      count += in < bins ? 1 : 0; // keeps the slot only then
    }
    odd_ = odd;
    return count;
  }

  // The same of pairs whose atoms stand in rows of four, for whole vectors.
  int take_rows(std::int64_t atom) {
    int count = 0;
    const double *const rows = pairs_.rows, *const own = rows + 4 * atom;
    const V x = broadcast<N>(own[0]), y = broadcast<N>(own[1]), z = broadcast<N>(own[2]);
    const V farthest = broadcast<N>(farthest_), least = broadcast<N>(nothing);
    const std::int32_t* const neighbors = pairs_.neighbors + first_;
    bool odd = false;
    double* const given = given_;
    std::int32_t* const given_pair = given_pair_;
    std::uint8_t* const bin = bin_;
    const double to_bin = bins / farthest_;
    const auto n = static_cast<std::int32_t>(n_pairs_);
    for (std::int32_t p = 0; p < n; p += N) {
      const std::int32_t last = n - 1;
      const auto to = load_rows<N, double>(
          [&](int l) { return rows + std::ptrdiff_t{4} * neighbors[std::min(p + l, last)]; });
      const V dx = to.x - x, dy = to.y - y, dz = to.z - z;
      const V square = dx * dx + (dy * dy + dz * dz);
      const std::uint32_t given_lanes = (1u << std::min(N, n - p)) - 1u;
      const std::uint32_t something = below(least, square) & given_lanes;
      odd |= something != given_lanes;
      double four[4 * N];
      store_rows(four, dx, dy, dz, square);
      for (std::uint32_t bits = below(square, farthest) & something; bits != 0; bits &= bits - 1) {
        const int lane = __builtin_ctz(bits);
        store(given + 4 * count, load<4>(four + 4 * lane));
        given_pair[count] = p + lane;
        bin[count++] = static_cast<std::uint8_t>(std::min(static_cast<int>(four[4 * lane + 3] * to_bin), bins - 1));
      }
    }
    odd_ = odd;
    return count;
  }

  // Neighbours nearest first, but for what shares a bin.
  void gather(std::int64_t atom) {
    const int count = count_ = pairs_.rows != nullptr ? take_rows(atom) : take(atom);
    const double* const given = given_;
    const std::int32_t* const given_pair = given_pair_;
    const std::uint8_t* const bin = bin_;
    int ends[bins + 1] = {}; // of each bin
    for (int a = 0; a < count; ++a) ++ends[bin[a] + 1];
    for (int b = 0; b < bins; ++b) ends[b + 1] += ends[b];
    double* const rows = rows_;
    std::int32_t* const pair = pair_;
    for (int a = 0; a < count; ++a) {
      const int to = ends[bin[a]]++;
      store(rows + 4 * to, load<4>(given + 4 * a));
      pair[to] = given_pair[a];
    }
    for (int j = 0; j < count; j += N) {
      const auto d = load_rows<N, double>([&](int l) { return rows + 4 * (j + l); });
      store(x_ + j, d.x);
      store(y_ + j, d.y);
      store(z_ + j, d.z);
      const V square = d.w;
      double r[N];
      store(r, square);
      for (int l = 0; l < N; ++l) r_[j + l] = std::sqrt(r[l]);
    }
    for (double* a : {x_, y_, z_, r_}) std::fill(a + count, a + count + 2 * N, 1e4);
    for (int j = 0; j < count; ++j) atom_[j] = pairs_.atom(first_ + pair[j]);
    for (int j = 0; j < count; ++j) ends_[j] = pairs_.species[atom_[j]];
    std::fill(ends_ + count, ends_ + count + 2 * N, 0);
  }

  // Finds and works out what screens in part.
  void screen() {
    Environment<double> env;
    env.species = species_;
    env.count = count_;
    env.x = x_, env.y = y_, env.z = z_, env.r = r_;
    env.neighbor_species = ends_;
    env.arena = &arena_;
    search_.run(env, found_);
    std::fill(s_, s_ + count_, 1.0);
    list();
    const auto n = static_cast<int>(triplets_.size());
    if (n == 0) return;
    if (limits_.outer > 0.0)
      for (int j = 0; j < count_; ++j) {
        const auto lift = screening_.lift_at(r_[j]);
        lift_[j] = lift.value, lift_slope_[j] = lift.slope;
      }
    triplets_.insert(triplets_.end(), N, triplets_.back()); // whole vectors
    for (auto* a : {&share_, &slope_, &per_range_, &high_}) a->resize(triplets_.size());
    for (auto* a : {&by_u_, &by_v_}) a->resize(4 * triplets_.size());
    for (int e = 0; e < n; e += N) work_out(e);
    triplets_.resize(static_cast<std::size_t>(n));
    limits_.softmin ? add_shortfalls() : multiply();
  }

  // The neighbours k that screen survivors j in part.
  void list() {
    for (int j = 0; j < count_; j += M) {
      const std::uint64_t lanes_left = found_.alive[j / N] >> (j % N) & ((1u << M) - 1u);
      if (lanes_left == 0) continue;
      const std::uint64_t left = lanes_left * 0x0101010101010101u; // for eight k at once
      const std::uint8_t* const masks = found_.partial + std::ptrdiff_t{j / M} * search_.width();
      for (int k = 0; k < found_.ends[j / M]; k += 8) {
        std::uint64_t bits;
        std::memcpy(&bits, masks + k, sizeof(bits));
        for (bits &= left; bits != 0; bits &= bits - 1) {
          const int bit = __builtin_ctzll(bits);
          triplets_.push_back({j + bit % 8, k + bit / 8});
        }
      }
    }
  }

  // Shares x and dC/du, dC/dv of a vector of triplets; u = r_ij, v = r_ik:
  // t = u.v / u^2, q = v - t u, C = q^2 / (u^2 t (1 - t)).
  void work_out(int e) {
    const Triplet* const which = triplets_.data() + e;
    const double* const rows = rows_;
    const auto u = load_rows<N, double>([&](int l) { return rows + std::ptrdiff_t{4} * which[l].j; });
    const auto v = load_rows<N, double>([&](int l) { return rows + std::ptrdiff_t{4} * which[l].k; });
    V low = broadcast<N>(limits_.c_min[0]), high = broadcast<N>(limits_.c_max[0]), lift{};
    if (!plain_) take_limits(which, low, high, lift);
    const V one = broadcast<N>(1.0), zero{};
    const V square = u.x * u.x + (u.y * u.y + u.z * u.z), dot = u.x * v.x + (u.y * v.y + u.z * v.z);
    const V product = dot * (square - dot), least = broadcast<N>(1e-200);
    const V scale = square * reciprocal(maximum(product, least)); // 1 / (u^2 t (1 - t))
    const V t = dot * reciprocal(square);
    const V qx = v.x - t * u.x, qy = v.y - t * u.y, qz = v.z - t * u.z;
    const V c = (qx * qx + (qy * qy + qz * qz)) * scale;
    const V per_range = reciprocal(high - low);
    const V skew = c * (one - 2.0 * t), along_v = zero - skew * scale, across_v = 2.0 * scale;
    const V along_u = zero - c * t * scale, across_u = zero - (2.0 * t + skew) * scale;
    store(share_.data() + e, (c + lift - low) * per_range);
    store(per_range_.data() + e, per_range);
    store(high_.data() + e, high);
    store_rows(by_u_.data() + 4 * e, along_u * u.x + across_u * qx, along_u * u.y + across_u * qy,
               along_u * u.z + across_u * qz, zero);
    store_rows(by_v_.data() + 4 * e, along_v * u.x + across_v * qx, along_v * u.y + across_v * qy,
               along_v * u.z + across_v * qz, zero);
    for (std::uint32_t beside = below(product, least); beside != 0; beside &= beside - 1) {
      const int l = e + __builtin_ctz(beside); // only by rounding: k does not stand between
      share_[static_cast<std::size_t>(l)] = 1.0;
      high_[static_cast<std::size_t>(l)] = 0.0;
      store(by_u_.data() + 4 * l, Vec<double, 4>{});
      store(by_v_.data() + 4 * l, Vec<double, 4>{});
    }
  }

  void take_limits(const Triplet* which, V& low, V& high, V& lift) const {
    double lows[N], highs[N], lifts[N] = {};
    for (int l = 0; l < N; ++l) {
      const auto [j, k] = which[l];
      const std::size_t trio = screening_.trio(species_, ends_[j], ends_[k]);
      lows[l] = limits_.c_min[trio], highs[l] = limits_.c_max[trio];
      if (limits_.outer > 0.0) lifts[l] = highs[l] * lift_[j];
    }
    low = load<N>(lows), high = load<N>(highs), lift = load<N>(lifts);
  }

  // S = prod_k s(x_k); slopes become dS/dx.
  void multiply() {
    const V least = broadcast<N>(1e-75), most = broadcast<N>(1.0 - 1e-15);
    const auto n = static_cast<int>(triplets_.size());
    double *const share = share_.data(), *const slope = slope_.data(), *const s = s_;
    const Triplet* const which = triplets_.data();
    for (int e = 0; e < n; e += N) {
      const auto values = switch_values(limits_.kind, minimum(maximum(load<N>(share + e), least), most));
      store(share + e, values.value);
      store(slope + e, values.log_slope);
    }
    for (int e = 0; e < n; ++e) s[which[e].j] *= share[e];
    for (int e = 0; e < n; ++e) slope[e] *= s[which[e].j];
  }

  // S = s(1 - y), y^4 = sum_k (1 - x_k)^4.
  void add_shortfalls() {
    const std::size_t n = triplets_.size();
    std::fill(sum_, sum_ + count_, 0.0);
    for (std::size_t e = 0; e < n; ++e) {
      const double y = share_[e] = 1.0 - std::clamp(share_[e], 0.0, 1.0);
      sum_[triplets_[e].j] += (y * y) * (y * y);
    }
    for (int j = 0; j < count_; ++j) {
      if (sum_[j] == 0.0) continue;
      const double y = std::sqrt(std::sqrt(sum_[j]));
      s_[j] = sum_[j] = 0.0;
      if (y >= 1.0) continue;
      const auto s = switch_values(limits_.kind, broadcast<N>(std::clamp(1.0 - y, 1e-75, 1.0 - 1e-15)));
      s_[j] = s.value[0];
      sum_[j] = s.value[0] * s.log_slope[0] / (y * y * y);
    }
    for (std::size_t e = 0; e < n; ++e) slope_[e] = sum_[triplets_[e].j] * (share_[e] * share_[e] * share_[e]);
  }

  // f(r) and df/dr of a vector of neighbours.
  void radial(int start, double* values, double* slopes) const {
    if (spec_.radial.kind != RadialSpec::Kind::bump) {
      for (int j = start; j < std::min(start + N, count_); ++j) {
        const auto f = radial_weight(spec_.radial, r_[j]);
        values[j - start] = f.value, slopes[j - start] = f.slope;
      }
      return;
    }
    const double per_cutoff = 1.0 / spec_.radial.cutoff;
    const V one = broadcast<N>(1.0); // from 1 - 1e-6 on, f is less than any weight
    const V x = minimum(per_cutoff * load<N>(r_ + start), broadcast<N>(1.0 - 1e-6));
    const V per_rest = reciprocal((one - x) * (one + x)), value = exponential(V{} - x * x * per_rest);
    store(values, value);
    store(slopes, (-2.0 * per_cutoff) * (x * (per_rest * per_rest) * value));
  }

  // The neighbours that have a weight, radial weights, and slopes by the length.
  void weigh() {
    n_left_ = 0;
    std::fill(edge_, edge_ + count_, gone);
    for (int start = 0; start < count_; start += N) {
      std::uint32_t bits = spec_.screened ? found_.alive[start / N] : (1u << std::min(N, count_ - start)) - 1u;
      if (bits == 0) continue;
      double f[N], slope[N];
      radial(start, f, slope);
      for (; bits != 0; bits &= bits - 1) {
        const int lane = __builtin_ctz(bits), j = start + lane;
        if (!spec_.screened) s_[j] = 1.0;
        if (f[lane] * s_[j] < smallest_weight) continue;
        f_[j] = f[lane];
        store(own_ + 4 * j, broadcast<4>(slope[lane] * s_[j] / r_[j]) * load<4>(rows_ + 4 * j));
        edge_[j] = n_left_;
        left_[n_left_++] = j;
      }
    }
  }

  template <class T>
  static T* grown(AlignedVector<T>& a, std::int64_t n) {
    const std::size_t before = a.size();
    a.resize(before + static_cast<std::size_t>(n));
    return a.data() + before;
  }

  // Slopes of edges are added to.
  void write_triplets(std::int64_t before, WeightedEdges& out) {
    const auto n = static_cast<std::int64_t>(triplets_.size());
    if (n == 0) return;
    constexpr std::int64_t behind = 1; // fours are written, of which three are kept
    std::int64_t* const screened = grown(out.screened, n);
    std::int32_t* const screening = grown(out.screening, n);
    double* const to_k = grown(out.to_screening, 3 * n + behind);
    double* const slopes = grown(out.screening_slopes, 3 * n + behind);
    const bool lifted = limits_.outer > 0.0;
    std::int64_t t = 0;
    for (std::int64_t e = 0; e < n; ++e) {
      const auto [j, k] = triplets_[static_cast<std::size_t>(e)];
      if (edge_[j] == gone) continue;
      const double scale = f_[j] * slope_[static_cast<std::size_t>(e)] * per_range_[static_cast<std::size_t>(e)];
      const auto by = broadcast<4>(scale);
      const auto lift =
          broadcast<4>(lifted ? scale * high_[static_cast<std::size_t>(e)] * lift_slope_[j] / r_[j] : 0.0);
      store(own_ + 4 * j, load<4>(own_ + 4 * j) + by * load<4>(by_u_.data() + 4 * e) + lift * load<4>(rows_ + 4 * j));
      store(slopes + 3 * t, by * load<4>(by_v_.data() + 4 * e));
      store(to_k + 3 * t, load<4>(rows_ + 4 * k));
      screened[t] = before + edge_[j];
      screening[t++] = atom_[k];
    }
    const auto removed = static_cast<std::size_t>(n - t);
    out.screened.resize(out.screened.size() - removed);
    out.screening.resize(out.screening.size() - removed);
    for (auto* a : {&out.to_screening, &out.screening_slopes}) a->resize(a->size() - 3 * removed - behind);
  }

  void write_edges(std::int64_t before, WeightedEdges& out) const {
    const std::int64_t n = n_left_;
    if (n == 0) return;
    double *const vectors = grown(out.vectors, 3 * n + 1), *const slopes = grown(out.slopes, 3 * n + 1);
    double* const weights = grown(out.weights, n);
    std::int64_t* const index = grown(out.index, n);
    std::int32_t* const neighbors = grown(out.neighbors, n);
    for (std::int64_t m = 0; m < n; ++m) {
      const std::int32_t j = left_[m];
      store(vectors + 3 * m, load<4>(rows_ + 4 * j));
      store(slopes + 3 * m, load<4>(own_ + 4 * j));
      weights[m] = f_[j] * s_[j];
      index[m] = first_ + pair_[j];
      neighbors[m] = atom_[j];
    }
    for (auto* a : {&out.vectors, &out.slopes}) a->resize(static_cast<std::size_t>(3 * (before + n)));
  }

  // A pair of length 0 is not screened; nor is one that is no number, for all to see.
  void write_odd(std::int64_t atom, WeightedEdges& out) const {
    for (std::int64_t p = 0; p < n_pairs_; ++p) {
      const auto d = vector(atom, p);
      const double square = d[0] * d[0] + (d[1] * d[1] + d[2] * d[2]);
      if (square > nothing) continue;
      std::copy_n(d.data(), 3, grown(out.vectors, 3));
      std::fill_n(grown(out.slopes, 3), 3, 0.0 * square);
      out.weights.push_back(1.0 + 0.0 * square);
      out.index.push_back(first_ + p);
      out.neighbors.push_back(pairs_.atom(first_ + p));
    }
  }

  const EdgeWeightSpec& spec_;
  const ScreeningSpec& limits_;
  const PairsView& pairs_;
  Screening screening_;
  bool plain_;
  Arena arena_;
  ScreeningSearch<double> search_;
  Found found_;
  double farthest_ = 0.0;                // r^2 beyond which pairs do not matter
  std::int64_t first_ = 0, n_pairs_ = 0; // of the atom
  int species_ = 0, count_ = 0, n_left_ = 0;
  bool odd_ = false; // whether there are pairs of length 0, or that are no numbers
  double* given_;    // x, y, z, r^2 of neighbours as they come
  std::int32_t* given_pair_;
  std::uint8_t* bin_;
  double *rows_, *own_; // of neighbours, nearest first: x, y, z, r^2; dw/dr_ij
  double *x_, *y_, *z_, *r_, *s_, *f_, *lift_, *lift_slope_, *sum_;
  std::int32_t *pair_, *atom_, *ends_, *edge_; // pairs and edges count from the first of the atom
  std::int32_t* left_;                         // neighbours that have a weight
  std::vector<Triplet> triplets_;
  AlignedVector<double> share_, slope_, per_range_, high_, by_u_, by_v_; // of triplets
};

} // namespace trimpot::TRIMPOT_ISA

// The neighbours of some atoms that have a weight, and how the weights change with displacements.
//
// The few (j, k) between both limits of C are kept, and worked out for whole vectors of them. Several
// atoms are taken at once: loops over all that they keep are long and predicted well, and what one
// step writes has arrived when the next reads it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../memory.hpp"
#include "../specs.hpp"
#include "../term.hpp"
#include "rows.hpp"
#include "screening.hpp"
#include "screening_search.hpp"
#include "simd.hpp"
#include "switches.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class Real>
class Survivors {
 public:
  // Neighbours within reach get weights; what screens them lies within stretch() times that.
  Survivors(const Screening& screening, const Task<Real>* tasks, int n_tasks, double reach)
      : screening_(screening), spec_(screening.spec()), arena_(*tasks[0].env.arena), n_tasks_(n_tasks),
        plain_(screening.plain()) {
    int most = 0;
    for (int t = 0; t < n_tasks; ++t) {
      states_[t].all = &tasks[t].env;
      most = std::max(most, tasks[t].env.count);
    }
    stride_ = (most + 2 * N) / N * N;
    take_memory();
    const ScreeningSearch<Real> search(screening, arena_, most, reach);
    width_ = search.width();
    for (int t = 0; t < n_tasks; ++t) {
      states_[t].found = search.places(arena_);
      search.run(tasks[t].env, states_[t].found);
    }
    for (int t = 0; t < n_tasks; ++t) list_masks(t);
    list_entries();
    if (n_ > 0) {
      work_out();
      combine();
    }
    for (int t = 0; t < n_tasks; ++t) take_survivors(t);
  }

  // The survivors among the neighbours of a task.
  const Environment<Real>& environment(int t) const { return states_[t].left; }

  // Where terms put what they add to the gradient of a task: 0 at first.
  Gradient<Real> gradient(int t) const {
    const std::ptrdiff_t at = start(t);
    return {own_x_ + at, own_y_ + at, own_z_ + at, by_weight_ + at};
  }

  // How many of the first neighbours survive or change a weight.
  int touched(int t) const { return states_[t].touched; }

  // Adds the gradients of the survivors, those by their weights included, to the tasks' own.
  void pull_back(Task<Real>* tasks) {
    if (n_ > 0) pull_entries();
    for (int t = 0; t < n_tasks_; ++t) {
      const State& state = states_[t];
      const Gradient<Real> own = gradient(t), g = tasks[t].gradient;
      const Real *const on_j = on_j_ + 4 * start(t), *const on_k = on_k_ + 4 * start(t);
      const std::uint32_t* const alive = state.found.alive;
      int a = 0;
      for (int j = 0, end = state.touched; j < end; j += N) {
        const std::uint32_t bits = alive[j / N];
        const auto p = load_rows<N, Real>([&](int l) { return on_j + 4 * (j + l); });
        const auto q = load_rows<N, Real>([&](int l) { return on_k + 4 * (j + l); });
        store(g.x + j, load<N>(g.x + j) + ((p.x + q.x) + unpack<N>(own.x + a, bits)));
        store(g.y + j, load<N>(g.y + j) + ((p.y + q.y) + unpack<N>(own.y + a, bits)));
        store(g.z + j, load<N>(g.z + j) + ((p.z + q.z) + unpack<N>(own.z + a, bits)));
        a += __builtin_popcount(bits);
      }
    }
  }

  // Of a single task: calls visit(a, j, k, dS_a/dd_j, dS_a/dd_k) for the parts of the derivatives of
  // the weights, neighbour j being survivor a.
  template <class Visit>
  void for_each_derivative(Visit&& visit) const {
    const std::vector<int> place = places();
    for (int e = 0; e < n_; ++e) {
      const Real scale = slope_[e] * (spec_.softmin ? Real(1) : weight_[j_[e]]);
      const int at = 4 * (e / N * N + place_of_four<N>(e % N));
      Real on_j[4], on_k[4];
      store(on_j, broadcast<4>(scale) * load<4>(by_u_ + at));
      store(on_k, broadcast<4>(scale) * load<4>(by_v_ + at));
      visit(place[static_cast<std::size_t>(j_[e])], j_[e], k_[e], on_j, on_k);
    }
  }

 private:
  static constexpr int N = lanes<Real>;
  static constexpr int M = ScreeningSearch<Real>::M;
  static constexpr int words = lanes<float>; // masks that are read at once
  using V = Vec<Real, N>;

  struct State {
    const Environment<Real>* all = nullptr;
    Environment<Real> left;
    Found found{};
    int touched = 0; // neighbours behind it neither survive nor screen
    std::int32_t *mask = nullptr, *k = nullptr; // screenings in part: vector of j, its lanes; the atom
    int n_masks = 0;
  };

  static int padded(int n) { return (n + N - 1) / N * N; }
  std::ptrdiff_t start(int t) const { return std::ptrdiff_t{t} * stride_; }

  void take_memory() {
    const std::int64_t all = std::int64_t{n_tasks_} * stride_;
    x_ = arena_.take<Real>(23 * all);
    Real* next = x_;
    for (Real** a : {&x_, &y_, &z_, &r_, &left_weight_, &own_x_, &own_y_, &own_z_, &by_weight_, &weight_, &pulled_}) {
      *a = next;
      next += all;
    }
    for (Real** a : {&rows_, &on_j_, &on_k_}) {
      *a = next;
      next += 4 * all;
    }
    species_ = arena_.take<std::int32_t>(2 * all);
    neighbor_ = species_ + all;
  }

  // Who screens survivors in part.
  void list_masks(int t) {
    State& state = states_[t];
    int most = 2 * words;
    for (int j = 0; j < state.all->count; j += M) most += state.found.ends[j / M];
    state.mask = arena_.take<std::int32_t>(2 * most);
    state.k = state.mask + most;
    const int count = state.all->count;
    const std::uint32_t* const survivors = state.found.alive;
    const int* const ends = state.found.ends;
    const std::uint8_t* const partial = state.found.partial;
    const std::ptrdiff_t width = width_;
    std::int32_t *mask_end = state.mask, *k_end = state.k;
    for (int j = 0; j < count; j += N) {
      const std::uint32_t alive = survivors[j / N];
      if (alive == 0) continue;
      const auto vector = broadcast<words>(j / N << 16);
      int end = 0;
      for (int v = j / M; v < (j + N) / M; ++v) end = std::max(end, ends[v]);
      for (int k = 0; k < end; k += words) {
        Vec<std::int32_t, words> mask{};
        for (int l = 0; l < N; l += M) {
          const int v = (j + l) / M;
          const auto lanes_left = static_cast<std::int32_t>(k < ends[v] ? alive >> l & ((1u << M) - 1u) : 0u);
          mask = mask + (1 << l) * both(widened<words>(partial + v * width + k), broadcast<words>(lanes_left));
        }
        const std::uint32_t bits = not_zero(mask);
        pack(mask_end, bits, mask + vector);
        pack(k_end, bits, iota<words>(k));
        const int found = __builtin_popcount(bits);
        mask_end += found;
        k_end += found;
      }
      state.touched = std::max(state.touched, std::min(count, j + N));
      if (k_end != state.k) state.touched = std::max(state.touched, k_end[-1] + 1);
    }
    state.n_masks = static_cast<int>(k_end - state.k);
  }

  // Writes down (j, k) of what screens a survivor in part.
  void list_entries() {
    int most = 0;
    for (int t = 0; t < n_tasks_; ++t) most += N * states_[t].n_masks;
    j_ = arena_.take<std::int32_t>(2 * (most + 2 * N));
    k_ = j_ + most + 2 * N;
    std::int32_t *j_end = j_, *k_end = k_;
    for (int t = 0; t < n_tasks_; ++t) {
      const State& state = states_[t];
      const auto at = static_cast<std::int32_t>(start(t));
      const std::int32_t *const masks = state.mask, *const ks = state.k;
      for (int w = 0, n = state.n_masks; w < n; ++w) {
        const std::int32_t mask = masks[w];
        const std::uint32_t bits = static_cast<std::uint32_t>(mask) & ((1u << N) - 1u);
        pack(j_end, bits, iota<N>(0) + broadcast<N>(at + (mask >> 16) * N));
        store(k_end, broadcast<N>(at + ks[w]));
        const int found = __builtin_popcount(bits);
        j_end += found;
        k_end += found;
      }
      for (int j = 0; j < state.touched; j += N) store(weight_ + at + j, broadcast<N>(Real(1)));
      clear(on_j_ + 4 * start(t), 4 * padded(state.touched));
      clear(on_k_ + 4 * start(t), 4 * padded(state.touched));
    }
    n_ = static_cast<int>(j_end - j_);
  }

  // Shares of all screenings in part and derivatives of C.
  void work_out() {
    const int size = (n_ + 2 * N - 1) / (2 * N) * (2 * N);
    slope_ = arena_.take<Real>(std::int64_t{11} * size);
    share_ = slope_ + size;
    by_u_ = share_ + size;
    by_v_ = by_u_ + 4 * size;
    per_range_ = by_v_ + 4 * size;
    // Idle lanes look at the first pair of neighbours again.
    store(j_ + n_, broadcast<2 * N>(j_[0]));
    store(k_ + n_, broadcast<2 * N>(k_[0]));
    for (int t = 0; t < n_tasks_; ++t) write_rows(rows_ + 4 * start(t), *states_[t].all, states_[t].touched);
    Real* const in = arena_.take<Real>(plain_ ? 0 : std::int64_t{3} * size);
    gather(in, size);
    for (int e = 0; e < n_; e += 2 * N) work_out(e, in + e, size);
  }

  static void write_rows(Real* rows, const Environment<Real>& env, int count) {
    for (int j = 0; j < count; j += N)
      store_rows(rows + 4 * j, load<N>(env.x + j), load<N>(env.y + j), load<N>(env.z + j), V{});
  }

  // C_min, C_max - C_min, what lifts C of all screenings in part, each `stride` numbers.
  void gather(Real* in, int stride) const {
    for (int e = 0; e < (plain_ ? 0 : stride); ++e) {
      const int t = k_[e] / stride_;
      const Environment<Real>& all = *states_[t].all;
      const std::ptrdiff_t j = j_[e] - start(t), k = k_[e] - start(t);
      const std::size_t trio = screening_.trio(all.species, all.neighbor_species[j], all.neighbor_species[k]);
      const auto lift = screening_.lift_at(static_cast<double>(all.r[j]));
      const double high = spec_.c_max[trio], low = spec_.c_min[trio];
      in[e] = static_cast<Real>(low - high * lift.value);
      in[stride + e] = static_cast<Real>(high - low);
      in[2 * stride + e] = static_cast<Real>(high * lift.slope) / all.r[j];
    }
  }

  // Shares x of the range of C, or their switches, and derivatives of C for the entries from e on: two
  // vectors at once, whose long chains of operations do not wait for each other.
  TRIMPOT_INLINE void work_out(int e, const Real* in, int stride) {
    using W = Vec<Real, 2 * N>;
    const auto u = vectors_to(j_ + e), v = vectors_to(k_ + e);
    const W one = broadcast<2 * N>(Real(1)), zero{};
    const W square = u.x * u.x + (u.y * u.y + u.z * u.z), dot = u.x * v.x + (u.y * v.y + u.z * v.z);
    const W t = dot * near_reciprocal(square);
    const W qx = v.x - t * u.x, qy = v.y - t * u.y, qz = v.z - t * u.z;
    const W scale = square * near_reciprocal(dot * (square - dot)); // 1 / (u^2 t (1 - t))
    const W c = (qx * qx + (qy * qy + qz * qz)) * scale;
    const W low = plain_ ? broadcast<2 * N>(static_cast<Real>(spec_.c_min[0])) : load<2 * N>(in);
    const W range = plain_ ? broadcast<2 * N>(static_cast<Real>(spec_.c_max[0] - spec_.c_min[0])) : load<2 * N>(in + stride);
    const W lift = plain_ ? zero : load<2 * N>(in + 2 * stride);
    const W per_range = near_reciprocal(range), within = (c - low) * per_range;
    const W x = minimum(maximum(within, broadcast<2 * N>(smallest)), broadcast<2 * N>(Real(1) - smallest));
    const W skew = c * (one - Real(2) * t);
    const W along_v = zero - skew * scale, across_v = Real(2) * scale;
    store_both(by_v_ + 4 * e, across_v * qx + along_v * u.x, across_v * qy + along_v * u.y, across_v * qz + along_v * u.z);
    const W along_u = lift - c * t * scale, across_u = zero - (Real(2) * t + skew) * scale;
    store_both(by_u_ + 4 * e, along_u * u.x + across_u * qx, along_u * u.y + across_u * qy, along_u * u.z + across_u * qz);
    if (spec_.softmin) {
      store(share_ + e, x);
      store(per_range_ + e, per_range);
    } else {
      const auto s = switch_values(spec_.kind, x);
      store(share_ + e, s.value);
      store(slope_ + e, s.log_slope * per_range);
    }
  }

  TRIMPOT_INLINE Columns<Real, 2 * N> vectors_to(const std::int32_t* index) const {
    const Real* const rows = rows_;
    const auto a = load_rows<N, Real>([&](int l) { return rows + std::ptrdiff_t{4} * index[l]; });
    const auto b = load_rows<N, Real>([&](int l) { return rows + std::ptrdiff_t{4} * index[N + l]; });
    return {{a.x, b.x}, {a.y, b.y}, {a.z, b.z}, {a.w, b.w}};
  }

  TRIMPOT_INLINE static void store_both(Real* p, Vec<Real, 2 * N> x, Vec<Real, 2 * N> y, Vec<Real, 2 * N> z) {
    store_fours(p, x.low, y.low, z.low, V{});
    store_fours(p + 4 * N, x.high, y.high, z.high, V{});
  }

  // The weights; slopes become d(log S)/dC, or dS/dC of softmin.
  void combine() {
    if (spec_.softmin) return add_shortfalls();
    for (int e = n_; e < padded(n_); ++e) share_[e] = Real(1), slope_[e] = Real(0);
    const std::int32_t* const j = j_;
    const Real* const share = share_;
    Real* const weight = weight_;
    for (int e = 0, n = n_; e < n; ++e) weight[j[e]] *= share[e];
  }

  // S = s(1 - y), y^4 = sum_k (1 - x_k)^4.
  void add_shortfalls() {
    const std::int64_t all = std::int64_t{n_tasks_} * stride_;
    Real *const sum = arena_.take<Real>(all), *const factor = arena_.take<Real>(all);
    std::fill(sum, sum + all, Real(0));
    for (int e = 0; e < n_; ++e) {
      const Real y = Real(1) - share_[e];
      sum[j_[e]] += (y * y) * (y * y);
    }
    for (std::int64_t a = 0; a < all; ++a) {
      if (sum[a] == Real(0)) continue;
      const Real y = std::sqrt(std::sqrt(sum[a]));
      const auto s = switch_values(spec_.kind, broadcast<N>(std::clamp(Real(1) - y, smallest, Real(1) - smallest)));
      weight_[a] = y < Real(1) ? s.value[0] : Real(0);
      factor[a] = y < Real(1) ? s.value[0] * s.log_slope[0] / (y * y * y) : Real(0);
    }
    for (int e = 0; e < padded(n_); ++e) {
      const Real y = Real(1) - share_[e];
      slope_[e] = e < n_ ? factor[j_[e]] * (y * y * y) * per_range_[e] : Real(0);
    }
  }

  // The neighbours that have a weight, as an environment of their own.
  void take_survivors(int t) {
    State& state = states_[t];
    const Environment<Real>& env = *state.all;
    const std::ptrdiff_t at = start(t);
    Real* const numbers[] = {x_ + at, y_ + at, z_ + at, r_ + at, left_weight_ + at};
    const Real* const of_all[] = {env.x, env.y, env.z, env.r, weight_ + at};
    std::int32_t *const species = species_ + at, *const neighbor = neighbor_ + at;
    const std::int32_t *const species_of_all = env.neighbor_species, *const neighbor_of_all = env.neighbor;
    const std::uint32_t* const alive = state.found.alive;
    int count = 0;
    for (int j = 0, end = state.touched; j < end; j += N) {
      const std::uint32_t bits = alive[j / N];
      for (int a = 0; a < 5; ++a) pack(numbers[a] + count, bits, load<N>(of_all[a] + j));
      pack(species + count, bits, load<N>(species_of_all + j));
      pack(neighbor + count, bits, load<N>(neighbor_of_all + j));
      count += __builtin_popcount(bits);
    }
    const std::ptrdiff_t to = at + count;
    for (Real* a : {x_, y_, z_, r_}) store(a + to, broadcast<N>(Real(1e4)));
    store(left_weight_ + to, V{});
    store(species_ + to, Vec<std::int32_t, N>{});
    Environment<Real>& left = state.left;
    left = env;
    left.count = count;
    left.x = x_ + at, left.y = y_ + at, left.z = z_ + at, left.r = r_ + at, left.weight = left_weight_ + at;
    left.neighbor_species = species_ + at;
    left.neighbor = neighbor_ + at;
    for (Real* a : {own_x_, own_y_, own_z_, by_weight_}) clear(a + at, padded(left.count + N));
  }

  // What dE/dweight of the survivors means for the displacements of all.
  void pull_entries() {
    const std::ptrdiff_t n = n_;
    for (int t = 0; t < n_tasks_; ++t) {
      std::ptrdiff_t a = start(t);
      for (int j = 0; j < states_[t].touched; j += N) {
        const std::uint32_t bits = states_[t].found.alive[j / N];
        const V scale = spec_.softmin ? broadcast<N>(Real(1)) : load<N>(weight_ + start(t) + j);
        store(pulled_ + start(t) + j, scale * unpack<N>(by_weight_ + a, bits));
        a += __builtin_popcount(bits);
      }
    }
    const std::int32_t *const j = j_, *const k = k_;
    const Real *const pulled = pulled_, *const slope = slope_, *const by_u = by_u_, *const by_v = by_v_;
    Real *const on_j = on_j_, *const on_k = on_k_;
    for (std::ptrdiff_t e = 0; e < n; e += N) {
#pragma GCC unroll 16
      for (int l = 0; l < N; ++l) {
        const std::ptrdiff_t to_j = j[e + l], to_k = k[e + l], at = 4 * (e + place_of_four<N>(l));
        const auto scale = broadcast<4>(pulled[to_j] * slope[e + l]);
        store(on_j + 4 * to_j, load<4>(on_j + 4 * to_j) + scale * load<4>(by_u + at));
        store(on_k + 4 * to_k, load<4>(on_k + 4 * to_k) + scale * load<4>(by_v + at));
      }
    }
  }

  // Of a single task: of each neighbour, how many before it survive.
  std::vector<int> places() const {
    std::vector<int> found;
    int before = 0;
    for (int j = 0; j < states_[0].all->count; ++j) {
      found.push_back(before);
      before += states_[0].found.alive[j / N] >> (j % N) & 1u;
    }
    return found;
  }

  static constexpr Real smallest = sizeof(Real) == 4 ? Real(1e-6) : Real(1e-14); // share of its range

  const Screening& screening_;
  const ScreeningSpec& spec_;
  Arena& arena_;
  int n_tasks_, stride_ = 0; // places for the neighbours of a task
  bool plain_;               // all pairs have the same limits
  int width_ = 0;            // of the masks of a vector of j
  int n_ = 0;                // screenings in part
  State states_[most_tasks];
  Real *x_, *y_, *z_, *r_, *left_weight_, *own_x_, *own_y_, *own_z_, *by_weight_; // survivors, as terms see them
  std::int32_t *species_, *neighbor_;
  Real *weight_, *pulled_;                   // of all neighbours, and what slopes are multiplied by
  Real *rows_;                               // x, y, z, 0 of neighbours
  Real *on_j_, *on_k_;                       // their gradients from weights
  std::int32_t *j_ = nullptr, *k_ = nullptr; // of screenings in part
  Real *slope_ = nullptr, *share_ = nullptr, *per_range_ = nullptr;
  Real *by_u_ = nullptr, *by_v_ = nullptr;       // dC/dd_j, dC/dd_k, fours in the order of store_fours
};

} // namespace trimpot::TRIMPOT_ISA

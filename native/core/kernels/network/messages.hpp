// What atoms gather from their neighbours, and back: sixteen edges of an atom at a time, whose
// radial functions stay in the nearest cache.
#pragma once

#include "edges.hpp"
#include "nodes.hpp"
#include "sizes.hpp"
#include "totals.hpp"

namespace trimpot::TRIMPOT_ISA {

// Derivatives by what neighbours send; each thread has its own.
template <class L>
struct SentBack {
  AlignedVector<L> value, sent, key, neighbor;
};

template <class N, int Degree, class Form>
class Messages {
 public:
  using T = typename N::Real;
  using R = typename N::Scalar;
  using L = typename N::Lanes;
  static constexpr int C = (Degree + 1) * (Degree + 1);
  static constexpr bool plain = std::is_same_v<R, T>; // else only the gradient of parameters is asked for

  Messages(const NetworkShape& shape, const LayerParameters<T>& parameters, const LayerState<L>& state, bool first)
      : s(shape), w(parameters), a(state), first_(first), columns(shape, first), K(shape.channels / width),
        G(shape.gate_hidden / width), heads(s.heads), groups(1 + s.heads) {
    masks_.resize(static_cast<std::size_t>(groups * K));
    is_mean_.resize(static_cast<std::size_t>(K));
    std::fill(masks_.begin(), masks_.end(), Block16<T>{});
    std::fill(is_mean_.begin(), is_mean_.end(), Block16<T>{});
    for (int k = 0; k < s.channels; ++k) {
      const int pool = s.pooling_of_channel[static_cast<std::size_t>(k)]; // below 0: a channel that is not used
      if (pool < 0) continue;
      const int kind = s.pooling[static_cast<std::size_t>(pool)];
      set_lane(masks_.data() + std::max(0, kind - 1) * K, k, T(1));
      if (kind == 1) set_lane(is_mean_.data(), k, T(1));
    }
    sum_scale_ = T(1) / std::sqrt(static_cast<T>(s.mean_weight));
    mean_scale_ = static_cast<T>(1.0 + s.mean_weight) * sum_scale_;
    attention_scale_ = std::sqrt(static_cast<T>(s.mean_weight));
  }

  // Writes what atom i gathers, C x K blocks, and 1 / (1 + sum of shares) of each group.
  void forward(std::int64_t i, const EdgeState<N>* edges, int count, L* sum, R* over, Arena& arena) const {
    const Arena::Scope scope(arena);
    Tile tile = room<false>(arena);
    for (int c = 0; c < C * K; ++c) sum[c] = L{};
    for (int g = 0; g < groups; ++g) over[g] = R{T(1)};
    for (int begin = 0; begin < count; begin += width) {
      const int n = std::min(width, count - begin);
      open<false>(i, edges + begin, n, tile);
      for (int g = 0; g < groups; ++g) over[g] += total(tile.grown[g]);
      gather(edges + begin, n, tile, sum);
    }
    for (int g = 0; g < groups; ++g) over[g] = inverse(over[g]);
    for (int k = 0; k < K; ++k) {
      const L norm = norm_of(over, k);
#pragma GCC unroll 16
      for (int m = 0; m < C; ++m) sum[m * K + k] = norm * sum[m * K + k];
    }
  }

  struct Back {
    const L *sum, *sum_bar;  // of atom i
    const R* over;           // of atom i, per group
    R degree_bar;            // by the sum of its weights over their mean
    L *query_bar, *center_bar; // of atom i; null without
    SentBack<L>* sent;       // null: nobody asks
    double *vectors, *weights; // of its edges; null: nobody asks
    T* gradient;             // of parameters; null: nobody asks
  };
  void backward(std::int64_t i, const EdgeState<N>* edges, int count, const Back& to, Arena& arena) const {
    const Arena::Scope scope(arena);
    Tile tile = room<true>(arena);
    const Common common = common_of(to, arena);
    for (int h = 0; h < heads; ++h) to.query_bar[h] = L{};
    for (int b = 0; b < G; ++b) to.center_bar[b] = L{};
    for (int begin = 0; begin < count; begin += width) {
      const int n = std::min(width, count - begin);
      const EdgeState<N>* const around = edges + begin;
      open<true>(i, around, n, tile);
      for (int e = 0; e < n; ++e) {
        if (to.sent != nullptr)
          edge_back<true>(around[e], e, tile, common, to);
        else
          edge_back<false>(around[e], e, tile, common, to);
      }
      if (G > 0) gate_back(around, n, tile, to);
      const L weight_bar = shares_back(i, around, n, tile, common, to);
      if (to.gradient != nullptr)
        for (int e = 0; e < n; ++e) add_to_table(around[e], tile.radial_bar + e * columns.all, to.gradient);
      if constexpr (plain)
        if (to.vectors != nullptr) finish(around, begin, n, tile, weight_bar, to);
    }
  }

 private:
  // Sixteen edges: what all channels share, and derivatives.
  struct Tile {
    L* radial;           // edges x columns
    Block16<T>* slopes;  // the same: their derivatives by the distance
    L *pre, *hidden;     // edges x G, before and after activation
    L *gate, *share;     // edges x K; shares before they are normalised
    L *grown, *slope, *rise; // per group; lanes are edges: w e^s, its derivative by the score, e^s
    L *radial_bar, *z_bar, *hidden_bar; // edges x columns, K, G
    L *group_bar, *y_bar, *y_lanes_bar; // group x edges, component x edges: to be summed; edges: a component per lane
  };
  // Of one atom, on the way back.
  struct Common {
    L* bar;   // by what it gathers before that is normalised
    R* along; // per group: what all shares lose by normalisation
    R degree; // to all weights
  };

  template <bool back>
  Tile room(Arena& arena) const {
    const auto take = [&](std::int64_t n) {
      L* const p = arena.take<L>(n);
      std::fill(p, p + n, L{});
      return p;
    };
    Tile t{};
    t.radial = arena.take<L>(width * columns.all);
    t.pre = arena.take<L>(width * G), t.hidden = arena.take<L>(width * G);
    t.gate = arena.take<L>(width * K), t.share = arena.take<L>(width * K);
    t.grown = take(groups), t.slope = take(groups), t.rise = take(groups);
    if constexpr (back) {
      if constexpr (plain) t.slopes = arena.take<Block16<T>>(width * columns.all);
      t.radial_bar = arena.take<L>(width * columns.all);
      t.z_bar = arena.take<L>(width * K), t.hidden_bar = arena.take<L>(width * G);
      t.group_bar = take(width * groups), t.y_bar = take(width * C), t.y_lanes_bar = take(width);
    }
    return t;
  }

  struct Basis {
    TRIMPOT_INLINE explicit Basis(const EdgeState<N>& edge) {
      for (int q = 0; q < 4; ++q) b[q] = spread(edge.basis[q]);
    }
    L b[4];
  };
  TRIMPOT_INLINE const Block16<T>* row_of(const EdgeState<N>& edge) const {
    return w.table.w + std::ptrdiff_t{edge.interval} * columns.all;
  }

  template <bool with_slopes>
  void open(std::int64_t i, const EdgeState<N>* edges, int n, Tile& t) const {
    const int all = columns.all;
    for (int e = 0; e < n; ++e) {
      const Block16<T>* const row = row_of(edges[e]);
      const Basis at(edges[e]);
      L* const radial = t.radial + e * all;
      if constexpr (with_slopes && plain) {
        Block16<T>* const slopes = t.slopes + e * all;
        Block16<T> d[4];
        for (int q = 0; q < 4; ++q) d[q] = broadcast<width>(edges[e].slope[q]);
        for (int b = 0; b < all; ++b) {
          const Block16<T> r0 = row[b], r1 = row[all + b], r2 = row[2 * all + b], r3 = row[3 * all + b];
          radial[b] = (r0 * at.b[0] + r1 * at.b[1]) + (r2 * at.b[2] + r3 * at.b[3]);
          slopes[b] = (r0 * d[0] + r1 * d[1]) + (r2 * d[2] + r3 * d[3]);
        }
      } else {
        for (int b = 0; b < all; ++b)
          radial[b] = (row[b] * at.b[0] + row[all + b] * at.b[1]) + (row[2 * all + b] * at.b[2] + row[3 * all + b] * at.b[3]);
      }
    }
    L weights{};
    for (int e = 0; e < n; ++e) set_lane(&weights, e, edges[e].weight);
    t.grown[0] = weights;
    for (int h = 0; h < heads; ++h) score(i, h, weights, edges, n, t);
    for (int e = 0; e < n; ++e)
      for (int k = 0; k < K; ++k) {
        L share = masks_[static_cast<std::size_t>(k)] * spread(edges[e].weight);
        for (int g = 1; g < groups; ++g)
          share += masks_[static_cast<std::size_t>(g * K + k)] * spread(lane_of(t.grown + g, e));
        t.share[e * K + k] = share;
      }
    if (G > 0) gates(i, edges, n, t);
  }

  static constexpr double limit = 8.0; // of scores

  void score(std::int64_t i, int head, L weights, const EdgeState<N>* edges, int n, Tile& t) const {
    const L query = a.query[static_cast<std::size_t>(i * heads + head)];
    L products[width] = {}, raw{};
    for (int e = 0; e < n; ++e) {
      products[e] = query * t.radial[e * columns.all + columns.scores + head] * edges[e].y;
      set_lane(&raw, e, lane_of(&a.key[static_cast<std::size_t>(edges[e].neighbor)], head));
    }
    raw += totals(products);
    // limit tanh(a / limit) = limit (2 sigmoid(2 a / limit) - 1)
    const L half = sigmoid(spread(R{T(2.0 / limit)}) * raw);
    const L rise = exponential_of(spread(R{T(2.0 * limit)}) * half - spread(R{T(limit)}));
    t.rise[1 + head] = rise;
    t.grown[1 + head] = weights * rise;
    t.slope[1 + head] = weights * rise * (spread(R{T(4)}) * half * (constant(half, T(1)) - half));
  }

  void gates(std::int64_t i, const EdgeState<N>* edges, int n, Tile& t) const {
    const L* in[width];
    L* out[width];
    for (int e = 0; e < n; ++e) {
      for (int b = 0; b < G; ++b) {
        const L pre = a.gate_center[static_cast<std::size_t>(i * G + b)] +
                      a.gate_neighbor[static_cast<std::size_t>(edges[e].neighbor * G + b)] +
                      t.radial[e * columns.all + columns.gate + b];
        t.pre[e * G + b] = pre;
        t.hidden[e * G + b] = silu(pre).value;
      }
      in[e] = t.hidden + e * G;
      out[e] = t.gate + e * K;
    }
    times(w.gate_out, in, out, n, false);
    for (int e = 0; e < n; ++e)
      for (int k = 0; k < K; ++k) {
        L& gate = t.gate[e * K + k];
        gate = sigmoid(gate + Nodes<N>::constant_block(w.gate_out_bias.w[k], gate));
        gate = gate + gate;
      }
  }

  void gather(const EdgeState<N>* edges, int n, const Tile& t, L* sum) const {
    for (int k = 0; k < K; ++k) {
      L gathered[C];
#pragma GCC unroll 16
      for (int m = 0; m < C; ++m) gathered[m] = sum[m * K + k];
      for (int e = 0; e < n; ++e) {
        const EdgeState<N>& edge = edges[e];
        const L* const radial = t.radial + e * columns.all + k;
        const L share = t.share[e * K + k], factor = G > 0 ? share * t.gate[e * K + k] : share;
        const L value = a.value[static_cast<std::size_t>(edge.neighbor * K + k)] * factor;
#pragma GCC unroll 16
        for (int l = 0; l <= Degree; ++l) {
          const L c = value * radial[l * K];
#pragma GCC unroll 16
          for (int m = l * l; m < (l + 1) * (l + 1); ++m) gathered[m] += spread(lane_of(&edge.y, m)) * c;
        }
        if (first_) continue;
        const L* const sent = a.sent.data() + std::int64_t{edge.neighbor} * C * K + k;
        const L* const passed = radial + (Degree + 1) * K;
#pragma GCC unroll 16
        for (int l = 1; l <= Degree; ++l) {
          const L c = factor * passed[(l - 1) * K];
#pragma GCC unroll 16
          for (int m = l * l; m < (l + 1) * (l + 1); ++m) gathered[m] += c * sent[m * K];
        }
      }
#pragma GCC unroll 16
      for (int m = 0; m < C; ++m) sum[m * K + k] = gathered[m];
    }
  }

  // What multiplies sums over shares of a channel.
  TRIMPOT_INLINE L norm_of(const R* over, int k) const {
    const Block16<T> mean = is_mean_[static_cast<std::size_t>(k)], add = masks_[static_cast<std::size_t>(k)];
    Block16<T> sum = add;
    sum -= mean;
    L norm = mean * spread(mean_scale_ * over[0]) + sum * spread(R{sum_scale_});
    for (int g = 1; g < groups; ++g)
      norm += masks_[static_cast<std::size_t>(g * K + k)] * spread(attention_scale_ * over[g]);
    return norm;
  }

  Common common_of(const Back& to, Arena& arena) const {
    Common common{arena.take<L>(C * K), arena.take<R>(groups), static_cast<T>(1.0 / s.mean_weight) * to.degree_bar};
    for (int g = 0; g < groups; ++g) common.along[g] = R{};
    for (int k = 0; k < K; ++k) {
      const L norm = norm_of(to.over, k);
      L product{};
#pragma GCC unroll 16
      for (int m = 0; m < C; ++m) {
        common.bar[m * K + k] = norm * to.sum_bar[m * K + k];
        product += to.sum_bar[m * K + k] * to.sum[m * K + k];
      }
      common.along[0] += total(is_mean_[static_cast<std::size_t>(k)] * product) * to.over[0];
      for (int g = 1; g < groups; ++g)
        common.along[g] += total(masks_[static_cast<std::size_t>(g * K + k)] * product) * to.over[g];
    }
    common.degree = common.degree - common.along[0];
    return common;
  }

  // Of one edge: derivatives by radial functions, by what is behind the gate, by shares, by harmonics.
  template <bool with_sent>
  void edge_back(const EdgeState<N>& edge, int e, Tile& t, const Common& common, const Back& to) const {
    const std::int64_t j = edge.neighbor;
    const L one = constant(L{}, T(1));
    L y_bar[C];
#pragma GCC unroll 16
    for (int m = 0; m < C; ++m) y_bar[m] = L{};
    L by_group[1 + most_attention_heads];
    for (int g = 0; g < groups; ++g) by_group[g] = L{};
    for (int k = 0; k < K; ++k) {
      const L* const radial = t.radial + e * columns.all + k;
      L* const radial_bar = t.radial_bar + e * columns.all + k;
      const L share = t.share[e * K + k], gate = G > 0 ? t.gate[e * K + k] : one;
      const L factor = share * gate, sent_value = a.value[static_cast<std::size_t>(j * K + k)];
      const L value = sent_value * factor;
      L value_bar{}, factor_bar{};
#pragma GCC unroll 16
      for (int l = 0; l <= Degree; ++l) {
        const L r = radial[l * K], c = value * r;
        L c_bar{};
#pragma GCC unroll 16
        for (int m = l * l; m < (l + 1) * (l + 1); ++m) {
          const L bar = common.bar[m * K + k];
          c_bar += spread(lane_of(&edge.y, m)) * bar;
          if constexpr (plain) y_bar[m] += bar * c;
        }
        value_bar += c_bar * r;
        radial_bar[l * K] = c_bar * value;
      }
      if (!first_) {
        const L* const sent = a.sent.data() + j * C * K + k;
        const L* const passed = radial + (Degree + 1) * K;
#pragma GCC unroll 16
        for (int l = 1; l <= Degree; ++l) {
          const L r = passed[(l - 1) * K], c = factor * r;
          L c_bar{};
#pragma GCC unroll 16
          for (int m = l * l; m < (l + 1) * (l + 1); ++m) {
            const L bar = common.bar[m * K + k];
            c_bar += sent[m * K] * bar;
            if constexpr (with_sent) to.sent->sent[static_cast<std::size_t>((j * C + m) * K + k)] += bar * c;
          }
          factor_bar += c_bar * r;
          radial_bar[(Degree + l) * K] = c_bar * factor;
        }
      }
      factor_bar += value_bar * sent_value;
      if constexpr (with_sent) to.sent->value[static_cast<std::size_t>(j * K + k)] += value_bar * factor;
      const L share_bar = factor_bar * gate;
      // gate = 2 sigmoid(z): its slope is gate (1 - gate / 2)
      if (G > 0) t.z_bar[e * K + k] = share_bar * share * (one - spread(R{T(0.5)}) * gate);
      for (int g = 0; g < groups; ++g) by_group[g] += masks_[static_cast<std::size_t>(g * K + k)] * share_bar;
    }
    for (int g = 0; g < groups; ++g) t.group_bar[g * width + e] = by_group[g];
    if constexpr (plain)
#pragma GCC unroll 16
      for (int m = 1; m < C; ++m) t.y_bar[m * width + e] = y_bar[m];
  }

  void gate_back(const EdgeState<N>* edges, int n, Tile& t, const Back& to) const {
    const L *back[width], *in[width];
    L* out[width];
    for (int e = 0; e < n; ++e) {
      back[e] = t.z_bar + e * K;
      out[e] = t.hidden_bar + e * G;
      in[e] = t.hidden + e * G;
    }
    times_transposed(w.gate_out, back, out, n, false);
    for (int e = 0; e < n; ++e)
      for (int b = 0; b < G; ++b) {
        const L bar = t.hidden_bar[e * G + b] * silu(t.pre[e * G + b]).slope;
        t.radial_bar[e * columns.all + columns.gate + b] = bar;
        to.center_bar[b] += bar;
        if (to.sent != nullptr) to.sent->neighbor[static_cast<std::size_t>(edges[e].neighbor * G + b)] += bar;
      }
    if (to.gradient == nullptr) return;
    add_outer(w.gate_out, in, back, n, to.gradient);
    for (int e = 0; e < n; ++e)
      for (int k = 0; k < K; ++k)
        Nodes<N>::add_derivative(w.gate_out_bias, k, Nodes<N>::derivative(t.z_bar[e * K + k]), to.gradient);
  }

  // From derivatives by shares to those by weights, which are returned, and by what made the scores.
  L shares_back(std::int64_t i, const EdgeState<N>* edges, int n, Tile& t, const Common& common,
                const Back& to) const {
    L weight_bar = totals(t.group_bar) + spread(common.degree);
    for (int e = 0; e < n; ++e) t.y_lanes_bar[e] = L{};
    for (int h = 0; h < heads; ++h) {
      const int g = 1 + h;
      const L grown_bar = totals(t.group_bar + g * width) - spread(common.along[g]);
      weight_bar += grown_bar * t.rise[g];
      const L score_bar = grown_bar * t.slope[g];
      const L query = a.query[static_cast<std::size_t>(i * heads + h)];
      L query_bar{};
      for (int e = 0; e < n; ++e) {
        const L bar = spread(lane_of(&score_bar, e)), y = edges[e].y;
        const L r = t.radial[e * columns.all + columns.scores + h], by_query = bar * query;
        query_bar += bar * (r * y);
        t.radial_bar[e * columns.all + columns.scores + h] = by_query * y;
        if constexpr (plain) t.y_lanes_bar[e] += by_query * r;
        if (to.sent == nullptr) continue;
        L& key = to.sent->key[static_cast<std::size_t>(edges[e].neighbor)];
        set_lane(&key, h, lane_of(&key, h) + lane_of(&score_bar, e));
      }
      to.query_bar[h] += query_bar;
    }
    return weight_bar;
  }

  void add_to_table(const EdgeState<N>& edge, const L* radial_bar, T* gradient) const {
    Block16<T>* const g = reinterpret_cast<Block16<T>*>(gradient + w.table.begin) +
                          std::ptrdiff_t{edge.interval} * columns.all;
    const Basis basis(edge);
    for (int b = 0; b < columns.all; ++b)
      for (int q = 0; q < 4; ++q) g[q * columns.all + b] += Nodes<N>::slope_of(basis.b[q], radial_bar[b]);
  }

  void finish(const EdgeState<N>* edges, int begin, int n, Tile& t, const L& weight_bar, const Back& to) const {
    L products[width] = {};
    for (int e = 0; e < n; ++e) {
      const L* const bar = t.radial_bar + e * columns.all;
      const Block16<T>* const slopes = t.slopes + e * columns.all;
      for (int b = 0; b < columns.all; ++b) products[e] += slopes[b] * bar[b];
    }
    const L along = totals(products);
    L by_y[C];
#pragma GCC unroll 16
    for (int m = 1; m < C; ++m) by_y[m] = totals(t.y_bar + m * width);
    for (int e = 0; e < n; ++e) {
      const EdgeState<N>& edge = edges[e];
      T y[C], by_unit[3] = {};
#pragma GCC unroll 16
      for (int m = 1; m < C; ++m) y[m] = lane_of(by_y + m, e) + lane_of(t.y_lanes_bar + e, m);
      spherical_gradient(edge.unit, Degree, y, by_unit);
      const T dot = by_unit[0] * edge.unit[0] + by_unit[1] * edge.unit[1] + by_unit[2] * edge.unit[2];
      const T over = T(1) / edge.length, radial = lane_of(&along, e);
      double* const vector = to.vectors + 3 * (begin + e);
      for (int c = 0; c < 3; ++c)
        vector[c] += static_cast<double>(radial * edge.unit[c] + over * (by_unit[c] - dot * edge.unit[c]));
      to.weights[begin + e] += static_cast<double>(lane_of(&weight_bar, e));
    }
  }

  const NetworkShape& s;
  const LayerParameters<T>& w;
  const LayerState<L>& a;
  const bool first_;
  const TableColumns columns;
  const Size<Form::channels> K;
  const Size<Form::gate> G;
  const int heads, groups; // group 0: sums and means; one more per head
  AlignedVector<Block16<T>> masks_, is_mean_; // which channels are of a group; which are means
  T sum_scale_, mean_scale_, attention_scale_;
};

} // namespace trimpot::TRIMPOT_ISA

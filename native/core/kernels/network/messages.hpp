// What atoms gather from their neighbours, and back.
#pragma once

#include "edges.hpp"
#include "nodes.hpp"

namespace trimpot::TRIMPOT_ISA {

// Derivatives by what neighbours send; each thread has its own.
template <class L>
struct SentBack {
  AlignedVector<L> value, sent, key, neighbor;
};

template <class N, int Degree>
class Messages {
 public:
  using T = typename N::Real;
  using R = typename N::Scalar;
  using L = typename N::Lanes;
  static constexpr int C = (Degree + 1) * (Degree + 1);
  static constexpr bool plain = std::is_same_v<R, T>; // else only the gradient of parameters is asked for

  Messages(const NetworkShape& shape, const LayerParameters<T>& parameters, const LayerState<L>& state, bool first)
      : s(shape), w(parameters), a(state), first_(first), columns(shape, first), K(shape.channels / width),
        G(shape.gate_hidden / width), pools(static_cast<int>(shape.pooling.size())) {
    masks_.resize(static_cast<std::size_t>(pools * K));
    for (int i = 0; i < pools * K; ++i) masks_[static_cast<std::size_t>(i)] = Block16<T>{};
    for (int k = 0; k < s.channels; ++k) {
      const int pool = s.pooling_of_channel[static_cast<std::size_t>(k)]; // below 0: a channel that is not used
      if (pool >= 0) set_lane(masks_.data() + pool * K, k, T(1));
    }
    sum_scale_ = T(1) / std::sqrt(static_cast<T>(s.mean_weight));
    mean_scale_ = static_cast<T>(1.0 + s.mean_weight) * sum_scale_;
    attention_scale_ = std::sqrt(static_cast<T>(s.mean_weight));
  }

  // Writes what atom i gathers, C x K blocks.
  void forward(std::int64_t i, const EdgeState<N>* edges, int count, L* sum, Arena& arena) const {
    const Arena::Scope scope(arena);
    Work work = shares(i, edges, count, arena);
    for (int k = 0; k < K; ++k) {
      L gathered[C] = {};
      for (int e = 0; e < count; ++e) {
        const EdgeState<N>& edge = edges[e];
        const L factor = factor_of(work, e, k);
        const L value = a.value[static_cast<std::size_t>(edge.neighbor * K + k)] * factor;
        const Basis basis(edge);
        for (int l = 0; l <= Degree; ++l) {
          const L c = value * radial(basis, columns.harmonic + l * K + k);
          for (int m = l * l; m < (l + 1) * (l + 1); ++m) gathered[m] += spread(lane_of(&edge.y, m)) * c;
        }
        if (first_) continue;
        const L* const sent = a.sent.data() + std::int64_t{edge.neighbor} * C * K + k;
        for (int l = 1; l <= Degree; ++l) {
          const L c = factor * radial(basis, columns.passed + (l - 1) * K + k);
          for (int m = l * l; m < (l + 1) * (l + 1); ++m) gathered[m] += c * sent[m * K];
        }
      }
      for (int m = 0; m < C; ++m) sum[m * K + k] = gathered[m];
    }
  }

  struct Back {
    const L* sum_bar;        // of atom i
    R degree_bar;            // by the sum of its weights over their mean
    L *query_bar, *center_bar; // of atom i; null without
    SentBack<L>* sent;       // null: nobody asks
    double *vectors, *weights; // of its edges; null: nobody asks
    T* gradient;             // of parameters; null: nobody asks
  };
  void backward(std::int64_t i, const EdgeState<N>* edges, int count, const Back& to, Arena& arena) const {
    const Arena::Scope scope(arena);
    const Work work = shares(i, edges, count, arena);
    const int wide = columns.all;
    L* const radial_bar = arena.take<L>(std::int64_t{count} * wide);
    L* const z_bar = arena.take<L>(std::int64_t{count} * K);
    R* const pool_bar = arena.take<R>(std::int64_t{count} * pools);
    L* const y_bar = arena.take<L>(std::int64_t{count} * C); // summed over lanes
    L* const y_lanes_bar = arena.take<L>(count);             // a component per lane
    for (int e = 0; e < count; ++e) y_lanes_bar[e] = L{};
    for (int e = 0; e < count; ++e)
      edge_back(edges[e], e, work, to, radial_bar + e * wide, z_bar + e * K, pool_bar + e * pools, y_bar + e * C);
    if (G > 0) gate_back(edges, count, work, to, z_bar, radial_bar, arena);
    R* const weight_bar = arena.take<R>(count);
    pools_back(i, edges, count, work, to, pool_bar, weight_bar, radial_bar, y_lanes_bar);
    finish(edges, count, to, weight_bar, radial_bar, y_bar, y_lanes_bar);
  }

 private:
  struct Basis {
    TRIMPOT_INLINE explicit Basis(const EdgeState<N>& edge) : interval(edge.interval) {
      for (int q = 0; q < 4; ++q) b[q] = spread(edge.basis[q]);
    }
    int interval;
    L b[4];
  };
  TRIMPOT_INLINE L radial(const Basis& at, int column) const {
    const Block16<T>* const row = w.table.w + std::ptrdiff_t{at.interval} * columns.all + column;
    const int stride = columns.all;
    return (row[0] * at.b[0] + row[stride] * at.b[1]) + (row[2 * stride] * at.b[2] + row[3 * stride] * at.b[3]);
  }

  // What the edges of an atom share among channels.
  struct Work {
    R* share;      // edges x pools
    L* shares;     // edges x K: the same by channel
    L *pre, *gate; // edges x G before it is activated; edges x K
    L *grown, *slope, *rise; // heads x blocks of edges: w e^s; its derivative by the score; e^s
    R* one_over;   // per head: 1 / (1 + sum of grown)
    R all;         // 1 + sum of weights
    int blocks;    // of edges
  };

  Work shares(std::int64_t i, const EdgeState<N>* edges, int count, Arena& arena) const {
    Work work;
    work.blocks = (count + width - 1) / width;
    work.share = arena.take<R>(std::int64_t{count} * pools);
    R weights{};
    for (int e = 0; e < count; ++e) weights += edges[e].weight;
    work.all = T(1) + weights;
    if (s.heads > 0) scores(i, edges, count, work, arena);
    const R mean = mean_scale_ * inverse(work.all);
    for (int pool = 0; pool < pools; ++pool) {
      const int kind = s.pooling[static_cast<std::size_t>(pool)];
      for (int e = 0; e < count; ++e) {
        R& share = work.share[e * pools + pool];
        if (kind == 0)
          share = sum_scale_ * edges[e].weight;
        else if (kind == 1)
          share = mean * edges[e].weight;
        else
          share = attention_scale_ * (lane_of(work.grown + (kind - 2) * work.blocks, e) * work.one_over[kind - 2]);
      }
    }
    spread_shares(count, work, arena);
    if (G > 0) gates(i, edges, count, work, arena);
    return work;
  }

  void spread_shares(int count, Work& work, Arena& arena) const {
    work.shares = arena.take<L>(std::int64_t{count} * K);
    for (int k = 0; k < K; ++k)
      for (int e = 0; e < count; ++e) {
        L share{};
        for (int pool = 0; pool < pools; ++pool)
          share += masks_[static_cast<std::size_t>(pool * K + k)] * spread(work.share[e * pools + pool]);
        work.shares[e * K + k] = share;
      }
  }

  static constexpr double limit = 8.0; // of scores

  void scores(std::int64_t i, const EdgeState<N>* edges, int count, Work& work, Arena& arena) const {
    const int blocks = work.blocks;
    L** const arrays[] = {&work.grown, &work.slope, &work.rise};
    for (L** array : arrays) {
      *array = arena.take<L>(std::int64_t{s.heads} * blocks);
      for (int b = 0; b < s.heads * blocks; ++b) (*array)[b] = L{};
    }
    work.one_over = arena.take<R>(s.heads);
    L* const weights = arena.take<L>(blocks);
    for (int b = 0; b < blocks; ++b) weights[b] = L{};
    for (int e = 0; e < count; ++e) set_lane(weights, e, edges[e].weight);
    for (int head = 0; head < s.heads; ++head) {
      L* const raw = work.grown + head * blocks;
      const L query = a.query[static_cast<std::size_t>(i * s.heads + head)];
      for (int e = 0; e < count; ++e) {
        const Basis basis(edges[e]);
        const R match = total(query * radial(basis, columns.scores + head) * edges[e].y);
        set_lane(raw, e, match + lane_of(&a.key[static_cast<std::size_t>(edges[e].neighbor)], head));
      }
      R grown{};
      for (int b = 0; b < blocks; ++b) {
        // limit tanh(a / limit) = limit (2 sigmoid(2 a / limit) - 1)
        const L half = sigmoid(spread(R{T(2.0 / limit)}) * raw[b]);
        const L bounded = spread(R{T(2.0 * limit)}) * half - spread(R{T(limit)});
        const L rise = exponential_of(bounded);
        const L slope = spread(R{T(4)}) * half * (constant(half, T(1)) - half);
        work.rise[head * blocks + b] = rise;
        work.grown[head * blocks + b] = weights[b] * rise;
        work.slope[head * blocks + b] = weights[b] * rise * slope;
        grown += total(work.grown[head * blocks + b]);
      }
      work.one_over[head] = inverse(T(1) + grown);
    }
  }

  void gates(std::int64_t i, const EdgeState<N>* edges, int count, Work& work, Arena& arena) const {
    work.pre = arena.take<L>(std::int64_t{count} * G);
    work.gate = arena.take<L>(std::int64_t{count} * K);
    const Arena::Scope scope(arena);
    L* const hidden = arena.take<L>(std::int64_t{count} * G);
    const L** const in = arena.take<const L*>(count);
    L** const out = arena.take<L*>(count);
    for (int e = 0; e < count; ++e) {
      const Basis basis(edges[e]);
      for (int b = 0; b < G; ++b) {
        const L pre = a.gate_center[static_cast<std::size_t>(i * G + b)] +
                      a.gate_neighbor[static_cast<std::size_t>(edges[e].neighbor * G + b)] +
                      radial(basis, columns.gate + b);
        work.pre[e * G + b] = pre;
        hidden[e * G + b] = silu(pre).value;
      }
      in[e] = hidden + e * G;
      out[e] = work.gate + e * K;
    }
    times(w.gate_out, in, out, count, false);
    for (int e = 0; e < count; ++e)
      for (int k = 0; k < K; ++k) {
        L& gate = work.gate[e * K + k];
        gate = sigmoid(gate + Nodes<N>::constant_block(w.gate_out_bias.w[k], gate));
        gate = gate + gate;
      }
  }

  TRIMPOT_INLINE L factor_of(const Work& work, int e, int k) const {
    const L share = work.shares[e * K + k];
    return G > 0 ? share * work.gate[e * K + k] : share;
  }

  // Of one edge: derivatives by radial functions, by what is behind the gate, by shares, by harmonics.
  void edge_back(const EdgeState<N>& edge, int e, const Work& work, const Back& to, L* radial_bar, L* z_bar,
                 R* pool_bar, L* y_bar) const {
    const std::int64_t j = edge.neighbor;
    const Basis basis(edge);
    const L one = constant(L{}, T(1));
    if constexpr (plain)
      for (int m = 0; m < C; ++m) y_bar[m] = L{};
    L by_pool[8] = {};
    for (int k = 0; k < K; ++k) {
      const L share = work.shares[e * K + k];
      const L gate = G > 0 ? work.gate[e * K + k] : one;
      const L factor = share * gate, sent_value = a.value[static_cast<std::size_t>(j * K + k)];
      const L value = sent_value * factor;
      L value_bar{}, factor_bar{};
      for (int l = 0; l <= Degree; ++l) {
        const L r = radial(basis, columns.harmonic + l * K + k), c = value * r;
        L c_bar{};
        for (int m = l * l; m < (l + 1) * (l + 1); ++m) {
          const L bar = to.sum_bar[m * K + k];
          c_bar += spread(lane_of(&edge.y, m)) * bar;
          if constexpr (plain) y_bar[m] += bar * c;
        }
        value_bar += c_bar * r;
        radial_bar[columns.harmonic + l * K + k] = c_bar * value;
      }
      if (!first_) {
        const L* const sent = a.sent.data() + j * C * K + k;
        for (int l = 1; l <= Degree; ++l) {
          const L r = radial(basis, columns.passed + (l - 1) * K + k), c = factor * r;
          L c_bar{};
          for (int m = l * l; m < (l + 1) * (l + 1); ++m) {
            const L bar = to.sum_bar[m * K + k];
            c_bar += sent[m * K] * bar;
            if (to.sent != nullptr) to.sent->sent[static_cast<std::size_t>((j * C + m) * K + k)] += bar * c;
          }
          factor_bar += c_bar * r;
          radial_bar[columns.passed + (l - 1) * K + k] = c_bar * factor;
        }
      }
      factor_bar += value_bar * sent_value;
      if (to.sent != nullptr) to.sent->value[static_cast<std::size_t>(j * K + k)] += value_bar * factor;
      const L share_bar = factor_bar * gate;
      // gate = 2 sigmoid(z): its slope is gate (1 - gate / 2)
      if (G > 0) z_bar[k] = factor_bar * share * gate * (one - spread(R{T(0.5)}) * gate);
      for (int pool = 0; pool < pools; ++pool)
        by_pool[pool] += masks_[static_cast<std::size_t>(pool * K + k)] * share_bar;
    }
    for (int pool = 0; pool < pools; ++pool) pool_bar[pool] = total(by_pool[pool]);
  }

  void gate_back(const EdgeState<N>* edges, int count, const Work& work, const Back& to, const L* z_bar, L* radial_bar,
                 Arena& arena) const {
    const Arena::Scope scope(arena);
    L* const hidden_bar = arena.take<L>(std::int64_t{count} * G);
    L* const hidden = arena.take<L>(std::int64_t{count} * G);
    const L** const back = arena.take<const L*>(count);
    const L** const in = arena.take<const L*>(count);
    L** const out = arena.take<L*>(count);
    for (int e = 0; e < count; ++e) {
      back[e] = z_bar + e * K;
      out[e] = hidden_bar + e * G;
      in[e] = hidden + e * G;
    }
    times_transposed(w.gate_out, back, out, count, false);
    for (int b = 0; b < G; ++b) to.center_bar[b] = L{};
    for (int e = 0; e < count; ++e)
      for (int b = 0; b < G; ++b) {
        const auto active = silu(work.pre[e * G + b]);
        hidden[e * G + b] = active.value;
        const L bar = hidden_bar[e * G + b] * active.slope;
        radial_bar[e * columns.all + columns.gate + b] = bar;
        to.center_bar[b] += bar;
        if (to.sent != nullptr) to.sent->neighbor[static_cast<std::size_t>(edges[e].neighbor * G + b)] += bar;
      }
    if (to.gradient == nullptr) return;
    add_outer(w.gate_out, in, back, count, to.gradient);
    for (int e = 0; e < count; ++e)
      for (int k = 0; k < K; ++k)
        Nodes<N>::add_derivative(w.gate_out_bias, k, Nodes<N>::derivative(z_bar[e * K + k]), to.gradient);
  }

  // From derivatives by shares to those by weights, and by what made the scores.
  void pools_back(std::int64_t i, const EdgeState<N>* edges, int count, const Work& work, const Back& to,
                  const R* pool_bar, R* weight_bar, L* radial_bar, L* y_lanes_bar) const {
    const R one_over_all = inverse(work.all);
    R common = static_cast<T>(1.0 / s.mean_weight) * to.degree_bar; // to all weights
    for (int e = 0; e < count; ++e) weight_bar[e] = R{};
    for (int head = 0; head < s.heads; ++head) to.query_bar[head] = L{};
    for (int pool = 0; pool < pools; ++pool) {
      const int kind = s.pooling[static_cast<std::size_t>(pool)];
      if (kind == 0) {
        for (int e = 0; e < count; ++e) weight_bar[e] += sum_scale_ * pool_bar[e * pools + pool];
      } else if (kind == 1) {
        R along{};
        for (int e = 0; e < count; ++e) {
          along += pool_bar[e * pools + pool] * work.share[e * pools + pool];
          weight_bar[e] += mean_scale_ * (pool_bar[e * pools + pool] * one_over_all);
        }
        common = common - along * one_over_all;
      } else {
        head_back(i, kind - 2, pool, edges, count, work, to, pool_bar, weight_bar, radial_bar, y_lanes_bar);
      }
    }
    for (int e = 0; e < count; ++e) weight_bar[e] += common;
  }

  void head_back(std::int64_t i, int head, int pool, const EdgeState<N>* edges, int count, const Work& work,
                 const Back& to, const R* pool_bar, R* weight_bar, L* radial_bar, L* y_lanes_bar) const {
    const L query = a.query[static_cast<std::size_t>(i * s.heads + head)];
    const R over = work.one_over[head];
    R along{};
    for (int e = 0; e < count; ++e) along += pool_bar[e * pools + pool] * work.share[e * pools + pool];
    for (int e = 0; e < count; ++e) {
      const EdgeState<N>& edge = edges[e];
      const R grown_bar = attention_scale_ * (pool_bar[e * pools + pool] * over) - along * over;
      weight_bar[e] += grown_bar * lane_of(work.rise + head * work.blocks, e);
      const R score_bar = grown_bar * lane_of(work.slope + head * work.blocks, e);
      const L bar = spread(score_bar), y = edge.y;
      const L r = radial(Basis(edge), columns.scores + head);
      to.query_bar[head] += bar * (r * y);
      radial_bar[e * columns.all + columns.scores + head] = bar * (query * y);
      if (to.vectors != nullptr) y_lanes_bar[e] += bar * (query * r);
      if (to.sent != nullptr) {
        L& key = to.sent->key[static_cast<std::size_t>(edge.neighbor)];
        set_lane(&key, head, lane_of(&key, head) + score_bar);
      }
    }
  }

  void finish(const EdgeState<N>* edges, int count, const Back& to, const R* weight_bar, const L* radial_bar,
              const L* y_bar, const L* y_lanes_bar) const {
    for (int e = 0; e < count; ++e) {
      if (to.gradient != nullptr) add_to_table(edges[e], radial_bar + e * columns.all, to.gradient);
      if constexpr (plain) {
        if (to.vectors == nullptr) continue;
        to.weights[e] += static_cast<double>(weight_bar[e]);
        by_vector(edges[e], radial_bar + e * columns.all, y_bar + e * C, y_lanes_bar + e, to.vectors + 3 * e);
      }
    }
  }

  void add_to_table(const EdgeState<N>& edge, const L* radial_bar, T* gradient) const {
    Block16<T>* const g = reinterpret_cast<Block16<T>*>(gradient + w.table.begin) +
                          std::ptrdiff_t{edge.interval} * columns.all;
    const Basis basis(edge);
    for (int b = 0; b < columns.all; ++b)
      for (int q = 0; q < 4; ++q) g[q * columns.all + b] += Nodes<N>::slope_of(basis.b[q], radial_bar[b]);
  }

  void by_vector(const EdgeState<N>& edge, const L* radial_bar, const L* y_bar, const L* y_lanes_bar,
                 double* to) const {
    const Block16<T>* const row = w.table.w + std::ptrdiff_t{edge.interval} * columns.all;
    L by_basis[4] = {};
    for (int b = 0; b < columns.all; ++b)
      for (int q = 0; q < 4; ++q) by_basis[q] += row[q * columns.all + b] * radial_bar[b];
    T along{};
    for (int q = 0; q < 4; ++q) along += edge.slope[q] * total(by_basis[q]);
    T by_y[16], by_unit[3] = {};
    for (int m = 0; m < C; ++m) by_y[m] = total(y_bar[m]) + lane_of(y_lanes_bar, m);
    spherical_gradient(edge.unit, Degree, by_y, by_unit);
    const T dot = by_unit[0] * edge.unit[0] + by_unit[1] * edge.unit[1] + by_unit[2] * edge.unit[2];
    const T over = T(1) / edge.length;
    for (int c = 0; c < 3; ++c)
      to[c] += static_cast<double>(along * edge.unit[c] + over * (by_unit[c] - dot * edge.unit[c]));
  }

  const NetworkShape& s;
  const LayerParameters<T>& w;
  const LayerState<L>& a;
  const bool first_;
  const TableColumns columns;
  const int K, G, pools;
  AlignedVector<Block16<T>> masks_;
  T sum_scale_, mean_scale_, attention_scale_;
};

} // namespace trimpot::TRIMPOT_ISA

// What happens at atoms: mixing of channels, products, update, readout; and back.
#pragma once

#include "parameters.hpp"

namespace trimpot::TRIMPOT_ISA {

constexpr int chunk = 8; // atoms whose rows are multiplied together

// Features of all atoms in one layer, and what comes of them; blocks of 16 channels.
template <class L>
struct LayerState {
  AlignedVector<L> h;                         // atoms x components x channels: what the layer is given
  AlignedVector<L> value, sent, key, query, gate_center, gate_neighbor;
  AlignedVector<L> sum, mixed, message, made; // gathered; mixed; the message; scalars of the update
  std::vector<AlignedVector<L>> powers;       // products of order 2 and more
  AlignedVector<L> hidden;                    // of the readout, before it is activated
};

template <class N>
class Nodes {
 public:
  using T = typename N::Real;
  using R = typename N::Scalar;
  using L = typename N::Lanes;

  Nodes(const NetworkShape& shape, const Parameters<T>& parameters)
      : s(shape), p(parameters), C(shape.components()), K(shape.channels / width), G(shape.gate_hidden / width),
        H(shape.readout_hidden / width) {}

  // Rows of degree l of atoms begin .. end - 1 with so many blocks per component.
  template <class A>
  int rows_of_degree(A* of, int blocks, int degree, std::int64_t begin, std::int64_t end, A** rows) const {
    int n = 0;
    for (std::int64_t i = begin; i < end; ++i)
      for (int m = degree * degree; m < (degree + 1) * (degree + 1); ++m) rows[n++] = of + (i * C + m) * blocks;
    return n;
  }
  template <class A>
  static int rows_of_atoms(A* of, std::int64_t stride, std::int64_t begin, std::int64_t end, A** rows) {
    int n = 0;
    for (std::int64_t i = begin; i < end; ++i) rows[n++] = of + i * stride;
    return n;
  }

  static constexpr int most_rows = chunk * 7;

  // y (+)= x w_l for all degrees from the first on.
  void mix(const std::vector<Matrix<T>>& w, const L* x, L* y, int from, std::int64_t begin, std::int64_t end,
           bool add) const {
    const L* in[most_rows];
    L* out[most_rows];
    for (int l = from; l <= s.l_max; ++l) {
      const auto& m = w[static_cast<std::size_t>(l)];
      rows_of_degree(x, m.in / width, l, begin, end, in);
      const int n = rows_of_degree(y, m.out / width, l, begin, end, out);
      times(m, in, out, n, add);
    }
  }
  // x_bar (+)= y_bar w_l^T, and w_bar.
  void mix_back(const std::vector<Matrix<T>>& w, const L* x, const L* y_bar, L* x_bar, int from, std::int64_t begin,
                std::int64_t end, bool add, T* gradient) const {
    const L *in[most_rows], *back[most_rows];
    L* to[most_rows];
    for (int l = from; l <= s.l_max; ++l) {
      const auto& m = w[static_cast<std::size_t>(l)];
      const int n = rows_of_degree(y_bar, m.out / width, l, begin, end, back);
      if (x_bar != nullptr) {
        rows_of_degree(x_bar, m.in / width, l, begin, end, to);
        times_transposed(m, back, to, n, add);
      }
      if (gradient != nullptr) {
        rows_of_degree(x, m.in / width, l, begin, end, in);
        add_outer(m, in, back, n, gradient);
      }
    }
  }
  // Of scalars: x is the first component of features, or rows of its own.
  void scalars(const Matrix<T>& w, const L* x, std::int64_t x_stride, L* y, std::int64_t begin, std::int64_t end) const {
    const L* in[chunk];
    L* out[chunk];
    rows_of_atoms(x, x_stride, begin, end, in);
    const int n = rows_of_atoms(y, w.out / width, begin, end, out);
    times(w, in, out, n, false);
  }
  void scalars_back(const Matrix<T>& w, const L* x, std::int64_t x_stride, const L* y_bar, L* x_bar,
                    std::int64_t x_bar_stride, std::int64_t begin, std::int64_t end, T* gradient) const {
    const L *in[chunk], *back[chunk];
    L* to[chunk];
    const int n = rows_of_atoms(y_bar, w.out / width, begin, end, back);
    if (x_bar != nullptr) {
      rows_of_atoms(x_bar, x_bar_stride, begin, end, to);
      times_transposed(w, back, to, n, true);
    }
    if (gradient != nullptr) {
      rows_of_atoms(x, x_stride, begin, end, in);
      add_outer(w, in, back, n, gradient);
    }
  }

  // For n atoms that gather messages, the first of those that send them.
  void resize(LayerState<L>& a, std::int64_t n, std::int64_t senders, bool first) const {
    const std::int64_t features = n * C * K;
    set_size(a.h, senders * C * K);
    for (auto* of : {&a.sum, &a.mixed, &a.message}) set_size(*of, features);
    set_size(a.value, senders * K);
    if (!first) set_size(a.sent, senders * C * K);
    set_size(a.key, s.heads > 0 ? senders : 0);
    set_size(a.query, s.heads * n);
    set_size(a.gate_center, n * G);
    set_size(a.gate_neighbor, senders * G);
    set_size(a.made, n * K * (s.l_max + 1));
    set_size(a.hidden, n * H);
    a.powers.resize(static_cast<std::size_t>(s.correlation - 1));
    for (auto& power : a.powers) set_size(power, features);
  }

  static void add_bias(const Vector<T>& bias, L* rows, int blocks, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      for (int b = 0; b < blocks; ++b) rows[i * blocks + b] += constant_block(bias.w[b], rows[0]);
  }
  static Block16<T> constant_block(Block16<T> a, const Block16<T>&) { return a; }
  static DualBlock<T> constant_block(Block16<T> a, const DualBlock<T>&) { return {a, Block16<T>{}}; }

  static L twice(L a) { return a + a; }

  static void add_derivative(const Vector<T>& of, int block, Block16<T> a, T* gradient) {
    Block16<T>* const g = reinterpret_cast<Block16<T>*>(gradient + of.begin) + block;
    *g += a;
  }
  static Block16<T> derivative(const DualBlock<T>& a) { return a.d; }
  static Block16<T> derivative(const Block16<T>& a) { return a; } // never of use
  static Block16<T> slope_of(const DualBlock<T>& a, const DualBlock<T>& b) { return slope(a, b); }
  static Block16<T> slope_of(const Block16<T>& a, const Block16<T>&) { return a; } // never of use

  // What atoms send and, if they gather, ask for, before messages.
  void before(LayerState<L>& a, int t, bool gather, std::int64_t begin, std::int64_t end) const {
    const auto& w = p.layers[static_cast<std::size_t>(t)];
    scalars(w.value, a.h.data(), C * K, a.value.data(), begin, end);
    if (t > 0) mix(w.passed, a.h.data(), a.sent.data(), 1, begin, end, false);
    if (s.heads > 0) {
      scalars(w.key, a.h.data(), C * K, a.key.data(), begin, end);
      add_bias(w.key_bias, a.key.data(), 1, begin, end);
    }
    if (G > 0) scalars(w.gate_neighbor, a.h.data(), C * K, a.gate_neighbor.data(), begin, end);
    if (gather) ask(a, w, begin, end);
  }

  void ask(LayerState<L>& a, const LayerParameters<T>& w, std::int64_t begin, std::int64_t end) const {
    if (s.heads > 0) {
      L asked[chunk * 16];
      L* const shifted = asked - begin * C;
      mix(w.query, a.h.data(), shifted, 0, begin, end, false);
      for (std::int64_t i = begin; i < end; ++i)
        for (int head = 0; head < s.heads; ++head) {
          L q{};
          for (int m = 0; m < C; ++m) set_lane(&q, m, lane_of(&shifted[i * C + m], head));
          a.query[static_cast<std::size_t>(i * s.heads + head)] = q;
        }
    }
    if (G == 0) return;
    scalars(w.gate_center, a.h.data(), C * K, a.gate_center.data(), begin, end);
    add_bias(w.gate_bias, a.gate_center.data(), G, begin, end);
  }

  // Adds to h_bar what the derivatives of what atoms sent and asked for say.
  void before_back(const LayerState<L>& a, int t, bool gather, const L* value_bar, const L* sent_bar,
                   const L* key_bar, const L* query_bar, const L* center_bar, const L* neighbor_bar, L* h_bar,
                   std::int64_t begin, std::int64_t end, T* gradient) const {
    const auto& w = p.layers[static_cast<std::size_t>(t)];
    scalars_back(w.value, a.h.data(), C * K, value_bar, h_bar, C * K, begin, end, gradient);
    if (t > 0) mix_back(w.passed, a.h.data(), sent_bar, h_bar, 1, begin, end, true, gradient);
    if (s.heads > 0) scalars_back(w.key, a.h.data(), C * K, key_bar, h_bar, C * K, begin, end, gradient);
    if (s.heads > 0 && gather) {
      L asked[chunk * 16];
      L* const shifted = asked - begin * C;
      for (std::int64_t i = begin; i < end; ++i)
        for (int m = 0; m < C; ++m) {
          L q{};
          for (int head = 0; head < s.heads; ++head) set_lane(&q, head, lane_of(&query_bar[i * s.heads + head], m));
          shifted[i * C + m] = q;
        }
      mix_back(w.query, a.h.data(), shifted, h_bar, 0, begin, end, true, gradient);
      if (gradient != nullptr)
        for (std::int64_t i = begin; i < end; ++i) add_derivative(w.key_bias, 0, derivative(key_bar[i]), gradient);
    }
    if (G > 0) {
      if (gather) scalars_back(w.gate_center, a.h.data(), C * K, center_bar, h_bar, C * K, begin, end, gradient);
      scalars_back(w.gate_neighbor, a.h.data(), C * K, neighbor_bar, h_bar, C * K, begin, end, gradient);
      if (gradient != nullptr)
        for (std::int64_t i = begin; i < end; ++i)
          for (int b = 0; b < G; ++b) add_derivative(w.gate_bias, b, derivative(center_bar[i * G + b]), gradient);
    }
  }

  void product(const Vector<T>& weights, int species, const L* x, const L* y, L* out) const {
    for (int i = 0; i < C * K; ++i) out[i] = L{};
    const Block16<T>* const w = weights.w + std::ptrdiff_t{species} * s.n_paths * K;
    for (const auto& c : s.couplings) {
      const T factor = static_cast<T>(c.factor);
      for (int k = 0; k < K; ++k)
        out[c.c * K + k] += (factor * w[c.path * K + k]) * (x[c.a * K + k] * y[c.b * K + k]);
    }
  }
  void product_back(const Vector<T>& weights, int species, const L* x, const L* y, const L* out_bar, L* x_bar, L* y_bar,
                    T* gradient) const {
    const Block16<T>* const w = weights.w + std::ptrdiff_t{species} * s.n_paths * K;
    for (const auto& c : s.couplings) {
      const T factor = static_cast<T>(c.factor);
      for (int k = 0; k < K; ++k) {
        const L bar = (factor * w[c.path * K + k]) * out_bar[c.c * K + k];
        x_bar[c.a * K + k] += bar * y[c.b * K + k];
        y_bar[c.b * K + k] += bar * x[c.a * K + k];
        if (gradient != nullptr)
          add_derivative(weights, (species * s.n_paths + c.path) * K + k,
                         factor * slope_of(x[c.a * K + k] * y[c.b * K + k], out_bar[c.c * K + k]), gradient);
      }
    }
  }

  // From what was gathered to the features of the next layer; adds to the energies.
  void after(LayerState<L>& a, int t, const std::int32_t* species, const R* degrees, L* h_next, R* energies,
             std::int64_t begin, std::int64_t end) const {
    const auto& w = p.layers[static_cast<std::size_t>(t)];
    mix(w.mix, a.sum.data(), a.mixed.data(), 0, begin, end, false);
    mix(w.out[0], a.mixed.data(), a.message.data(), 0, begin, end, false);
    const L* power = a.mixed.data();
    for (int o = 1; o < s.correlation; ++o) {
      L* const next = a.powers[static_cast<std::size_t>(o - 1)].data();
      for (std::int64_t i = begin; i < end; ++i)
        product(w.products[static_cast<std::size_t>(o - 1)], species[i], power + i * C * K,
                a.mixed.data() + i * C * K, next + i * C * K);
      mix(w.out[static_cast<std::size_t>(o)], next, a.message.data(), 0, begin, end, true);
      power = next;
    }
    update(a, w, degrees, h_next, begin, end);
    readout(a, w, h_next, energies, begin, end);
  }

  void update(LayerState<L>& a, const LayerParameters<T>& w, const R* degrees, L* h_next, std::int64_t begin,
              std::int64_t end) const {
    const int wide = K * (s.l_max + 1);
    scalars(w.scalars, a.message.data(), C * K, a.made.data(), begin, end);
    mix(w.skip, a.h.data(), h_next, 0, begin, end, false);
    for (std::int64_t i = begin; i < end; ++i) {
      L* const made = a.made.data() + i * wide;
      const L degree = spread(degrees[i]);
      for (int b = 0; b < wide; ++b)
        made[b] += constant_block(w.scalars_bias.w[b], made[0]) + w.scalars_degree.w[b] * degree;
      L *const h = h_next + i * C * K, *const message = a.message.data() + i * C * K;
      for (int k = 0; k < K; ++k) h[k] += silu(made[k]).value;
      for (int l = 1; l <= s.l_max; ++l)
        for (int k = 0; k < K; ++k) {
          const L open = twice(sigmoid(made[l * K + k]));
          for (int m = l * l; m < (l + 1) * (l + 1); ++m) h[m * K + k] += message[m * K + k] * open;
        }
    }
  }

  void readout(LayerState<L>& a, const LayerParameters<T>& w, const L* h_next, R* energies, std::int64_t begin,
               std::int64_t end) const {
    scalars(w.read_first, h_next, C * K, a.hidden.data(), begin, end);
    add_bias(w.read_bias, a.hidden.data(), H, begin, end);
    for (std::int64_t i = begin; i < end; ++i) {
      L sum{};
      for (int b = 0; b < H; ++b) sum += w.read_second.w[b] * silu(a.hidden[static_cast<std::size_t>(i * H + b)]).value;
      for (int k = 0; k < K; ++k) sum += w.read_linear.w[k] * h_next[i * C * K + k];
      energies[i] += static_cast<T>(s.scale) * total(sum);
    }
  }

  // From the derivative by the features of the next layer, to which that of the readout is added, to those
  // by what was gathered, by what the layer was given, and by the degrees.
  struct Back {
    L *h_next_bar, *h_bar, *sum_bar;
    R* degree_bar;
  };
  void after_back(const LayerState<L>& a, int t, const std::int32_t* species, const R* degrees, const L* h_next,
                  const R* seeds, const Back& to, std::int64_t begin, std::int64_t end, Arena& arena,
                  T* gradient) const {
    const Arena::Scope scope(arena);
    const auto& w = p.layers[static_cast<std::size_t>(t)];
    const std::int64_t atoms = end - begin, size = atoms * C * K;
    readout_back(a, w, h_next, seeds, to.h_next_bar, begin, end, arena, gradient);
    mix_back(w.skip, a.h.data(), to.h_next_bar, to.h_bar, 0, begin, end, false, gradient);
    L* const message_bar = arena.take<L>(size) - begin * C * K;
    update_back(a, w, degrees, to.h_next_bar, message_bar, to.degree_bar, begin, end, arena, gradient);
    L* const mixed_bar = arena.take<L>(size) - begin * C * K;
    mix_back(w.out[0], a.mixed.data(), message_bar, mixed_bar, 0, begin, end, false, gradient);
    L* above = nullptr; // derivative by the power that the next one is made of
    for (int o = s.correlation - 1; o >= 1; --o) {
      const auto order = static_cast<std::size_t>(o);
      const L* const power = a.powers[order - 1].data();
      L* const power_bar = above != nullptr ? above : arena.take<L>(size) - begin * C * K;
      mix_back(w.out[order], power, message_bar, power_bar, 0, begin, end, above != nullptr, gradient);
      const L* const factor = o > 1 ? a.powers[order - 2].data() : a.mixed.data();
      L* below = mixed_bar;
      if (o > 1) {
        below = arena.take<L>(size) - begin * C * K;
        for (std::int64_t i = begin * C * K; i < end * C * K; ++i) below[i] = L{};
      }
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t at = i * C * K;
        product_back(w.products[order - 1], species[i], factor + at, a.mixed.data() + at, power_bar + at, below + at,
                     mixed_bar + at, gradient);
      }
      above = below;
    }
    mix_back(w.mix, a.sum.data(), mixed_bar, to.sum_bar, 0, begin, end, false, gradient);
  }

 private:
  void readout_back(const LayerState<L>& a, const LayerParameters<T>& w, const L* h_next, const R* seeds, L* h_bar,
                    std::int64_t begin, std::int64_t end, Arena& arena, T* gradient) const {
    const Arena::Scope scope(arena);
    L* const hidden_bar = arena.take<L>((end - begin) * H) - begin * H;
    for (std::int64_t i = begin; i < end; ++i) {
      const L seed = spread(static_cast<T>(s.scale) * seeds[i]);
      for (int b = 0; b < H; ++b) {
        const auto active = silu(a.hidden[static_cast<std::size_t>(i * H + b)]);
        hidden_bar[i * H + b] = w.read_second.w[b] * (seed * active.slope);
        if (gradient != nullptr) {
          add_derivative(w.read_second, b, slope_of(seed, active.value), gradient);
          add_derivative(w.read_bias, b, derivative(hidden_bar[i * H + b]), gradient);
        }
      }
      for (int k = 0; k < K; ++k) {
        h_bar[i * C * K + k] += w.read_linear.w[k] * seed;
        if (gradient != nullptr) add_derivative(w.read_linear, k, slope_of(seed, h_next[i * C * K + k]), gradient);
      }
    }
    scalars_back(w.read_first, h_next, C * K, hidden_bar, h_bar, C * K, begin, end, gradient);
  }

  void update_back(const LayerState<L>& a, const LayerParameters<T>& w, const R* degrees, const L* h_next_bar,
                   L* message_bar, R* degree_bar, std::int64_t begin, std::int64_t end, Arena& arena,
                   T* gradient) const {
    const Arena::Scope scope(arena);
    const int wide = K * (s.l_max + 1);
    L* const made_bar = arena.take<L>((end - begin) * wide) - begin * wide;
    for (std::int64_t i = begin; i < end; ++i) {
      const L *const bar = h_next_bar + i * C * K, *const made = a.made.data() + i * wide;
      const L* const message = a.message.data() + i * C * K;
      L *const to = message_bar + i * C * K, *const mb = made_bar + i * wide;
      for (int k = 0; k < K; ++k) {
        mb[k] = bar[k] * silu(made[k]).slope;
        to[k] = L{};
      }
      for (int l = 1; l <= s.l_max; ++l)
        for (int k = 0; k < K; ++k) {
          const L half = sigmoid(made[l * K + k]), open = half + half;
          L sum{};
          for (int m = l * l; m < (l + 1) * (l + 1); ++m) {
            sum += bar[m * K + k] * message[m * K + k];
            to[m * K + k] = bar[m * K + k] * open;
          }
          mb[l * K + k] = sum * open * (constant(half, T(1)) - half);
        }
      L by_degree{};
      for (int b = 0; b < wide; ++b) {
        by_degree += w.scalars_degree.w[b] * mb[b];
        if (gradient != nullptr) {
          add_derivative(w.scalars_bias, b, derivative(mb[b]), gradient);
          add_derivative(w.scalars_degree, b, slope_of(spread(degrees[i]), mb[b]), gradient);
        }
      }
      degree_bar[i] = total(by_degree);
    }
    scalars_back(w.scalars, a.message.data(), C * K, made_bar, message_bar, C * K, begin, end, gradient);
  }

  const NetworkShape& s;
  const Parameters<T>& p;

 public:
  const int C, K, G, H; // components; blocks of channels, of the gate, of the readout
};

} // namespace trimpot::TRIMPOT_ISA

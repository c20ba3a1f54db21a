// The network over all atoms of a graph, layer by layer, and back.
#pragma once

#include <stdexcept>

#include "../../threads.hpp"
#include "pass_memory.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class N>
class Pass {
 public:
  using T = typename N::Real;
  using R = typename N::Scalar;
  using L = typename N::Lanes;

  Pass(const NetworkShape& shape, const Parameters<T>& parameters, const WeightedEdgesView& edges,
       const Ghosts& ghosts, const EdgeTangents& along, PassMemory<N>& memory, int threads)
      : s(shape), p(parameters), nodes(shape, parameters), edges_(edges), ghosts_(ghosts), along_(along), m_(memory),
        threads_(thread_count(threads, (edges.n_atoms + chunk - 1) / chunk)), n(edges.n_atoms),
        n_all_(edges.n_atoms + ghosts.n) {
    m_.arenas.resize(static_cast<std::size_t>(threads_));
    m_.states.resize(static_cast<std::size_t>(s.layers));
    for (int t = 0; t < s.layers; ++t)
      nodes.resize(m_.states[static_cast<std::size_t>(t)], centers(t), senders(t), t == 0);
    set_size(m_.last, at(centers(s.layers - 1)));
    m_.degrees.resize(static_cast<std::size_t>(n));
    m_.atoms = n_all_;
    m_.most_atoms = std::max(m_.most_atoms, n_all_);
    const std::int64_t m = edges.first[n];
    m_.used.assign(static_cast<std::size_t>(ghosts.n > 0 ? n_all_ : 0), 0);
    for (std::int64_t e = 0; ghosts.n > 0 && e < m; ++e) m_.used[static_cast<std::size_t>(edges.neighbors[e])] = 1;
    set_size(m_.kept, m <= most_kept ? m : 0);
    if (m <= most_kept) {
      for (std::int64_t i = 0; i < n; ++i) fill_around(i, m_.kept.data() + edges_.first[i]);
    }
    m_.energies.assign(static_cast<std::size_t>(n), R{});
    m_.over.resize(static_cast<std::size_t>(s.layers * n * (1 + s.heads)));
  }

  void forward() {
    embed();
    for (int t = 0; t < s.layers; ++t) {
      auto& state = m_.states[static_cast<std::size_t>(t)];
      if (t > 0 && ghosts_.exchange != nullptr) ghosts_.exchange->spread(rows(state.h));
      over_senders(t, [&](std::int64_t begin, std::int64_t end, bool gather) {
        nodes.before(state, t, gather, begin, end);
      });
      with_form([&](auto degree, auto form) {
        const Messages<N, degree(), decltype(form)> messages(s, p.layers[static_cast<std::size_t>(t)], state, t == 0);
        over_atoms(0, centers(t), [&](std::int64_t begin, std::int64_t end, int thread) {
          Arena& arena = m_.arenas[static_cast<std::size_t>(thread)];
          for (std::int64_t i = begin; i < end; ++i) {
            const Arena::Scope scope(arena);
            int count;
            const EdgeState<N>* const around = around_atom(i, count, arena);
            messages.forward(i, around, count, state.sum.data() + i * nodes.C * nodes.K, over(t, i), arena);
          }
          nodes.after(state, t, edges_.species, m_.degrees.data(), next_features(t), m_.energies.data(), begin, end);
        });
      });
    }
  }

  const std::vector<R>& energies() const { return m_.energies; }

  // Adds to gradients of vectors and weights, or to that of the parameters, where they are given.
  void backward(const R* seeds, const EdgeGradients& to, T* gradient) {
    auto &above = m_.above, &below = m_.below, &sum_bar = m_.sum_bar, &query_bar = m_.query_bar,
         &center_bar = m_.center_bar;
    auto& degree_bar = m_.degree_bar;
    auto& sent = m_.sent;
    set_size(above, at(n_all_)), set_size(below, at(n_all_)), set_size(sum_bar, at(n));
    set_size(query_bar, n * s.heads), set_size(center_bar, n * nodes.G);
    std::fill_n(above.begin(), at(centers(s.layers - 1)), L{});
    degree_bar.resize(static_cast<std::size_t>(n));
    sent.resize(static_cast<std::size_t>(threads_));
    for (int t = s.layers - 1; t >= 0; --t) {
      auto& state = m_.states[static_cast<std::size_t>(t)];
      const bool asked = t > 0 || gradient != nullptr; // of the first layer only parameters are of interest
      if (asked)
        for (auto& one : sent) clear_sent(one, t);
      with_form([&](auto degree, auto form) {
        const Messages<N, degree(), decltype(form)> messages(s, p.layers[static_cast<std::size_t>(t)], state, t == 0);
        in_shares(centers(t), [&](std::int64_t begin, std::int64_t end, int thread) {
          Arena& arena = m_.arenas[static_cast<std::size_t>(thread)];
          nodes.after_back(state, t, edges_.species, m_.degrees.data(), next_features(t), seeds,
                           {above.data(), below.data(), sum_bar.data(), degree_bar.data()}, begin, end, arena,
                           gradient);
          for (std::int64_t i = begin; i < end; ++i) {
            const Arena::Scope scope(arena);
            int count;
            const EdgeState<N>* const around = around_atom(i, count, arena);
            const std::int64_t first = edges_.first[i];
            messages.backward(i, around, count,
                              {state.sum.data() + i * nodes.C * nodes.K, sum_bar.data() + i * nodes.C * nodes.K, over(t, i),
                               degree_bar[static_cast<std::size_t>(i)],
                               query_bar.data() + i * s.heads, center_bar.data() + i * nodes.G,
                               asked ? &sent[static_cast<std::size_t>(thread)] : nullptr,
                               to.vectors == nullptr ? nullptr : to.vectors + 3 * first,
                               to.vectors == nullptr ? nullptr : to.weights + first, gradient},
                              arena);
          }
        });
      });
      if (asked) {
        std::fill(below.begin() + at(centers(t)), below.begin() + at(senders(t)), L{});
        over_senders(t, [&](std::int64_t begin, std::int64_t end, bool gather) {
          for (int other = 1; other < threads_; ++other)
            gather_sent(sent[0], sent[static_cast<std::size_t>(other)], t, begin, end);
          nodes.before_back(state, t, gather, sent[0].value.data(), sent[0].sent.data(), sent[0].key.data(),
                            query_bar.data(), center_bar.data(), sent[0].neighbor.data(), below.data(), begin, end,
                            gradient);
        });
      }
      above.swap(below);
      if (t > 0 && ghosts_.exchange != nullptr) ghosts_.exchange->gather(rows(above));
    }
    if (gradient != nullptr) add_embedding(above, gradient);
  }

 private:
  // Atoms that gather messages in a layer, and those that send them there.
  std::int64_t centers(int t) const { return ghosts_.centers != nullptr ? ghosts_.centers[t] : n; }
  std::int64_t senders(int t) const { return t == 0 || ghosts_.centers == nullptr ? n_all_ : centers(t - 1); }

  std::int64_t at(std::int64_t atom) const { return atom * nodes.C * nodes.K; } // where its features begin
  FeatureRows rows(AlignedVector<L>& h) const {
    return {h.data(), std::int64_t{width} * nodes.C * nodes.K, static_cast<int>(sizeof(T))};
  }

  L* next_features(int t) {
    return t + 1 < s.layers ? m_.states[static_cast<std::size_t>(t + 1)].h.data() : m_.last.data();
  }

  void embed() {
    auto& h = m_.states[0].h;
    std::fill_n(h.begin(), at(n), L{}); // ghosts need no more than scalars
    for (std::int64_t i = 0; i < n_all_; ++i)
      for (int k = 0; k < nodes.K; ++k)
        h[static_cast<std::size_t>(at(i) + k)] =
            Nodes<N>::constant_block(p.embedding.w[edges_.species[i] * nodes.K + k], L{});
    for (std::int64_t i = 0; i < n; ++i) {
      R sum{};
      for (std::int64_t e = edges_.first[i]; e < edges_.first[i + 1]; ++e)
        sum += number(edges_.weights[e], along_.weights ? along_.weights[e] : 0.0, R{});
      m_.degrees[static_cast<std::size_t>(i)] = static_cast<T>(1.0 / s.mean_weight) * sum;
    }
  }

  void add_embedding(const AlignedVector<L>& h_bar, T* gradient) const {
    for (std::int64_t i = 0; i < n; ++i)
      for (int k = 0; k < nodes.K; ++k)
        Nodes<N>::add_derivative(p.embedding, edges_.species[i] * nodes.K + k,
                                 Nodes<N>::derivative(h_bar[static_cast<std::size_t>(i * nodes.C * nodes.K + k)]),
                                 gradient);
  }

  const EdgeState<N>* around_atom(std::int64_t i, int& count, Arena& arena) const {
    const std::int64_t first = edges_.first[i];
    count = static_cast<int>(edges_.first[i + 1] - first);
    if (!m_.kept.empty()) return m_.kept.data() + first;
    auto* const around = arena.take<EdgeState<N>>(count);
    fill_around(i, around);
    return around;
  }

  void fill_around(std::int64_t i, EdgeState<N>* around) const {
    const std::int64_t first = edges_.first[i];
    const auto count = static_cast<std::int32_t>(edges_.first[i + 1] - first);
    for (std::int32_t e = 0; e < count; ++e) around[e] = edge_state<N>(edges_, along_, first + e, s);
  }

  template <class Work>
  void over_atoms(std::int64_t first, std::int64_t last, Work&& work) {
    if (threads_ == 1) {
      for (std::int64_t begin = first; begin < last; begin += chunk) work(begin, std::min(begin + chunk, last), 0);
      return;
    }
    for_blocks(last - first, chunk, threads_, [&](std::int64_t begin, std::int64_t end, int thread) {
      work(first + begin, first + end, thread);
    });
  }

  // Those that gather, then those that only send, if anybody listens.
  template <class Work>
  void over_senders(int t, Work&& work) {
    over_atoms(0, centers(t), [&](std::int64_t begin, std::int64_t end, int) { work(begin, end, true); });
    if (senders(t) == centers(t)) return;
    over_atoms(centers(t), senders(t), [&](std::int64_t begin, std::int64_t end, int) {
      over_used(begin, end, [&](std::int64_t first, std::int64_t last) { work(first, last, false); });
    });
  }

  // Runs of atoms that are at the end of an edge.
  template <class Work>
  void over_used(std::int64_t begin, std::int64_t end, Work&& work) const {
    const auto used = [&](std::int64_t i) { return m_.used[static_cast<std::size_t>(i)] != 0; };
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i;
      while (i < end && used(i)) ++i;
      if (i > first) work(first, i);
    }
  }

  // Each thread has the same atoms in every call, so that sums over what threads collect are the same.
  template <class Work>
  void in_shares(std::int64_t atoms, Work&& work) {
    const std::int64_t chunks = (atoms + chunk - 1) / chunk;
    on_threads(threads_, [&](int thread) {
      const std::int64_t last = chunks * (thread + 1) / threads_;
      for (std::int64_t c = chunks * thread / threads_; c < last; ++c)
        work(c * chunk, std::min((c + 1) * chunk, atoms), thread);
    });
  }

  R* over(int t, std::int64_t i) { return m_.over.data() + (t * n + i) * (1 + s.heads); }

  template <class Work>
  void with_form(Work&& work) const {
    with_degree([&](auto degree) {
      if (UsualBlocks::fit(s)) return work(degree, UsualBlocks{});
      return work(degree, AnyBlocks{});
    });
  }

  template <class Work>
  void with_degree(Work&& work) const {
    switch (s.l_max) {
      case 0: return work(std::integral_constant<int, 0>{});
      case 1: return work(std::integral_constant<int, 1>{});
      case 2: return work(std::integral_constant<int, 2>{});
      default: return work(std::integral_constant<int, 3>{});
    }
  }

  void clear_sent(SentBack<L>& one, int t) const {
    const std::int64_t sending = senders(t);
    set_size(one.value, sending * nodes.K);
    set_size(one.sent, t > 0 ? at(sending) : 0);
    set_size(one.key, s.heads > 0 ? sending : 0);
    set_size(one.neighbor, sending * nodes.G);
    const auto clear = [&](AlignedVector<L>& of, std::int64_t per_atom) {
      const auto rows = [&](std::int64_t begin, std::int64_t end) {
        std::fill(of.begin() + begin * per_atom, of.begin() + end * per_atom, L{});
      };
      rows(0, centers(t));
      if (sending > centers(t)) over_used(centers(t), sending, rows);
    };
    clear(one.value, nodes.K);
    if (t > 0) clear(one.sent, nodes.C * nodes.K);
    if (s.heads > 0) clear(one.key, 1);
    clear(one.neighbor, nodes.G);
  }

  void gather_sent(SentBack<L>& to, const SentBack<L>& from, int t, std::int64_t begin, std::int64_t end) const {
    const auto add = [&](AlignedVector<L>& a, const AlignedVector<L>& b, std::int64_t per_atom) {
      for (std::int64_t k = begin * per_atom; k < end * per_atom; ++k)
        a[static_cast<std::size_t>(k)] += b[static_cast<std::size_t>(k)];
    };
    add(to.value, from.value, nodes.K);
    if (t > 0) add(to.sent, from.sent, nodes.C * nodes.K);
    if (s.heads > 0) add(to.key, from.key, 1);
    add(to.neighbor, from.neighbor, nodes.G);
  }

  const NetworkShape& s;
  const Parameters<T>& p;
  const Nodes<N> nodes;
  const WeightedEdgesView& edges_;
  const Ghosts ghosts_;
  const EdgeTangents along_;
  PassMemory<N>& m_;
  const int threads_;
  const std::int64_t n, n_all_; // atoms with edges; these and ghosts
  static constexpr std::int64_t most_kept = 1 << 17; // edges whose state is worked out once; more would leave the cache
};

template <class T>
class NetworkKernel final : public Network {
 public:
  explicit NetworkKernel(NetworkShape shape) : shape_(std::move(shape)), parameters_(shape_) {}

  std::int64_t n_parameters() const override { return parameters_.size(); }
  void set_parameters(const double* values) override { parameters_.set(values); }

  void evaluate_among(const WeightedEdgesView& edges, const Ghosts& ghosts, double* energies,
                      const EdgeGradients& gradients, int threads) const override {
    if (ghosts.n > 0 && shape_.layers > 1 && ghosts.exchange == nullptr && ghosts.centers == nullptr)
      throw std::invalid_argument("nothing says what the features of ghosts are after the first layer");
    const typename MemoryPool<Numbers<T, false>>::Lease memory(plain_);
    Pass<Numbers<T, false>> pass(shape_, parameters_, edges, ghosts, {}, *memory, threads);
    pass.forward();
    const std::int64_t own = ghosts.centers != nullptr ? ghosts.centers[shape_.layers - 1] : edges.n_atoms;
    for (std::int64_t i = 0; i < own; ++i) energies[i] = static_cast<double>(pass.energies()[static_cast<std::size_t>(i)]);
    const std::int64_t m = edges.first[edges.n_atoms];
    if (gradients.vectors == nullptr && m > 0) return; // without edges there may be ghosts that ask for derivatives
    std::fill(gradients.vectors, gradients.vectors + 3 * m, 0.0);
    std::fill(gradients.weights, gradients.weights + m, 0.0);
    std::vector<T> seeds(static_cast<std::size_t>(edges.n_atoms));
    std::fill_n(seeds.begin(), own, T(1));
    pass.backward(seeds.data(), gradients, nullptr);
  }

  void add_parameter_gradient(const WeightedEdgesView& edges, const double* seeds, const EdgeTangents& tangents,
                              double* gradient) const override {
    const typename MemoryPool<Numbers<T, true>>::Lease memory(dual_);
    Pass<Numbers<T, true>> pass(shape_, parameters_, edges, {}, tangents, *memory, 1);
    pass.forward();
    std::vector<DualNumber<T>> dual(static_cast<std::size_t>(edges.n_atoms));
    for (std::size_t i = 0; i < dual.size(); ++i) dual[i] = {T(1), static_cast<T>(seeds[i])};
    AlignedVector<T> sums(static_cast<std::size_t>(parameters_.size()));
    std::fill(sums.begin(), sums.end(), T(0));
    pass.backward(dual.data(), {}, sums.data());
    for (std::size_t k = 0; k < sums.size(); ++k) gradient[k] += static_cast<double>(sums[k]);
  }

 private:
  NetworkShape shape_;
  Parameters<T> parameters_;
  mutable MemoryPool<Numbers<T, false>> plain_;
  mutable MemoryPool<Numbers<T, true>> dual_;
};

} // namespace trimpot::TRIMPOT_ISA

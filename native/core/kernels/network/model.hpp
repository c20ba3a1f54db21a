// The network over all atoms of a graph, layer by layer, and back.
#pragma once

#include <stdexcept>

#include "../../threads.hpp"
#include "messages.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class N>
class Pass {
 public:
  using T = typename N::Real;
  using R = typename N::Scalar;
  using L = typename N::Lanes;

  Pass(const NetworkShape& shape, const Parameters<T>& parameters, const WeightedEdgesView& edges,
       const Ghosts& ghosts, const EdgeTangents& along, int threads)
      : s(shape), p(parameters), nodes(shape, parameters), edges_(edges), ghosts_(ghosts), along_(along),
        threads_(thread_count(threads, (edges.n_atoms + chunk - 1) / chunk)), n(edges.n_atoms),
        n_all_(edges.n_atoms + ghosts.n) {
    arenas_.resize(static_cast<std::size_t>(threads_));
    states_.resize(static_cast<std::size_t>(s.layers));
    for (int t = 0; t < s.layers; ++t)
      nodes.resize(states_[static_cast<std::size_t>(t)], centers(t), senders(t), t == 0);
    last_.resize(features(centers(s.layers - 1)));
    degrees_.resize(static_cast<std::size_t>(n));
    const std::int64_t m = edges.first[n];
    if (m <= most_kept) {
      kept_.resize(static_cast<std::size_t>(m));
      for (std::int64_t i = 0; i < n; ++i) fill_around(i, kept_.data() + edges_.first[i]);
    }
    energies_.assign(static_cast<std::size_t>(n), R{});
    over_.resize(static_cast<std::size_t>(s.layers * n * (1 + s.heads)));
  }

  void forward() {
    embed();
    for (int t = 0; t < s.layers; ++t) {
      auto& state = states_[static_cast<std::size_t>(t)];
      if (t > 0 && ghosts_.exchange != nullptr) ghosts_.exchange->spread(rows(state.h));
      over_senders(t, [&](std::int64_t begin, std::int64_t end, bool gather) {
        nodes.before(state, t, gather, begin, end);
      });
      with_form([&](auto degree, auto form) {
        const Messages<N, degree(), decltype(form)> messages(s, p.layers[static_cast<std::size_t>(t)], state, t == 0);
        over_atoms(0, centers(t), [&](std::int64_t begin, std::int64_t end, int thread) {
          Arena& arena = arenas_[static_cast<std::size_t>(thread)];
          for (std::int64_t i = begin; i < end; ++i) {
            const Arena::Scope scope(arena);
            int count;
            const EdgeState<N>* const around = around_atom(i, count, arena);
            messages.forward(i, around, count, state.sum.data() + i * nodes.C * nodes.K, over(t, i), arena);
          }
          nodes.after(state, t, edges_.species, degrees_.data(), next_features(t), energies_.data(), begin, end);
        });
      });
    }
  }

  const std::vector<R>& energies() const { return energies_; }

  // Adds to gradients of vectors and weights, or to that of the parameters, where they are given.
  void backward(const R* seeds, const EdgeGradients& to, T* gradient) {
    AlignedVector<L> above(features(n_all_)), below(features(n_all_)), sum_bar(features(n));
    std::fill(above.begin(), above.end(), L{});
    std::vector<R> degree_bar(static_cast<std::size_t>(n));
    AlignedVector<L> query_bar(static_cast<std::size_t>(n * s.heads)), center_bar(static_cast<std::size_t>(n * nodes.G));
    std::vector<SentBack<L>> sent(static_cast<std::size_t>(threads_));
    for (int t = s.layers - 1; t >= 0; --t) {
      auto& state = states_[static_cast<std::size_t>(t)];
      const bool asked = t > 0 || gradient != nullptr; // of the first layer only parameters are of interest
      if (asked)
        for (auto& one : sent) clear_sent(one, t);
      with_form([&](auto degree, auto form) {
        const Messages<N, degree(), decltype(form)> messages(s, p.layers[static_cast<std::size_t>(t)], state, t == 0);
        in_shares(centers(t), [&](std::int64_t begin, std::int64_t end, int thread) {
          Arena& arena = arenas_[static_cast<std::size_t>(thread)];
          nodes.after_back(state, t, edges_.species, degrees_.data(), next_features(t), seeds,
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
  std::size_t features(std::int64_t atoms) const { return static_cast<std::size_t>(at(atoms)); }
  FeatureRows rows(AlignedVector<L>& h) const {
    return {h.data(), std::int64_t{width} * nodes.C * nodes.K, static_cast<int>(sizeof(T))};
  }

  L* next_features(int t) {
    return t + 1 < s.layers ? states_[static_cast<std::size_t>(t + 1)].h.data() : last_.data();
  }

  void embed() {
    auto& h = states_[0].h;
    std::fill(h.begin(), h.end(), L{});
    for (std::int64_t i = 0; i < n_all_; ++i)
      for (int k = 0; k < nodes.K; ++k)
        h[static_cast<std::size_t>(at(i) + k)] =
            Nodes<N>::constant_block(p.embedding.w[edges_.species[i] * nodes.K + k], L{});
    for (std::int64_t i = 0; i < n; ++i) {
      R sum{};
      for (std::int64_t e = edges_.first[i]; e < edges_.first[i + 1]; ++e)
        sum += number(edges_.weights[e], along_.weights ? along_.weights[e] : 0.0, R{});
      degrees_[static_cast<std::size_t>(i)] = static_cast<T>(1.0 / s.mean_weight) * sum;
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
    if (!kept_.empty()) return kept_.data() + first;
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

  // Those that gather, then those that only send.
  template <class Work>
  void over_senders(int t, Work&& work) {
    const auto part = [&](std::int64_t first, std::int64_t last, bool gather) {
      over_atoms(first, last, [&](std::int64_t begin, std::int64_t end, int) { work(begin, end, gather); });
    };
    part(0, centers(t), true);
    if (senders(t) > centers(t)) part(centers(t), senders(t), false);
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

  R* over(int t, std::int64_t i) { return over_.data() + (t * n + i) * (1 + s.heads); }

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
    one.value.resize(static_cast<std::size_t>(sending * nodes.K));
    one.sent.resize(t > 0 ? features(sending) : 0);
    one.key.resize(static_cast<std::size_t>(s.heads > 0 ? sending : 0));
    one.neighbor.resize(static_cast<std::size_t>(sending * nodes.G));
    for (auto* of : {&one.value, &one.sent, &one.key, &one.neighbor}) std::fill(of->begin(), of->end(), L{});
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
  const int threads_;
  const std::int64_t n, n_all_; // atoms with edges; these and ghosts
  std::vector<Arena> arenas_;
  std::vector<LayerState<L>> states_;
  AlignedVector<L> last_;
  std::vector<R> degrees_, energies_;
  std::vector<R> over_; // layers x atoms x groups of channels: 1 / (1 + sum of shares)
  static constexpr std::int64_t most_kept = 1 << 17; // edges whose state is worked out once; more would leave the cache
  AlignedVector<EdgeState<N>> kept_;
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
    Pass<Numbers<T, false>> pass(shape_, parameters_, edges, ghosts, {}, threads);
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
    Pass<Numbers<T, true>> pass(shape_, parameters_, edges, {}, tangents, 1);
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
};

} // namespace trimpot::TRIMPOT_ISA

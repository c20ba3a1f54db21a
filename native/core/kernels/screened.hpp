// Terms of an environment whose neighbours carry the weights of a screening. Neighbours without
// weight are gone before the terms see them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "../term.hpp"
#include "screening.hpp"

namespace trimpot::TRIMPOT_ISA {

class Screened final : public Term {
 public:
  // Terms that take weights.
  Screened(std::shared_ptr<const Screening> screening, std::vector<TermPointer> terms)
      : screening_(std::move(screening)), terms_(std::move(terms)) {
    for (const auto& term : terms_) reach_ = std::max(reach_, term->cutoff());
  }

  // The sum of two that share a screening.
  Screened(const Screened& a, const Screened& b) : Screened(a.screening_, a.terms_) {
    terms_.insert(terms_.end(), b.terms_.begin(), b.terms_.end());
    reach_ = std::max(a.reach_, b.reach_);
  }

  Screened(const Screened& other) : Term(), screening_(other.screening_), terms_(other.terms_), reach_(other.reach_) {}
  Screened& operator=(const Screened&) = delete;

  bool shares_with(const Screened& other) const { return screening_->spec() == other.screening_->spec(); }

  double cutoff() const override { return reach_ * screening_->stretch(); }
  int n_columns() const override {
    int n = 0;
    for (const auto& term : terms_) n += term->n_columns();
    return n;
  }
  bool has_coefficients() const override {
    bool all = true;
    for (const auto& term : terms_) all &= term->has_coefficients();
    return all;
  }

  double evaluate(const Environment<double>& env, Gradient<double> g) const override { return alone(env, g); }
  double evaluate(const Environment<float>& env, Gradient<float> g) const override { return alone(env, g); }
  void evaluate(Task<double>* tasks, int n) const override { add(tasks, n); }
  void evaluate(Task<float>* tasks, int n) const override { add(tasks, n); }

  int n_limits() const override { return terms_[0]->n_limits(); }

  void add_to_range(const Environment<double>& env, double* largest) const override {
    const Arena::Scope scope(*env.arena);
    const Weights<double> weights = weights_of(env);
    terms_[0]->add_to_range(Survivors<double>(env, weights.weight(), weights.touched(), reach_).env, largest);
  }

  void rows(const Environment<double>& env, const RowSink& sink) const override {
    Arena::Scope scope(*env.arena);
    const Weights<double> weights = weights_of(env);
    const Survivors<double> left(env, weights.weight(), weights.touched(), reach_);
    RowSink inner = sink;
    for (const auto& term : terms_) {
      const int n = term->n_columns();
      std::vector<double> by_weight(static_cast<std::size_t>(n) * static_cast<std::size_t>(env.count), 0.0);
      std::vector<double> packed(static_cast<std::size_t>(n) * static_cast<std::size_t>(left.env.count), 0.0);
      inner.weights = packed.data();
      inner.weight_columns = n;
      term->rows(left.env, inner);
      for (int a = 0; a < left.env.count; ++a)
        std::copy_n(packed.data() + std::ptrdiff_t{n} * a, n, by_weight.data() + std::ptrdiff_t{n} * left.place[a]);
      weights.for_each_derivative([&](int j, int k, const double* on_j, const double* on_k) {
        const double* row = by_weight.data() + std::ptrdiff_t{n} * j;
        add_displacement(env, inner, j, n, row, on_j);
        add_displacement(env, inner, k, n, row, on_k);
      });
      inner.column_offset += n;
    }
  }

 private:
  Weights<double> weights_of(const Environment<double>& env) const {
    Weights<double> weights(*screening_, env, reach_);
    weights.work_out();
    weights.combine();
    return weights;
  }

  // The neighbours that have a weight, as an environment of their own.
  template <class Real>
  struct Survivors {
    static constexpr int N = lanes<Real>;
    Environment<Real> env;
    int* place; // in the other environment

    Survivors(const Environment<Real>& all, const Real* weight, int touched, double reach) : env(all) {
      Arena& arena = *all.arena;
      const std::int64_t most = touched + N;
      Real* numbers[5];
      numbers[0] = arena.take<Real>(8 * (most + N));
      for (int a = 1; a < 5; ++a) numbers[a] = numbers[a - 1] + most + N;
      auto* const species = reinterpret_cast<std::int32_t*>(numbers[4] + most + N);
      auto* const neighbor = species + most + N;
      place = neighbor + most + N;
      int count = 0;
      for (int j = 0; j < touched; j += N) {
        const auto w = load<N>(weight + j);
        const auto bits = below(Vec<Real, N>{}, w) & below(load<N>(all.r + j), broadcast<N>(static_cast<Real>(reach)));
        if (bits == 0) continue;
        const Real* from[4] = {all.x + j, all.y + j, all.z + j, all.r + j};
        for (int a = 0; a < 4; ++a) pack(numbers[a] + count, bits, load<N>(from[a]));
        pack(numbers[4] + count, bits, w);
        pack(species + count, bits, load<N>(all.neighbor_species + j));
        pack(neighbor + count, bits, load<N>(all.neighbor + j));
        pack(place + count, bits, iota<N>(j));
        count += __builtin_popcount(bits);
      }
      for (int a = 0; a < 5; ++a) store(numbers[a] + count, broadcast<N>(a < 4 ? Real(1e4) : Real(0)));
      store(species + count, Vec<std::int32_t, N>{});
      env.count = count;
      env.x = numbers[0], env.y = numbers[1], env.z = numbers[2], env.r = numbers[3], env.weight = numbers[4];
      env.neighbor_species = species;
      env.neighbor = neighbor;
    }
  };

  template <class Real>
  double alone(const Environment<Real>& env, Gradient<Real> g) const {
    Task<Real> task{env, g};
    add(&task, 1);
    return task.energy;
  }

  template <class Real>
  void add(Task<Real>* tasks, int n) const {
    constexpr int N = lanes<Real>;
    if (n == 0) return;
    Arena& arena = *tasks[0].env.arena;
    const Arena::Scope scope(arena);
    std::optional<Weights<Real>> weights[most_tasks];
    std::optional<Survivors<Real>> left[most_tasks];
    int order[most_tasks]; // by the number of survivors: loops of one length are predicted well
    for (int t = 0; t < n; ++t) weights[t].emplace(*screening_, tasks[t].env, reach_);
    for (int t = 0; t < n; ++t) weights[t]->work_out();
    for (int t = 0; t < n; ++t) weights[t]->combine();
    for (int t = 0; t < n; ++t) {
      left[t].emplace(tasks[t].env, weights[t]->weight(), weights[t]->touched(), reach_);
      int o = t;
      for (; o > 0 && left[order[o - 1]]->env.count > left[t]->env.count; --o) order[o] = order[o - 1];
      order[o] = t;
    }
    Task<Real> inner[most_tasks];
    for (int o = 0; o < n; ++o) {
      inner[o].env = left[order[o]]->env;
      const int size = (inner[o].env.count + 2 * N - 1) / N * N;
      Real* p = arena.take<Real>(std::int64_t{4} * size);
      for (int a = 0; a < 4 * size; a += N) store(p + a, Vec<Real, N>{});
      inner[o].gradient = {p, p + size, p + 2 * size, p + 3 * size};
    }
    for (const auto& term : terms_) term->evaluate(inner, n);
    Real* by_weight[most_tasks];
    for (int o = 0; o < n; ++o) {
      Task<Real>& task = tasks[order[o]];
      task.energy += inner[o].energy;
      task.touched = std::max(task.touched, weights[order[o]]->touched());
      by_weight[o] = spread(inner[o], left[order[o]]->place, weights[order[o]]->touched(), task);
    }
    for (int o = 0; o < n; ++o) weights[order[o]]->pull_back(by_weight[o], tasks[order[o]].gradient);
  }

  // Adds gradients of the survivors to those of all; returns dE/dweight of all.
  template <class Real>
  static Real* spread(const Task<Real>& inner, const int* place, int touched, const Task<Real>& task) {
    constexpr int N = lanes<Real>;
    const Gradient<Real> own = inner.gradient, g = task.gradient;
    const int padded = (touched + N - 1) / N * N;
    Real* const by_weight = task.env.arena->template take<Real>(padded);
    clear(by_weight, padded); // weights can vanish by rounding
    for (int a = 0; a < inner.env.count; ++a) {
      const int j = place[a];
      g.x[j] += own.x[a];
      g.y[j] += own.y[a];
      g.z[j] += own.z[a];
      by_weight[j] = own.weight[a];
    }
    return by_weight;
  }

  // Columns row times the gradient of a scalar by the displacement of neighbour j.
  static void add_displacement(const Environment<double>& env, const RowSink& sink, int j, int n, const double* row,
                               const double* gradient) {
    const double d[3] = {env.x[j], env.y[j], env.z[j]};
    static constexpr int pairs[6][2] = {{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}};
    for (int axis = 0; axis < 3 && sink.forces; ++axis) {
      double *on_j = sink.force_row(env.neighbor[j], axis), *on_i = sink.force_row(env.center, axis);
      for (int c = 0; c < n; ++c) {
        on_j[c] -= gradient[axis] * row[c];
        on_i[c] += gradient[axis] * row[c];
      }
    }
    for (int a = 0; a < 6 && sink.strain; ++a) {
      const double scale = d[pairs[a][0]] * gradient[pairs[a][1]];
      double* s = sink.strain + a * sink.n_columns + sink.column_offset;
      for (int c = 0; c < n; ++c) s[c] += scale * row[c];
    }
  }

  std::shared_ptr<const Screening> screening_;
  std::vector<TermPointer> terms_;
  double reach_ = 0.0;
};

} // namespace trimpot::TRIMPOT_ISA

// Terms of an environment whose neighbours carry the weights of a screening. Neighbours without
// weight are gone before the terms see them.
#pragma once

#include <memory>
#include <vector>

#include "../term.hpp"
#include "survivors.hpp"

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
    const Task<double> task{env, {}};
    const Survivors<double> left(*screening_, &task, 1, reach_);
    terms_[0]->add_to_range(left.environment(0), largest);
  }

  void rows(const Environment<double>& env, const RowSink& sink) const override {
    const Arena::Scope scope(*env.arena);
    const Task<double> task{env, {}};
    const Survivors<double> left(*screening_, &task, 1, reach_);
    RowSink inner = sink;
    for (const auto& term : terms_) {
      const int n = term->n_columns();
      if (!sink.wants_gradients()) {
        term->rows(left.environment(0), inner);
        inner.column_offset += n;
        continue;
      }
      std::vector<double> by_weight(static_cast<std::size_t>(n) * static_cast<std::size_t>(left.environment(0).count), 0.0);
      inner.weights = by_weight.data();
      inner.weight_columns = n;
      term->rows(left.environment(0), inner);
      left.for_each_derivative([&](int a, int j, int k, const double* on_j, const double* on_k) {
        const double* row = by_weight.data() + std::ptrdiff_t{n} * a;
        add_displacement(env, inner, j, n, row, on_j);
        add_displacement(env, inner, k, n, row, on_k);
      });
      inner.column_offset += n;
    }
  }

 private:
  template <class Real>
  double alone(const Environment<Real>& env, Gradient<Real> g) const {
    Task<Real> task{env, g};
    add(&task, 1);
    return task.energy;
  }

  template <class Real>
  void add(Task<Real>* tasks, int n) const {
    if (n == 0) return;
    const Arena::Scope scope(*tasks[0].env.arena);
    Survivors<Real> left(*screening_, tasks, n, reach_);
    int order[most_tasks]; // by the number of survivors: loops of one length are predicted well
    for (int t = 0; t < n; ++t) {
      int o = t;
      for (; o > 0 && left.environment(order[o - 1]).count > left.environment(t).count; --o) order[o] = order[o - 1];
      order[o] = t;
    }
    Task<Real> inner[most_tasks];
    for (int o = 0; o < n; ++o) inner[o] = {left.environment(order[o]), left.gradient(order[o])};
    for (const auto& term : terms_) term->evaluate(inner, n);
    for (int o = 0; o < n; ++o) {
      Task<Real>& task = tasks[order[o]];
      task.energy += inner[o].energy;
      task.touched = std::max(task.touched, left.touched(order[o]));
    }
    left.pull_back(tasks);
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

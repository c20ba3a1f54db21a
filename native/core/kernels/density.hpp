// Polynomials of the densities around an atom (src/trimpot/splines/reference.py, density).
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "../memory.hpp"
#include "../specs.hpp"
#include "../term.hpp"
#include "harmonics.hpp"
#include "rows.hpp"
#include "simd.hpp"
#include "uniform_basis.hpp"

namespace trimpot::TRIMPOT_ISA {

class Density final : public Term {
 public:
  explicit Density(DensitySpec spec) : spec_(std::move(spec)) {
    for (const auto* radial : {&spec_.radial, &spec_.angular})
      for (const double high : radial->high) cutoff_ = radial->n ? std::max(cutoff_, high) : cutoff_;
  }

  double cutoff() const override { return cutoff_; }
  int n_columns() const override { return spec_.n_columns; }
  bool has_coefficients() const override { return !spec_.coefficients.empty(); }
  bool takes_weights() const override { return true; }

  double evaluate(const Environment<double>& env, Gradient<double> g) const override { return add(env, g); }
  double evaluate(const Environment<float>& env, Gradient<float> g) const override { return add(env, g); }

  void rows(const Environment<double>& env, const RowSink& sink) const override {
    const State<double> state(*this, env);
    // By density or component: the monomials that change with it, and how much.
    std::vector<std::vector<std::pair<int, double>>> changes(spec_.n_densities() + spec_.n_components());
    for (std::size_t m = 0; m < spec_.n_monomials(); ++m) {
      const std::int32_t column = column_of(env.species, m);
      if (column < 0) continue;
      if (sink.energy) sink.energy[sink.column_offset + column] += state.monomial(m);
      const std::int32_t* q = spec_.monomials.data() + 4 * m;
      for (int a = 0; a < 4 && q[a] >= 0; ++a)
        state.for_each_change(q[a], state.monomial_without(m, a), [&](std::size_t what, double by) {
          changes[what].emplace_back(column, by);
        });
    }
    for (int j = 0; j < env.count; ++j) {
      const double w = env.weight ? env.weight[j] : 1.0;
      state.for_each_part(j, [&](std::size_t what, double value, const double* gradient) {
        for (const auto& [column, by] : changes[what]) add_row(env, sink, j, column, by * value, by * w, gradient);
      });
    }
  }

 private:
  // Densities, components and invariants of one atom.
  template <class Real>
  struct State {
    const Density& term;
    const DensitySpec& spec;
    const Environment<Real>& env;
    std::vector<double> density, component, invariant, slope; // of the invariant by itself unbounded

    State(const Density& t, const Environment<Real>& e)
        : term(t), spec(t.spec_), env(e), density(spec.n_densities(), 0.0), component(spec.n_components(), 0.0),
          invariant(spec.n_invariants()), slope(spec.n_invariants()) {
      for (int j = 0; j < env.count; ++j) {
        const double w = env.weight ? env.weight[j] : 1.0;
        for_each_part(j, [&](std::size_t what, double value, const double*) {
          (what < density.size() ? density[what] : component[what - density.size()]) += w * value;
        });
      }
      for (std::size_t q = 0; q < invariant.size(); ++q) {
        const double limit = spec.limits[static_cast<std::size_t>(env.species) * invariant.size() + q];
        const auto b = bounded(q < density.size() ? density[q] : form(spec.forms[q - density.size()]), limit);
        invariant[q] = b.value;
        slope[q] = b.slope;
      }
    }

    double product(const DensitySpec::Form& form, std::size_t t, int without) const {
      double v = form.factor[t];
      for (int a = 0; a < 3; ++a)
        if (a != without && form.components[3 * t + static_cast<std::size_t>(a)] >= 0)
          v *= component[static_cast<std::size_t>(form.components[3 * t + static_cast<std::size_t>(a)])];
      return v;
    }

    double form(const DensitySpec::Form& form) const {
      double v = 0.0;
      for (std::size_t t = 0; t < form.factor.size(); ++t) v += product(form, t, -1);
      return v;
    }

    double monomial(std::size_t m) const { return monomial_without(m, -1); }

    double monomial_without(std::size_t m, int without) const {
      double v = 1.0;
      for (int a = 0; a < 4; ++a)
        if (const std::int32_t q = spec.monomials[4 * m + static_cast<std::size_t>(a)]; q >= 0 && a != without)
          v *= invariant[static_cast<std::size_t>(q)];
      return v;
    }

    // Calls visit(density or component, by it) for d(scale * invariant q).
    template <class Visit>
    void for_each_change(int q, double scale, Visit&& visit) const {
      const auto at = static_cast<std::size_t>(q);
      scale *= slope[at];
      if (at < density.size()) return visit(at, scale);
      const DensitySpec::Form& form = spec.forms[at - density.size()];
      for (std::size_t t = 0; t < form.factor.size(); ++t)
        for (int a = 0; a < 3; ++a)
          if (const std::int32_t c = form.components[3 * t + static_cast<std::size_t>(a)]; c >= 0)
            visit(density.size() + static_cast<std::size_t>(c), scale * product(form, t, a));
    }

    // Calls visit(density or component, value, gradient by d_j) for what neighbour j adds to.
    template <class Visit>
    void for_each_part(int j, Visit&& visit) const {
      const double d[3] = {env.x[j], env.y[j], env.z[j]}, r = env.r[j], u[3] = {d[0] / r, d[1] / r, d[2] / r};
      const auto b = static_cast<std::size_t>(env.neighbor_species[j]);
      const auto pair = static_cast<std::size_t>(env.species * spec.n_species) + b;
      auto functions = [&](const DensitySpec::Radial& radial, auto&& found) {
        if (radial.n == 0 || r >= radial.high[pair] || r == 0.0) return;
        const double per_length = radial.n / (radial.high[pair] - radial.low[pair]);
        const double t = (r - radial.low[pair]) * per_length;
        if (t <= -3.0) return;
        const double m = std::floor(t);
        const auto v = uniform_values(broadcast<4>(t - m));
        const double value[4] = {v.v0[0], v.v1[0], v.v2[0], v.v3[0]}, slope_[4] = {v.s0[0], v.s1[0], v.s2[0], v.s3[0]};
        for (int a = 0; a < 4; ++a) {
          const int n = static_cast<int>(m) + a;
          if (n >= 0 && n < radial.n) found(b * static_cast<std::size_t>(radial.n) + static_cast<std::size_t>(n), value[a], slope_[a] * per_length);
        }
      };
      functions(spec.radial, [&](std::size_t a, double value, double by_r) {
        const double gradient[3] = {by_r * u[0], by_r * u[1], by_r * u[2]};
        visit(a, value, gradient);
      });
      functions(spec.angular, [&](std::size_t a, double value, double by_r) {
        for (std::size_t c = 0; c < n_harmonics; ++c) {
          const auto y = harmonic(c, u);
          double gradient[3];
          for (int x = 0; x < 3; ++x) gradient[x] = by_r * u[x] * y[3] + value * (y[static_cast<std::size_t>(x)]) / r;
          visit(density.size() + n_harmonics * a + c, value * y[3], gradient);
        }
      });
    }

    // Gradient of a harmonic on the unit sphere, and its value.
    static std::array<double, 4> harmonic(std::size_t c, const double* u) {
      using V = Vec<double, 4>;
      const V x = broadcast<4>(u[0]), y = broadcast<4>(u[1]), z = broadcast<4>(u[2]);
      V values[n_harmonics], h[n_harmonics] = {}, g[3] = {};
      harmonics(x, y, z, values);
      h[c] = broadcast<4>(1.0);
      harmonics_gradient(x, y, z, h, g);
      const double along = g[0][0] * u[0] + g[1][0] * u[1] + g[2][0] * u[2];
      return {g[0][0] - along * u[0], g[1][0] - along * u[1], g[2][0] - along * u[2], values[c][0]};
    }
  };

  struct Bounded {
    double value, slope;
  };

  // a up to the limit, then saturating a quarter of it above: t / (1 + t^3)^(1/3).
  static Bounded bounded(double a, double limit) {
    const double beyond = std::abs(a) - limit;
    if (!(beyond > 0.0)) return {a, 1.0};
    const double room = 0.25 * limit;
    if (room == 0.0) return {0.0, 0.0};
    const double t = beyond / room, root = std::cbrt(1.0 + t * t * t);
    return {std::copysign(limit + room * t / root, a), 1.0 / (root * root * root * root)};
  }

  std::int32_t column_of(int species, std::size_t m) const {
    return spec_.columns[static_cast<std::size_t>(species) * spec_.n_monomials() + m];
  }

  template <class Real>
  double add(const Environment<Real>& env, Gradient<Real> g) const {
    const State<Real> state(*this, env);
    double energy = 0.0;
    std::vector<double> by(spec_.n_densities() + spec_.n_components(), 0.0);
    for (std::size_t m = 0; m < spec_.n_monomials(); ++m) {
      const std::int32_t column = column_of(env.species, m);
      if (column < 0) continue;
      const double c = spec_.coefficients[static_cast<std::size_t>(column)];
      energy += c * state.monomial(m);
      const std::int32_t* q = spec_.monomials.data() + 4 * m;
      for (int a = 0; a < 4 && q[a] >= 0; ++a)
        state.for_each_change(q[a], c * state.monomial_without(m, a), [&](std::size_t what, double v) { by[what] += v; });
    }
    for (int j = 0; j < env.count; ++j) {
      double total[4] = {};
      state.for_each_part(j, [&](std::size_t what, double value, const double* gradient) {
        for (int x = 0; x < 3; ++x) total[x] += by[what] * gradient[x];
        total[3] += by[what] * value;
      });
      const double w = env.weight ? static_cast<double>(env.weight[j]) : 1.0;
      g.x[j] += static_cast<Real>(w * total[0]);
      g.y[j] += static_cast<Real>(w * total[1]);
      g.z[j] += static_cast<Real>(w * total[2]);
      if (env.weight) g.weight[j] += static_cast<Real>(total[3]);
    }
    return energy;
  }

  // by_weight: dE/dweight; scale: of the gradient.
  static void add_row(const Environment<double>& env, const RowSink& sink, int j, int column, double by_weight, double scale,
                      const double* gradient) {
    if (sink.weights) sink.weight_row(j)[column] += by_weight;
    if (sink.forces)
      for (int axis = 0; axis < 3; ++axis) {
        sink.force_row(env.neighbor[j], axis)[column] -= scale * gradient[axis];
        sink.force_row(env.center, axis)[column] += scale * gradient[axis];
      }
    if (sink.strain) {
      const double d[3] = {scale * env.x[j], scale * env.y[j], scale * env.z[j]};
      double* s = sink.strain + sink.column_offset + column;
      const std::int64_t n = sink.n_columns;
      s[0] += d[0] * gradient[0];
      s[n] += d[1] * gradient[1];
      s[2 * n] += d[2] * gradient[2];
      s[3 * n] += d[1] * gradient[2];
      s[4 * n] += d[0] * gradient[2];
      s[5 * n] += d[0] * gradient[1];
    }
  }

  DensitySpec spec_;
  double cutoff_ = 0.0;
};

} // namespace trimpot::TRIMPOT_ISA

// Design rows of the densities around an atom, and the range of the densities: in double, one column
// after the other.
#pragma once

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "../specs.hpp"
#include "../term.hpp"
#include "density_bounds.hpp"
#include "density_polynomial.hpp"
#include "harmonics.hpp"
#include "uniform_basis.hpp"

namespace trimpot::TRIMPOT_ISA {

// Densities and components of one atom, as rows need them.
struct DensityValues {
  const DensitySpec& spec;
  const Environment<double>& env;
  std::vector<double> raw;            // rho, then A by function and component
  std::vector<double> rho, component; // bounded
  std::vector<double> slope;          // of bounded rho
  std::vector<BoundedComponents> bounds; // by function and degree

  DensityValues(const DensitySpec& s, const Environment<double>& e)
      : spec(s), env(e), raw(static_cast<std::size_t>(s.n_rho() + n_harmonics * s.n_a()), 0.0) {
    for (int j = 0; j < env.count; ++j) {
      const double w = env.weight ? env.weight[j] : 1.0;
      for_each_part(j, [&](std::size_t what, double value, const double*) { raw[what] += w * value; });
    }
    const double* limit = spec.limits.data() + env.species * spec.n_limits();
    for (int a = 0; a < spec.n_rho(); ++a) {
      const BoundedDensity b(raw_rho(a), *limit++);
      rho.push_back(b.value);
      slope.push_back(b.slope);
    }
    for (int a = 0; a < spec.n_a(); ++a) {
      component.insert(component.end(), components(a), components(a) + n_harmonics);
      for (int l = 1; l <= spec.l_max; ++l) {
        bounds.emplace_back(raw_square(a, l), *limit++);
        for (int c = first_of_degree(l); c < first_of_degree(l + 1); ++c)
          component[static_cast<std::size_t>(n_harmonics * a + c)] *= bounds.back().factor;
      }
    }
  }

  double raw_rho(int a) const { return raw[static_cast<std::size_t>(a)]; }
  const double* components(int a) const { return raw.data() + spec.n_rho() + n_harmonics * a; }
  double raw_square(int a, int l) const { return square_of(components(a), l); }

  // Calls visit(density or component, value, gradient by d_j) for what neighbour j adds to.
  template <class Visit>
  void for_each_part(int j, Visit&& visit) const {
    const double d[3] = {env.x[j], env.y[j], env.z[j]}, r = env.r[j], u[3] = {d[0] / r, d[1] / r, d[2] / r};
    for_each_function(spec.radial, j, [&](std::size_t a, double value, double by_r) {
      const double gradient[3] = {by_r * u[0], by_r * u[1], by_r * u[2]};
      visit(a, value, gradient);
    });
    for_each_function(spec.angular, j, [&](std::size_t a, double value, double by_r) {
      for (std::size_t c = 0; c < n_harmonics; ++c) {
        const auto y = harmonic(c, u);
        double gradient[3];
        for (std::size_t x = 0; x < 3; ++x) gradient[x] = by_r * u[x] * y[3] + value * y[x] / r;
        visit(static_cast<std::size_t>(spec.n_rho()) + n_harmonics * a + c, value * y[3], gradient);
      }
    });
  }

  // Calls found(function, value, slope) for those that neighbour j adds to.
  template <class Found>
  void for_each_function(const DensitySpec::Radial& radial, int j, Found&& found) const {
    const double r = env.r[j];
    const int b = env.neighbor_species[j];
    const auto pair = static_cast<std::size_t>(env.species * spec.n_species + b);
    if (radial.n == 0 || r >= radial.high[pair] || r == 0.0) return;
    const double per_length = radial.n / (radial.high[pair] - radial.low[pair]);
    const double t = (r - radial.low[pair]) * per_length;
    if (t <= -3.0) return;
    const double m = std::floor(t);
    const auto v = uniform_values(broadcast<4>(t - m));
    const double value[4] = {v.v0[0], v.v1[0], v.v2[0], v.v3[0]}, slopes[4] = {v.s0[0], v.s1[0], v.s2[0], v.s3[0]};
    for (int a = 0; a < 4; ++a)
      if (const int n = static_cast<int>(m) + a; n >= 0 && n < radial.n)
        found(static_cast<std::size_t>(b * radial.n + n), value[a], slopes[a] * per_length);
  }

  // Gradient of a harmonic on the unit sphere, and its value.
  static std::array<double, 4> harmonic(std::size_t c, const double* u) {
    using V = Vec<double, 4>;
    const V x = broadcast<4>(u[0]), y = broadcast<4>(u[1]), z = broadcast<4>(u[2]);
    V values[n_harmonics + 1], h[n_harmonics + 1] = {}, g[3] = {};
    harmonics(x, y, z, values);
    h[c] = broadcast<4>(1.0);
    harmonics_gradient(x, y, z, h, g);
    const double along = g[0][0] * u[0] + g[1][0] * u[1] + g[2][0] * u[2];
    return {g[0][0] - along * u[0], g[1][0] - along * u[1], g[2][0] - along * u[2], values[c][0]};
  }
};

// How each column changes with each density and component.
struct DensityChanges {
  const DensityValues& sums;
  const DensitySpec& spec;
  std::vector<std::vector<std::pair<std::int64_t, double>>> of; // column, derivative

  bool wanted; // else only values of columns are worked out

  DensityChanges(const DensityValues& s, bool w) : sums(s), spec(s.spec), of(s.raw.size()), wanted(w) {}

  double product(std::int64_t column, const int* q, int order) {
    double value = 1.0;
    for (int a = 0; a < order; ++a) value *= sums.rho[static_cast<std::size_t>(q[a])];
    for (int a = 0; a < order && wanted; ++a) {
      double by = 1.0;
      for (int b = 0; b < order; ++b) by *= a == b ? 1.0 : sums.rho[static_cast<std::size_t>(q[b])];
      of[static_cast<std::size_t>(q[a])].emplace_back(column, by);
    }
    return value;
  }

  // scale p; with the derivative by density a if scale is that.
  double square(std::int64_t column, int p, double scale, int a) {
    const int pairs = spec.n_a() * (spec.n_a() + 1) / 2, l = p / pairs + 1;
    int b = 0, c = p % pairs;
    while (c >= spec.n_a() - b) c -= spec.n_a() - b++;
    c += b;
    double value = 0.0;
    for (int m = first_of_degree(l); m < first_of_degree(l + 1); ++m) {
      const auto i = static_cast<std::size_t>(n_harmonics * b + m), j = static_cast<std::size_t>(n_harmonics * c + m);
      value += sums.component[i] * sums.component[j];
      add_component(i, column, scale * sums.component[j]);
      add_component(j, column, scale * sums.component[i]);
    }
    if (a >= 0 && wanted) of[static_cast<std::size_t>(a)].emplace_back(column, value);
    return scale * value;
  }

  double triple(std::int64_t column, const DensitySpec::Coupling& triple, const int* functions) {
    double value = 0.0;
    for (std::size_t t = 0; t < triple.factors.size(); ++t) {
      std::size_t c[3];
      double v[3];
      for (std::size_t x = 0; x < 3; ++x) {
        c[x] = static_cast<std::size_t>(n_harmonics * functions[x] + triple.components[3 * t + x]);
        v[x] = sums.component[c[x]];
      }
      value += triple.factors[t] * v[0] * v[1] * v[2];
      for (std::size_t x = 0; x < 3; ++x) add_component(c[x], column, triple.factors[t] * v[(x + 1) % 3] * v[(x + 2) % 3]);
    }
    return value;
  }

  void add_component(std::size_t c, std::int64_t column, double by) {
    if (!wanted) return;
    auto& list = of[static_cast<std::size_t>(spec.n_rho()) + c];
    if (!list.empty() && list.back().first == column)
      list.back().second += by;
    else
      list.emplace_back(column, by);
  }

  // From derivatives by bounded densities to those by the densities.
  void unbound() {
    for (int a = 0; a < spec.n_rho(); ++a)
      for (auto& change : of[static_cast<std::size_t>(a)]) change.second *= sums.slope[static_cast<std::size_t>(a)];
    for (int a = 0; a < spec.n_a(); ++a)
      for (int l = 1; l <= spec.l_max; ++l) {
        const auto& bound = sums.bounds[static_cast<std::size_t>(a * spec.l_max + l - 1)];
        if (bound.factor != 1.0) unbound(bound, a, l);
      }
  }

  void unbound(const BoundedComponents& bound, int a, int l) {
    const int first = first_of_degree(l), n = size_of_degree(l);
    auto list = [&](int c) -> auto& { return of[static_cast<std::size_t>(spec.n_rho() + n_harmonics * a + first + c)]; };
    std::vector<double> by(static_cast<std::size_t>(n) * static_cast<std::size_t>(spec.n_columns), 0.0);
    std::vector<char> touched(static_cast<std::size_t>(spec.n_columns), 0);
    for (int c = 0; c < n; ++c) {
      for (const auto& [column, d] : list(c)) {
        by[static_cast<std::size_t>(column * n + c)] += d;
        touched[static_cast<std::size_t>(column)] = 1;
      }
      list(c).clear();
    }
    for (std::int64_t column = 0; column < spec.n_columns; ++column) {
      if (!touched[static_cast<std::size_t>(column)]) continue;
      double* g = by.data() + column * n;
      trimpot::TRIMPOT_ISA::unbound(bound, sums.components(a) + first, g, n);
      for (int c = 0; c < n; ++c) list(c).emplace_back(column, g[c]);
    }
  }
};

inline void put_energy(const RowSink& sink, std::int64_t column, double value) {
  if (sink.energy) sink.energy[sink.column_offset + column] += value;
}

// by_weight: dE/dweight; scale: of the gradient.
inline void add_density_row(const Environment<double>& env, const RowSink& sink, int j, int column, double by_weight, double scale,
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

inline void density_rows(const DensitySpec& spec, const Environment<double>& env, const RowSink& sink) {
  const DensityValues sums(spec, env);
  DensityChanges changes(sums, sink.wants_gradients());
  std::int64_t column = env.species * spec.columns_of_species();
  for (int order = 2; order <= spec.order; ++order)
    for_each_product(spec.n_rho(), order, [&](const std::array<int, 4>& q) {
      put_energy(sink, column, changes.product(column, q.data(), order));
      ++column;
    });
  for (int p = 0; p < spec.n_p(); ++p, ++column) put_energy(sink, column, changes.square(column, p, 1.0, -1));
  spec.for_each_triple([&](const DensitySpec::Coupling& coupling, int a, int b, int c) {
    const int functions[3] = {a, b, c};
    put_energy(sink, column, changes.triple(column, coupling, functions));
    ++column;
  });
  for (int a = 0; a < (spec.mixed ? spec.n_rho() : 0); ++a)
    for (int p = 0; p < spec.n_p(); ++p, ++column)
      put_energy(sink, column, changes.square(column, p, sums.rho[static_cast<std::size_t>(a)], a));
  if (!changes.wanted) return;
  changes.unbound();
  for (int j = 0; j < env.count; ++j) {
    const double w = env.weight ? env.weight[j] : 1.0;
    sums.for_each_part(j, [&](std::size_t what, double value, const double* gradient) {
      for (const auto& [c, by] : changes.of[what]) add_density_row(env, sink, j, static_cast<int>(c), by * value, by * w, gradient);
    });
  }
}

// Raises the largest densities and lengths of components so far.
inline void add_density_range(const DensitySpec& spec, const Environment<double>& env, double* largest) {
  const DensityValues sums(spec, env);
  largest += env.species * spec.n_limits();
  for (int a = 0; a < spec.n_rho(); ++a) largest[a] = std::max(largest[a], sums.raw_rho(a));
  for (int a = 0; a < spec.n_a(); ++a)
    for (int l = 1; l <= spec.l_max; ++l) {
      double& most = largest[spec.n_rho() + a * spec.l_max + l - 1];
      most = std::max(most, std::sqrt(sums.raw_square(a, l)));
    }
}

} // namespace trimpot::TRIMPOT_ISA

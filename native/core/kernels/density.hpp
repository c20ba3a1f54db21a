// Polynomials of the densities around an atom (src/trimpot/splines/reference.py, density).
//
// The term; its parts are in density_sums.hpp, density_polynomial.hpp, density_bounds.hpp and
// density_rows.hpp.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "../memory.hpp"
#include "../specs.hpp"
#include "../term.hpp"
#include "density_bounds.hpp"
#include "density_polynomial.hpp"
#include "density_rows.hpp"
#include "density_sums.hpp"
#include "harmonics.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

class Density final : public Term {
 public:
  explicit Density(DensitySpec spec)
      : spec_(std::move(spec)), single_(spec_), double_(spec_) {
    for (const auto* radial : {&spec_.radial, &spec_.angular})
      for (const double high : radial->high) cutoff_ = radial->n ? std::max(cutoff_, high) : cutoff_;
  }

  double cutoff() const override { return cutoff_; }
  int n_columns() const override { return spec_.n_columns; }
  bool has_coefficients() const override { return !spec_.coefficients.empty(); }
  bool takes_weights() const override { return true; }

  double evaluate(const Environment<double>& env, Gradient<double> g) const override { return alone(env, g, double_); }
  double evaluate(const Environment<float>& env, Gradient<float> g) const override { return alone(env, g, single_); }
  void evaluate(Task<double>* tasks, int n) const override { add(tasks, n, double_); }
  void evaluate(Task<float>* tasks, int n) const override { add(tasks, n, single_); }

  void rows(const Environment<double>& env, const RowSink& sink) const override { density_rows(spec_, env, sink); }

  int n_limits() const override { return spec_.n_limits(); }

  void add_to_range(const Environment<double>& env, double* largest) const override {
    add_density_range(spec_, env, largest);
  }

 private:
  static constexpr int row = AngularSums<double>::row;

  // The tables of one precision.
  template <class Real>
  struct Tables {
    DensityAxis<Real> radial, angular;
    std::vector<DensityPolynomial<Real>> polynomials; // of central species
    std::vector<AlignedVector<Real>> limits;          // of rho by central species, padded

    explicit Tables(const DensitySpec& spec) : radial(spec.radial, spec.n_species), angular(spec.angular, spec.n_species) {
      for (int s = 0; s < spec.n_species && !spec.coefficients.empty(); ++s) {
        polynomials.emplace_back(spec, s);
        limits.emplace_back(static_cast<std::size_t>(polynomials.back().padded()), Real(1));
        for (int a = 0; a < spec.n_rho(); ++a)
          limits.back()[static_cast<std::size_t>(a)] = static_cast<Real>(spec.limits[static_cast<std::size_t>(s * spec.n_limits() + a)]);
      }
    }

    int padded() const { return polynomials[0].padded(); }
  };

  template <class Real>
  double alone(const Environment<Real>& env, Gradient<Real> g, const Tables<Real>& tables) const {
    Task<Real> task{env, g};
    add(&task, 1, tables);
    return task.energy;
  }

  // The densities of one atom, and derivatives by them.
  template <class Real>
  struct Densities {
    RadialSums<Real> radial;
    AngularSums<Real> angular;
    Real *rho, *by_rho, *A, *by_A;

    Densities(const Tables<Real>& tables, const Environment<Real>& env, int n_rho, int n_a)
        : radial(tables.radial, env), angular(tables.angular, env) {
      rho = env.arena->template take<Real>(2 * (n_rho + row * n_a));
      by_rho = rho + n_rho;
      A = by_rho + n_rho;
      by_A = A + row * n_a;
      clear(rho, n_rho);
    }
  };

  template <class Real>
  void add(Task<Real>* tasks, int n, const Tables<Real>& tables) const {
    if (n == 0) return;
    const Arena::Scope scope(*tasks[0].env.arena);
    const int n_a = spec_.n_a();
    std::optional<Densities<Real>> densities[most_tasks];
    for (int t = 0; t < n; ++t) {
      auto& d = densities[t].emplace(tables, tasks[t].env, tables.padded(), n_a);
      d.radial.scatter();
      if (n_a > 0) d.angular.add_up(d.A);
    }
    for (int t = 0; t < n; ++t) densities[t]->radial.collect(densities[t]->rho, tables.padded());
    for (int t = 0; t < n; ++t) tasks[t].energy += polynomial(tasks[t].env, *densities[t], tables);
    for (int t = 0; t < n; ++t) densities[t]->radial.put(densities[t]->by_rho);
    for (int t = 0; t < n; ++t) {
      auto& d = *densities[t];
      d.radial.pull_back(tasks[t].gradient);
      if (n_a > 0) d.angular.pull_back(d.by_A, tasks[t].gradient);
      tasks[t].touched = std::max({tasks[t].touched, d.radial.count(), d.angular.count()});
    }
  }

  template <class Real>
  TRIMPOT_INLINE double polynomial(const Environment<Real>& env, Densities<Real>& d, const Tables<Real>& tables) const {
    const auto& polynomial = tables.polynomials[static_cast<std::size_t>(env.species)];
    const double* const limits = spec_.limits.data() + env.species * spec_.n_limits();
    if (within(d.rho, tables.limits[static_cast<std::size_t>(env.species)], d.A, limits)) [[likely]]
      return polynomial.evaluate(*env.arena, d.rho, d.A, d.by_rho, d.by_A);
    return beyond(env, d, polynomial, limits);
  }

  // The same where a density is beyond its limit.
  template <class Real>
  [[gnu::noinline]] double beyond(const Environment<Real>& env, Densities<Real>& d, const DensityPolynomial<Real>& polynomial,
                                  const double* limits) const {
    const int n = spec_.n_rho(), n_a = spec_.n_a();
    Real* const rho = env.arena->template take<Real>(polynomial.padded());
    Real* const A = env.arena->template take<Real>(row * n_a);
    std::copy_n(d.rho, polynomial.padded(), rho);
    std::copy_n(d.A, row * n_a, A);
    for (int a = 0; a < n; ++a) rho[a] = static_cast<Real>(BoundedDensity(d.rho[a], limits[a]).value);
    auto bound = [&](int a, int l) { return bound_of(d.A + row * a, l, limits[n + a * spec_.l_max + l - 1]); };
    for (int a = 0; a < n_a; ++a)
      for (int l = 1; l <= spec_.l_max; ++l) {
        const double factor = bound(a, l).factor;
        for (int c = first_of_degree(l); c < first_of_degree(l + 1); ++c) A[row * a + c] *= static_cast<Real>(factor);
      }
    const double energy = polynomial.evaluate(*env.arena, rho, A, d.by_rho, d.by_A);
    for (int a = 0; a < n; ++a) d.by_rho[a] *= static_cast<Real>(BoundedDensity(d.rho[a], limits[a]).slope);
    for (int a = 0; a < n_a; ++a)
      for (int l = 1; l <= spec_.l_max; ++l)
        unbound(bound(a, l), d.A + row * a + first_of_degree(l), d.by_A + row * a + first_of_degree(l), size_of_degree(l));
    return energy;
  }

  template <class Real>
  static BoundedComponents bound_of(const Real* A, int l, double limit) {
    return {square_of(A, l), limit};
  }

  template <class Real>
  bool within(const Real* rho, const AlignedVector<Real>& of_rho, const Real* A, const double* limits) const {
    constexpr int N = lanes<Real>;
    std::uint32_t beyond = 0;
    for (std::size_t a = 0; a < of_rho.size(); a += N) beyond |= below(load<N>(of_rho.data() + a), load<N>(rho + a));
    bool inside = beyond == 0;
    const double* limit = limits + spec_.n_rho();
    for (int a = 0; a < spec_.n_a(); ++a)
      for (int l = 1; l <= spec_.l_max; ++l, ++limit) inside &= square_of(A + row * a, l) <= *limit * *limit;
    return inside;
  }

  DensitySpec spec_;
  Tables<float> single_;
  Tables<double> double_;
  double cutoff_ = 0.0;
};

} // namespace trimpot::TRIMPOT_ISA

// Screened nuclear repulsion of Ziegler, Biersack and Littmark (1985), switched off
// smoothly: E_i = 1/2 sum_j Z_i Z_j e^2 / r phi(r / a) s(r),
//   a = 0.46848 / (Z_i^0.23 + Z_j^0.23) angstrom, s = 1 - x^3 (10 - 15 x + 6 x^2),
//   x = (r - inner) / (outer - inner) clipped to [0, 1].
#pragma once

#include <cmath>
#include <vector>

#include "../specs.hpp"
#include "../term.hpp"

namespace trimpot::TRIMPOT_ISA {

class Zbl final : public Term {
 public:
  explicit Zbl(ZblSpec spec) : spec_(std::move(spec)) {
    for (double outer : spec_.outer) cutoff_ = std::max(cutoff_, outer);
  }

  double cutoff() const override { return cutoff_; }
  int n_columns() const override { return 0; }
  bool has_coefficients() const override { return true; }
  bool pairwise() const override { return true; }

  double evaluate(const Environment<double>& env, Gradient<double> g) const override { return add(env, g); }
  double evaluate(const Environment<float>& env, Gradient<float> g) const override { return add(env, g); }
  void rows(const Environment<double>&, const RowSink&) const override {}

 private:
  template <class Real>
  double add(const Environment<Real>& env, Gradient<Real> g) const {
    double energy = 0.0;
    const std::size_t n = spec_.numbers.size();
    for (int j = 0; j < env.count; ++j) {
      const std::size_t pair = static_cast<std::size_t>(env.species) * n +
                               static_cast<std::size_t>(env.neighbor_species[j]);
      const double r = env.r[j];
      if (r >= spec_.outer[pair]) continue;
      double value = 0.0, slope = 0.0;
      pair_energy(env.species, env.neighbor_species[j], r, value, slope);
      energy += value;
      const Real scale = static_cast<Real>(slope / r);
      g.x[j] += scale * env.x[j];
      g.y[j] += scale * env.y[j];
      g.z[j] += scale * env.z[j];
    }
    return energy;
  }

  void pair_energy(int a, int b, double r, double& value, double& slope) const {
    static constexpr double weight[4] = {0.18175, 0.50986, 0.28022, 0.02817};
    static constexpr double decay[4] = {3.19980, 0.94229, 0.40290, 0.20162};
    static constexpr double coulomb = 14.399645478; // e^2 / (4 pi epsilon_0), eV angstrom
    const std::size_t n = spec_.numbers.size();
    const std::size_t pair = static_cast<std::size_t>(a) * n + static_cast<std::size_t>(b);
    const double za = spec_.numbers[static_cast<std::size_t>(a)];
    const double zb = spec_.numbers[static_cast<std::size_t>(b)];
    const double inverse_length = (std::pow(za, 0.23) + std::pow(zb, 0.23)) / 0.46848;
    double phi = 0.0, dphi = 0.0;
    for (int i = 0; i < 4; ++i) {
      const double part = weight[i] * std::exp(-decay[i] * inverse_length * r);
      phi += part;
      dphi -= decay[i] * inverse_length * part;
    }
    const double front = 0.5 * coulomb * za * zb / r;
    const double v = front * phi;
    const double dv = front * dphi - v / r;
    const double width = spec_.outer[pair] - spec_.inner[pair];
    const double x = (r - spec_.inner[pair]) / width;
    if (x <= 0.0) {
      value = v;
      slope = dv;
      return;
    }
    const double s = 1.0 - x * x * x * (10.0 + x * (-15.0 + 6.0 * x));
    const double ds = -30.0 * x * x * (1.0 - x) * (1.0 - x) / width;
    value = v * s;
    slope = dv * s + v * ds;
  }

  ZblSpec spec_;
  double cutoff_ = 0.0;
};

} // namespace trimpot::TRIMPOT_ISA

// Isolated-atom energies: E_i = c[species_i].
#pragma once

#include "../specs.hpp"
#include "../term.hpp"

namespace trimpot::TRIMPOT_ISA {

class OneBody final : public Term {
 public:
  explicit OneBody(OneBodySpec spec) : spec_(std::move(spec)) {}

  double cutoff() const override { return 0.0; }
  int n_columns() const override { return spec_.n_columns; }
  bool has_coefficients() const override { return !spec_.coefficients.empty(); }

  double evaluate(const Environment<double>& env, Gradient<double>) const override { return energy(env.species); }
  double evaluate(const Environment<float>& env, Gradient<float>) const override { return energy(env.species); }

  double energy(int species) const {
    const int column = spec_.columns[static_cast<std::size_t>(species)];
    return column < 0 ? 0.0 : spec_.coefficients[static_cast<std::size_t>(column)];
  }

  void rows(const Environment<double>& env, const RowSink& sink) const override {
    const int column = spec_.columns[static_cast<std::size_t>(env.species)];
    if (sink.energy && column >= 0) sink.energy[sink.column_offset + column] += 1.0;
  }

 private:
  OneBodySpec spec_;
};

} // namespace trimpot::TRIMPOT_ISA

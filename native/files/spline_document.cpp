#include "spline_document.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../core/kernels.hpp"
#include "../core/spec_checks.hpp"
#include "elements.hpp"

namespace trimpot {

namespace {

constexpr double shortest_cutoff = 0.01; // angstrom: isolated atoms alone are a potential too

enum Kind { one_body, pair, triplet, zbl, density, screened_pair, screened_triplet, screened_density };

template <class Spec>
Spec filled(Spec spec, const Node& coefficients) {
  spec.coefficients = coefficients.doubles({spec.n_columns});
  return checked(std::move(spec));
}

DensitySpec filled(DensitySpec spec, const Node& coefficients) {
  spec.coefficients = coefficients.doubles({-1});
  spec.n_columns = static_cast<int>(spec.coefficients.size());
  return checked(std::move(spec));
}

OneBodySpec one_body_spec(const Node& state, const Species& species) {
  state.expect_fields({});
  OneBodySpec spec;
  for (std::size_t s = 0; s < species.size(); ++s) spec.columns.push_back(static_cast<std::int32_t>(s));
  spec.n_columns = static_cast<int>(species.size());
  return spec;
}

TermPointer plain_term(int kind, const Node& state, const Node& coefficients, const Species& species) {
  switch (kind) {
    case one_body: return kernels().one_body(filled(one_body_spec(state, species), coefficients));
    case pair: return kernels().pair_spline(filled(pair_spec(state, species), coefficients));
    case triplet: return kernels().triplet_spline(filled(triplet_spec(state, species), coefficients));
    case density: return kernels().density(filled(density_spec(state, species), coefficients));
    default: coefficients.doubles({0}); return kernels().zbl(checked(zbl_spec(state, species)));
  }
}

TermPointer term_of(const Node& entry, int kind, const Species& species) {
  const Node state = entry.at("state"), coefficients = entry.at("coefficients");
  if (kind < screened_pair) return plain_term(kind, state, coefficients, species);
  state.expect_fields({"inner", "envelope"});
  const int inner = kind == screened_pair ? pair : kind == screened_triplet ? triplet : density;
  return kernels().screened(checked(envelope_spec(state.at("envelope"), species)),
                            plain_term(inner, state.at("inner"), coefficients, species));
}

// A term whose kernel refuses what a file says is named.
TermPointer checked_term(const Node& entry, int kind, const Species& species) {
  try {
    return term_of(entry, kind, species);
  } catch (const std::invalid_argument& error) {
    entry.fail(error.what());
  }
}

void add_term(const Node& entry, SplineFile& file) {
  entry.expect_fields({"kind", "state", "coefficients"});
  const int kind = entry.at("kind").choice({"one_body", "pair", "triplet", "zbl", "density", "screened_pair",
                                            "screened_triplet", "screened_density"});
  const TermPointer term = checked_term(entry, kind, file.numbers);
  file.cutoff = std::max(file.cutoff, term->cutoff());
  if (kind == one_body) {
    const auto energies = entry.at("coefficients").doubles({-1});
    for (std::size_t s = 0; s < energies.size(); ++s) file.isolated[s] += energies[s];
  }
  if (term->has_coefficients()) file.terms.push_back(term); // one without is 0
}

} // namespace

Species species_of(const Node& symbols) {
  Species species;
  for (const Node& symbol : symbols.items()) {
    species.push_back(atomic_number(symbol.text()));
    symbol.require(species.back() > 0, "an element");
    symbol.require(species.size() < 2 || species[species.size() - 2] < species.back(), "ascending elements");
  }
  symbols.require(!species.empty(), "one element or more");
  return species;
}

SplineFile spline_file(const Node& parts) {
  parts.expect_fields({"species", "cutoff", "precision", "terms", "provenance", "statistics"});
  parts.at("precision").choice({"float64"});
  SplineFile file;
  file.numbers = species_of(parts.at("species"));
  for (const Node& symbol : parts.at("species").items()) file.symbols.push_back(symbol.text());
  file.isolated.assign(file.numbers.size(), 0.0);
  file.cutoff = shortest_cutoff;
  for (const Node& entry : parts.at("terms").items()) add_term(entry, file);
  const double cutoff = parts.at("cutoff").number(0.0, 1e3);
  parts.at("cutoff").require(std::abs(cutoff - file.cutoff) <= 1e-12 * file.cutoff, "that of the terms");
  file.cutoff = cutoff;
  return file;
}

} // namespace trimpot

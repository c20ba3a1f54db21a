#include "network_document.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "../core/spec_checks.hpp"
#include "spline_document.hpp"
#include "term_specs.hpp"

namespace trimpot {

namespace {

constexpr int kernel_layout = 1; // of parameters in files; src/trimpot/files/network_kernel.py writes it

// What a simulation program cannot run, and why.
void require_compiled(const Node& parts) {
  if (parts.has("charges"))
    parts.at("charges").refuse(
        "this network tells total charges apart, which simulation programs do not know; train one without "
        "`model.charges`, or run this one in Trimpot");
  const Node settings = parts.at("settings");
  if (settings.has("forces") && settings.at("forces").text() != "gradient")
    settings.at("forces").refuse(
        "direct forces are computed by PyTorch alone; train a network with `forces: gradient`");
  if (settings.has("readout") && settings.at("readout").text() != "sum")
    settings.at("readout").refuse(
        "such a readout is computed by PyTorch alone, and its energy is no sum over atoms; train a network with "
        "`readout: sum`");
  if (!parts.has("kernel"))
    parts.refuse(
        "this network was saved without what simulation programs need (field kernel); save it anew: "
        "`trimpot export MODEL --to lammps`, or trimpot.save(trimpot.load(MODEL), NAME)");
}

std::vector<int> integers_of(const Node& list, int lowest, int highest) {
  std::vector<int> all;
  for (const Node& item : list.items()) all.push_back(item.integer(lowest, highest));
  return all;
}

void read_couplings(const Node& kernel, NetworkShape& shape) {
  const auto factors = kernel.at("coupling_factors").doubles({-1});
  const auto n = static_cast<std::int64_t>(factors.size());
  const auto places = kernel.at("coupling_places").integers({n, 4});
  for (std::size_t c = 0; c < factors.size(); ++c) {
    const std::int32_t* const at = places.data() + 4 * c;
    shape.couplings.push_back({at[0], at[1], at[2], at[3], factors[c]});
    kernel.at("coupling_places").require(c == 0 || at[-4] <= at[0], "paths in ascending order");
  }
}

EdgeWeightSpec weighing_of(const Node& state, const Species& species) {
  state.expect_fields({"radial", "power", "cutoff", "envelope"});
  EdgeWeightSpec spec;
  spec.radial.kind = static_cast<RadialSpec::Kind>(state.at("radial").choice({"cosine", "polynomial", "bump"}));
  spec.radial.power = state.at("power").integer(2, 1000);
  spec.radial.cutoff = state.at("cutoff").distance();
  spec.screened = !state.at("envelope").is_null();
  if (spec.screened) spec.screening = envelope_spec(state.at("envelope"), species);
  return checked(std::move(spec));
}

NetworkShape shape_of(const Node& kernel, const NetworkFile& file) {
  constexpr int most = 1024;
  NetworkShape shape;
  shape.n_species = static_cast<int>(file.numbers.size());
  shape.channels = kernel.at("channels").integer(16, most);
  shape.l_max = kernel.at("l_max").integer(0, 3);
  shape.layers = kernel.at("layers").integer(1, 16);
  shape.correlation = kernel.at("correlation").integer(1, 3);
  shape.knots = kernel.at("knots").integer(1, most);
  shape.gate_hidden = kernel.at("gate_hidden").integer(0, most);
  shape.readout_hidden = kernel.at("readout_hidden").integer(16, most);
  shape.heads = kernel.at("heads").integer(0, most_attention_heads);
  shape.pooling = integers_of(kernel.at("pooling"), 0, 1 + most_attention_heads);
  shape.pooling_of_channel = integers_of(kernel.at("pooling_of_channel"), -1, most_poolings);
  shape.n_paths = kernel.at("n_paths").integer(0, 4096);
  read_couplings(kernel, shape);
  shape.cutoff = file.weighing.radial.cutoff;
  return shape;
}

void read_kernel(const Node& kernel, NetworkFile& file) {
  kernel.expect_fields({"layout", "channels", "l_max", "layers", "correlation", "knots", "gate_hidden",
                        "readout_hidden", "heads", "pooling", "pooling_of_channel", "n_paths", "coupling_places",
                        "coupling_factors", "weighing", "parameters"});
  if (kernel.at("layout").integer(1, 1000000) != kernel_layout)
    kernel.at("layout").refuse(
        "this release reads layout " + std::to_string(kernel_layout) +
        "; save the network anew with the installed Trimpot: trimpot.save(trimpot.load(MODEL), NAME)");
  file.weighing = weighing_of(kernel.at("weighing"), file.numbers);
  file.shape = shape_of(kernel, file);
  try {
    check(file.shape);
  } catch (const std::invalid_argument& error) {
    kernel.fail(error.what());
  }
  const ParameterBlock last = network_layout(file.shape).back();
  file.parameters = kernel.at("parameters").doubles({last.begin + last.rows * last.columns});
}

double reach_of(const EdgeWeightSpec& spec) {
  double largest = 2.0; // up to this C_max what screens a pair is closer to both ends than they are
  for (const double c : spec.screening.c_max) largest = std::max(largest, c);
  return spec.radial.cutoff * (spec.screened ? largest / (2.0 * std::sqrt(largest - 1.0)) : 1.0);
}

std::optional<SplineFile> prior_of(const Node& parts, const NetworkFile& file) {
  const Node prior = parts.at("prior");
  if (prior.is_null()) return std::nullopt;
  SplineFile found = spline_file(prior);
  prior.at("species").require(found.numbers == file.numbers, "the elements of the network");
  for (const Node& term : prior.at("terms").items())
    if (term.at("kind").text() == "one_body") term.fail("expected no energies of isolated atoms in a prior");
  return found;
}

} // namespace

NetworkFile network_file(const Node& parts) {
  parts.expect_fields({"species", "cutoff", "precision", "settings", "e0s", "mean_weight", "scale", "weights", "prior",
                       "provenance"},
                      {"charges", "kernel"});
  require_compiled(parts);
  NetworkFile file;
  file.numbers = species_of(parts.at("species"));
  for (const Node& symbol : parts.at("species").items()) file.symbols.push_back(symbol.text());
  file.single = parts.at("precision").choice({"float32", "float64"}) == 0;
  file.e0s = parts.at("e0s").doubles({static_cast<std::int64_t>(file.numbers.size())});
  read_kernel(parts.at("kernel"), file);
  file.shape.mean_weight = parts.at("mean_weight").number(1e-300, 1e300);
  file.shape.scale = parts.at("scale").number(1e-300, 1e300);
  file.reach = reach_of(file.weighing);
  file.prior = prior_of(parts, file);
  const double cutoff = std::max(file.reach, file.prior ? file.prior->cutoff : 0.0);
  file.cutoff = parts.at("cutoff").number(0.0, 1e3);
  file.influence = std::max(cutoff, (file.shape.layers - 1) * file.weighing.radial.cutoff + file.reach);
  parts.at("cutoff").require(std::abs(cutoff - file.cutoff) <= 1e-12 * cutoff, "that of its parts");
  return file;
}

} // namespace trimpot

#include "network.hpp"

namespace trimpot {

std::vector<ParameterBlock> network_layout(const NetworkShape& s) {
  std::vector<ParameterBlock> blocks;
  std::int64_t end = 0;
  const auto add = [&](const std::string& name, std::int64_t rows, std::int64_t columns) {
    blocks.push_back({name, end, rows, columns});
    end += rows * columns;
  };
  const int k = s.channels, degrees = s.l_max + 1;
  add("embedding", s.n_species, k);
  for (int t = 0; t < s.layers; ++t) {
    const std::string at = std::to_string(t) + ".";
    const int passed = t > 0 ? s.l_max : 0;
    add(at + "table", s.knots + 3, k * (degrees + passed) + 16 * s.heads + s.gate_hidden);
    add(at + "value", k, k);
    if (t > 0) add(at + "passed", degrees * k, k);
    if (s.heads > 0) {
      add(at + "query", degrees * k, 16);
      add(at + "key", k, 16);
      add(at + "key_bias", 1, 16);
    }
    if (s.gate_hidden > 0) {
      add(at + "gate_center", k, s.gate_hidden);
      add(at + "gate_bias", 1, s.gate_hidden);
      add(at + "gate_neighbor", k, s.gate_hidden);
      add(at + "gate_out", s.gate_hidden, k);
      add(at + "gate_out_bias", 1, k);
    }
    add(at + "mix", degrees * k, k);
    for (int o = 1; o < s.correlation; ++o) add(at + "product" + std::to_string(o), s.n_species * s.n_paths, k);
    for (int o = 0; o < s.correlation; ++o) add(at + "out" + std::to_string(o), degrees * k, k);
    add(at + "skip", degrees * k, k);
    add(at + "scalars", k, k * degrees);
    add(at + "scalars_degree", 1, k * degrees);
    add(at + "scalars_bias", 1, k * degrees);
    add(at + "read_first", k, s.readout_hidden);
    add(at + "read_bias", 1, s.readout_hidden);
    add(at + "read_second", 1, s.readout_hidden);
    add(at + "read_linear", 1, k);
  }
  return blocks;
}

} // namespace trimpot

#include "network_alone.hpp"

#include <numeric>

namespace trimpot {

std::vector<double> energies_alone(const Network& network, int n_species) {
  const auto n = static_cast<std::size_t>(n_species);
  std::vector<std::int32_t> species(n);
  std::iota(species.begin(), species.end(), 0);
  const std::vector<std::int64_t> first(n + 1, 0);
  const double nothing[3] = {};
  double gradient[3] = {}, weight[1] = {};
  std::vector<double> energies(n);
  network.evaluate({n_species, species.data(), first.data(), species.data(), nothing, nothing}, energies.data(),
                   {gradient, weight}, 1);
  return energies;
}

} // namespace trimpot

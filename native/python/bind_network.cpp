// Networks: energies, their derivatives, and those of a loss by the parameters.
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "../core/network_alone.hpp"
#include "arrays.hpp"
#include "bound_network.hpp"
#include "pairs.hpp"

namespace trimpot {

namespace {

using Energies = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using Layout = std::vector<std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t>>;

struct Edges {
  const Ints& species;
  const Longs& first;
  const Ints& neighbors;
  const Vectors& vectors;
  const Doubles& weights;
};

WeightedEdgesView view(const BoundNetwork& network, const Edges& e) {
  const std::int64_t n = length(e.species), m = length(e.vectors);
  require(length(e.first) == n + 1 && length(e.neighbors) == m && length(e.weights) == m,
          "edges: lengths of first, neighbors, vectors and weights do not fit");
  require(e.first.data()[0] == 0 && e.first.data()[n] == m && std::is_sorted(e.first.data(), e.first.data() + n + 1),
          "first: must ascend from 0 to the number of edges");
  require(inside(e.species, network.shape.n_species), "species: outside those of the network");
  require(inside(e.neighbors, n), "neighbors: outside the atoms");
  return {n, e.species.data(), e.first.data(), e.neighbors.data(), e.vectors.data(), e.weights.data()};
}

void evaluate(const BoundNetwork& network, const Ints& species, const Longs& first, const Ints& neighbors,
              const Vectors& vectors, const Doubles& weights, const DoublesOut& energies,
              const VectorsOut& vector_gradient, const DoublesOut& weight_gradient, int threads) {
  const auto edges = view(network, {species, first, neighbors, vectors, weights});
  require(length(energies) == edges.n_atoms && length(vector_gradient) == length(vectors) &&
              length(weight_gradient) == length(vectors),
          "outputs: lengths do not fit the edges");
  const nb::gil_scoped_release release;
  network.network->evaluate(edges, energies.data(), {vector_gradient.data(), weight_gradient.data()}, threads);
}

void add_parameter_gradient(const BoundNetwork& network, const Ints& species, const Longs& first,
                            const Ints& neighbors, const Vectors& vectors, const Doubles& weights,
                            const Doubles& seeds, const Vectors& along_vectors, const Doubles& along_weights,
                            const DoublesOut& gradient) {
  const auto edges = view(network, {species, first, neighbors, vectors, weights});
  require(length(seeds) == edges.n_atoms && length(along_vectors) == length(vectors) &&
              length(along_weights) == length(vectors) && length(gradient) == network.network->n_parameters(),
          "seeds, tangents or gradient: lengths do not fit");
  const nb::gil_scoped_release release;
  network.network->add_parameter_gradient(edges, seeds.data(), {along_vectors.data(), along_weights.data()},
                                          gradient.data());
}

void run(const BoundNetwork& network, const EdgeWeightSpec& spec, const PairsView& pairs,
         const StructuresView& structures, const Ints& species, const DoublesOut& energies, const VectorsOut& forces,
         double* virials, int threads) {
  require(inside(species, network.shape.n_species), "species: outside those of the network");
  require(length(energies) == pairs.n_atoms && length(forces) == pairs.n_atoms,
          "energies, forces: one per atom expected");
  const nb::gil_scoped_release release;
  evaluate_network(*network.network, spec, pairs, structures, {energies.data(), forces.data(), virials}, threads);
}

void evaluate_neighborhood(const BoundNetwork& network, const EdgeWeightSpec& spec, const Ints& species,
                           const Vectors& positions, const Ints& owners, const Longs& first, const Ints& neighbors,
                           const DoublesOut& energies, const VectorsOut& forces, const VectorsOut& virial, int threads) {
  const PairsView pairs = pairs_view(spec, species, first, neighbors, owners, positions);
  require(length(virial) == 3, "virial: (3, 3) expected");
  const std::int64_t all[2] = {0, pairs.n_atoms};
  run(network, spec, pairs, {1, all}, species, energies, forces, virial.data(), threads);
}

void evaluate_pairs(const BoundNetwork& network, const EdgeWeightSpec& spec, const Ints& species, const Longs& first,
                    const Ints& neighbors, const Vectors& vectors, const Longs& structures, const DoublesOut& energies,
                    const VectorsOut& forces, const MatricesOut& virials, int threads) {
  const PairsView pairs = pairs_view(spec, species, first, neighbors, vectors);
  const std::int64_t n = length(virials);
  require(length(structures) == n + 1 && structures.data()[0] == 0 && structures.data()[n] == pairs.n_atoms &&
              std::is_sorted(structures.data(), structures.data() + n + 1),
          "structures: must ascend from 0 to the number of atoms, with one entry more than virials");
  run(network, spec, pairs, {n, structures.data()}, species, energies, forces, virials.data(), threads);
}

} // namespace

void bind_network(nb::module_& m) {
  using namespace nb::literals;
  nb::class_<BoundNetwork>(m, "Network", "An attention network; see src/trimpot/networks/mlanet.")
      .def_prop_ro("layout",
                   [](const BoundNetwork& n) {
                     Layout all;
                     for (const auto& b : network_layout(n.shape)) all.emplace_back(b.name, b.begin, b.rows, b.columns);
                     return all;
                   },
                   "Name, begin, rows and columns of each block of parameters.")
      .def("set_parameters",
           [](const BoundNetwork& n, const Doubles& values) {
             require(length(values) == n.network->n_parameters(), "parameters: found " +
                         std::to_string(length(values)) + ", expected " + std::to_string(n.network->n_parameters()));
             n.network->set_parameters(values.data());
           },
           "values"_a.noconvert())
      .def("alone", [](const BoundNetwork& n) { return owning_array<Energies>(energies_alone(*n.network, n.shape.n_species)); },
           "Return the energies of one atom of each species without neighbours.")
      .def("evaluate", &evaluate, "species"_a.noconvert(), "first"_a.noconvert(), "neighbors"_a.noconvert(),
           "vectors"_a.noconvert(), "weights"_a.noconvert(), "energies"_a.noconvert(),
           "vector_gradient"_a.noconvert(), "weight_gradient"_a.noconvert(), "threads"_a,
           "Write energies of atoms and the gradient of their sum by vectors and weights of edges.")
      .def("evaluate_neighborhood", &evaluate_neighborhood, "weighing"_a, "species"_a.noconvert(),
           "positions"_a.noconvert(), "owners"_a.noconvert(), "first"_a.noconvert(), "neighbors"_a.noconvert(),
           "energies"_a.noconvert(), "forces"_a.noconvert(), "virial"_a.noconvert(), "threads"_a,
           "Write energies of atoms, forces, and -dE/d(strain), of atoms and their images.")
      .def("evaluate_pairs", &evaluate_pairs, "weighing"_a, "species"_a.noconvert(), "first"_a.noconvert(),
           "neighbors"_a.noconvert(), "vectors"_a.noconvert(), "structures"_a.noconvert(), "energies"_a.noconvert(),
           "forces"_a.noconvert(), "virials"_a.noconvert(), "threads"_a,
           "Write the same of structures, from pairs of atoms with their vectors.")
      .def("add_parameter_gradient", &add_parameter_gradient, "species"_a.noconvert(), "first"_a.noconvert(),
           "neighbors"_a.noconvert(), "vectors"_a.noconvert(), "weights"_a.noconvert(), "seeds"_a.noconvert(),
           "along_vectors"_a.noconvert(), "along_weights"_a.noconvert(), "gradient"_a.noconvert(),
           "Add the gradient by the parameters of seeds . energies + the derivative of their sum along tangents.");
  m.def(
      "network",
      [](const std::string& precision, int n_species, int channels, int l_max, int layers, int correlation, int knots,
         int gate_hidden, int readout_hidden, int heads, std::vector<int> pooling, std::vector<int> pooling_of_channel,
         int n_paths, const std::vector<std::tuple<int, int, int, int, double>>& couplings, double cutoff,
         double mean_weight, double scale) {
        NetworkShape s{n_species, channels, l_max, layers, correlation, knots, gate_hidden, readout_hidden, heads,
                       std::move(pooling), std::move(pooling_of_channel), n_paths, {}, cutoff, mean_weight, scale};
        for (const auto& [path, a, b, c, factor] : couplings) s.couplings.push_back({path, a, b, c, factor});
        return bound_network(precision, std::move(s));
      },
      "precision"_a, "n_species"_a, "channels"_a, "l_max"_a, "layers"_a, "correlation"_a, "knots"_a, "gate_hidden"_a,
      "readout_hidden"_a, "heads"_a, "pooling"_a, "pooling_of_channel"_a, "n_paths"_a, "couplings"_a, "cutoff"_a,
      "mean_weight"_a, "scale"_a, "Return a network; its parameters are 0.");
}

} // namespace trimpot

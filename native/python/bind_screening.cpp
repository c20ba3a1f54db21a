// The search of a screening among edges, for hosts that work out the weights on their own; and weights.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "../core/edge_screening.hpp"
#include "../core/spec_checks.hpp"
#include "arrays.hpp"
#include "pairs.hpp"

namespace trimpot {

namespace {

using Alive = nb::ndarray<nb::numpy, bool, nb::ndim<1>>;
using Edges = nb::ndarray<nb::numpy, std::int64_t, nb::ndim<1>>;
using Shares = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using Partials = std::tuple<Alive, Edges, Edges, Shares>;

void check_species(const Ints& species, int n_species, const char* name) {
  const auto [least, most] = std::minmax_element(species.data(), species.data() + length(species));
  require(length(species) == 0 || (0 <= *least && *most < n_species),
          std::string(name) + ": outside 0 .. " + std::to_string(n_species - 1) + ", the species of the screening");
}

void check_edges(const Longs& first, const Vectors& vectors, const Ints& species, const Ints& ends) {
  require(length(first) == length(species) + 1, "first: found " + std::to_string(length(first)) +
                                                    " entries, expected one more than atoms, " +
                                                    std::to_string(length(species) + 1));
  require(length(ends) == length(vectors), "ends: found " + std::to_string(length(ends)) +
                                               " entries, expected one per edge, " + std::to_string(length(vectors)));
  const std::int64_t* const all = first.data();
  require(all[0] == 0 && all[length(species)] == length(vectors) && std::is_sorted(all, all + length(first)),
          "first: must ascend from 0 to the number of edges, " + std::to_string(length(vectors)));
}

Partials screening_partials(const ScreeningSpec& screening, double span, const Longs& first, const Vectors& vectors,
                            const Ints& species, const Ints& ends, double reach, int threads) {
  check_edges(first, vectors, species, ends);
  check_species(species, screening.n_species, "species");
  check_species(ends, screening.n_species, "ends");
  require(0.0 <= span && span < 1e6, "span: must be a number, 0 or more");
  require(0.0 < reach && reach < 1e3, "reach: must be above 0 and below 1000 A");
  ScreenedEdges found;
  {
    const nb::gil_scoped_release release;
    found = screen_edges({screening, span, reach},
                         {length(species), first.data(), vectors.data(), species.data(), ends.data()}, threads);
  }
  return {owning_array<Alive>(std::move(found.alive)), owning_array<Edges>(std::move(found.partials.screened)),
          owning_array<Edges>(std::move(found.partials.screening)), owning_array<Shares>(std::move(found.partials.x))};
}

using Weights = nb::ndarray<nb::numpy, double, nb::ndim<1>>;
using Atoms = nb::ndarray<nb::numpy, std::int32_t, nb::ndim<1>>;
using Slopes = nb::ndarray<nb::numpy, double, nb::shape<-1, 3>>;
using Weighted = std::tuple<Edges, Edges, Atoms, Slopes, Weights, Slopes, Edges, Atoms, Slopes, Slopes>;

EdgeWeightSpec edge_weighing(int kind, double cutoff, int power, const std::optional<ScreeningSpec>& screening) {
  return checked(EdgeWeightSpec{{static_cast<RadialSpec::Kind>(kind), cutoff, power}, screening.has_value(),
                                screening.value_or(ScreeningSpec{})});
}

Weighted weighted(const EdgeWeightSpec& spec, const Ints& species, const Longs& first, const Ints& neighbors,
                  const Vectors& vectors, int threads) {
  const PairsView pairs = pairs_view(spec, species, first, neighbors, vectors);
  WeightedEdges found;
  {
    const nb::gil_scoped_release release;
    found = weigh_edges(spec, pairs, threads);
  }
  return {owning_array<Edges>(std::move(found.first)),
          owning_array<Edges>(std::move(found.index)),
          owning_array<Atoms>(std::move(found.neighbors)),
          owning_array<Slopes, 3>(std::move(found.vectors)),
          owning_array<Weights>(std::move(found.weights)),
          owning_array<Slopes, 3>(std::move(found.slopes)),
          owning_array<Edges>(std::move(found.screened)),
          owning_array<Atoms>(std::move(found.screening)),
          owning_array<Slopes, 3>(std::move(found.to_screening)),
          owning_array<Slopes, 3>(std::move(found.screening_slopes))};
}

} // namespace

void bind_screening(nb::module_& m) {
  using namespace nb::literals;
  m.def("screening_partials", &screening_partials, "screening"_a, "span"_a, "first"_a.noconvert(),
        "vectors"_a.noconvert(), "species"_a.noconvert(), "ends"_a.noconvert(), "reach"_a, "threads"_a,
        "Return (alive, screened, screening, x): edges that nothing screens entirely, and pairs ij, ik of them that\n"
        "k screens in part with span added to C_max; x is 0 at C_min, 1 at C_max.");
  nb::class_<EdgeWeightSpec>(m, "EdgeWeighing", "Weights of edges; see native/core/edge_weights.hpp.")
      .def("__init__",
           [](EdgeWeightSpec* self, int kind, double cutoff, int power, const std::optional<ScreeningSpec>& screening) {
             new (self) EdgeWeightSpec(edge_weighing(kind, cutoff, power, screening));
           },
           "kind"_a, "cutoff"_a, "power"_a, "screening"_a.none());
  m.def("weighted_edges", &weighted, "weighing"_a, "species"_a.noconvert(), "first"_a.noconvert(),
        "neighbors"_a.noconvert(), "vectors"_a.noconvert(), "threads"_a,
        "Return (first, index, neighbors, vectors, weights, slopes, screened, screening, to_screening,\n"
        "screening_slopes) of the pairs of atoms that have a weight.");
}

} // namespace trimpot

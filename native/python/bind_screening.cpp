// The search of a screening among edges, for hosts that work out the weights on their own.
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "../core/edge_screening.hpp"
#include "arrays.hpp"

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

} // namespace

void bind_screening(nb::module_& m) {
  using namespace nb::literals;
  m.def("screening_partials", &screening_partials, "screening"_a, "span"_a, "first"_a.noconvert(),
        "vectors"_a.noconvert(), "species"_a.noconvert(), "ends"_a.noconvert(), "reach"_a, "threads"_a,
        "Return (alive, screened, screening, x): edges that nothing screens entirely, and pairs ij, ik of them that\n"
        "k screens in part with span added to C_max; x is 0 at C_min, 1 at C_max.");
}

} // namespace trimpot

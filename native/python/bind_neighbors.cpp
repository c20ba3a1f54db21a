// Neighbour lists for Python: arrays in as they are, results out without a copy.
#include <algorithm>
#include <tuple>
#include <utility>

#include <nanobind/stl/tuple.h>

#include "arrays.hpp"
#include "neighbors.hpp"

namespace trimpot {
namespace {

using namespace nb::literals;

using Cell = Array<const double, nb::shape<3, 3>>;
using Pbc = Array<const bool, nb::shape<3>>;
using Shifts = Array<const std::int32_t, nb::shape<-1, 3>>;

using Positions = nb::ndarray<nb::numpy, double, nb::shape<-1, 3>>;
using Owners = nb::ndarray<nb::numpy, std::int32_t, nb::ndim<1>>;
using Images = nb::ndarray<nb::numpy, std::int32_t, nb::shape<-1, 3>>;
using First = nb::ndarray<nb::numpy, std::int64_t, nb::ndim<1>>;
using Lists = std::tuple<Positions, Owners, Images, First, Owners>;

Lists build(const Vectors& positions, const Cell& cell, const Pbc& pbc, double cutoff,
            int threads) {
  NeighborList list;
  {
    const nb::gil_scoped_release release;
    list = build_neighbors(length(positions), positions.data(), cell.data(), pbc.data(), cutoff,
                           threads);
  }
  return {owning_array<Positions, 3>(std::move(list.positions)),
          owning_array<Owners>(std::move(list.owners)),
          owning_array<Images, 3>(std::move(list.shifts)),
          owning_array<First>(std::move(list.first)),
          owning_array<Owners>(std::move(list.neighbors))};
}

void refresh(const VectorsOut& positions_all, const Ints& owners, const Shifts& shifts,
             const Vectors& positions, const Cell& cell) {
  const std::int64_t n_all = length(owners), n = length(positions);
  require(length(positions_all) == n_all && length(shifts) == n_all,
          "positions_all, owners and shifts differ in length");
  const bool known = std::all_of(owners.data(), owners.data() + n_all,
                                 [n](std::int32_t owner) { return owner >= 0 && owner < n; });
  require(known, "owners: point beyond the positions");
  const nb::gil_scoped_release release;
  refresh_positions(n_all, owners.data(), shifts.data(), positions.data(), cell.data(),
                    positions_all.data());
}

double displacement(const Vectors& positions, const Vectors& build_positions,
                    const Cell& deformation) {
  require(length(positions) == length(build_positions),
          "positions and build_positions differ in length");
  const nb::gil_scoped_release release;
  return largest_displacement(length(positions), positions.data(), build_positions.data(),
                              deformation.data());
}

} // namespace

void bind_neighbors(nb::module_& m) {
  m.def("build_neighbors", &build, "positions"_a.noconvert(), "cell"_a.noconvert(),
        "pbc"_a.noconvert(), "cutoff"_a, "threads"_a = 1,
        "Return (positions, owners, shifts, first, neighbors) of local and ghost atoms.");
  m.def("refresh_positions", &refresh, "positions_all"_a.noconvert(), "owners"_a.noconvert(),
        "shifts"_a.noconvert(), "positions"_a.noconvert(), "cell"_a.noconvert(),
        "Write positions[owners] + shifts @ cell into positions_all.");
  m.def("largest_displacement", &displacement, "positions"_a.noconvert(),
        "build_positions"_a.noconvert(), "deformation"_a.noconvert(),
        "Return the largest |u - mean(u)| of u = positions - build_positions @ deformation.");
}

} // namespace trimpot

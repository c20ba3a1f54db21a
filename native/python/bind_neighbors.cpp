// Neighbour lists for Python: arrays in as they are, results out without a copy.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "neighbors.hpp"

namespace trimpot {
namespace {

using namespace nb::literals;

using Cell = Array<const double, nb::shape<3, 3>>;
using Pbc = Array<const bool, nb::shape<3>>;
using Shifts = Array<const std::int32_t, nb::shape<-1, 3>>;

// A NumPy array of (n / columns, columns) values, or (n,) for one column, that owns the vector.
template <class T>
nb::object owning_array(std::vector<T>&& values, std::size_t columns) {
  auto kept = std::make_unique<std::vector<T>>(std::move(values));
  const std::size_t shape[2] = {kept->size() / columns, columns};
  T* const data = kept->data();
  nb::capsule owner(kept.get(), [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  kept.release();
  return nb::cast(nb::ndarray<nb::numpy, T>(data, columns == 1 ? 1 : 2, shape, owner));
}

nb::tuple build(const Vectors& positions, const Cell& cell, const Pbc& pbc, double cutoff,
                int threads) {
  NeighborList list;
  {
    const nb::gil_scoped_release release;
    list = build_neighbors(length(positions), positions.data(), cell.data(), pbc.data(), cutoff,
                           threads);
  }
  return nb::make_tuple(
      owning_array(std::move(list.positions), 3), owning_array(std::move(list.owners), 1),
      owning_array(std::move(list.shifts), 3), owning_array(std::move(list.first), 1),
      owning_array(std::move(list.neighbors), 1));
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

// Potential files as programs without Python read them.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "../files/potential_file.hpp"
#include "arrays.hpp"
#include "bound_network.hpp"

namespace trimpot {

namespace {

using SplineParts = std::tuple<std::vector<int>, double, std::vector<TermPointer>, std::vector<double>>;
using NetworkParts = std::tuple<std::vector<int>, double, std::vector<double>, BoundNetwork, EdgeWeightSpec,
                                std::optional<std::vector<TermPointer>>>;

std::variant<SplineFile, NetworkFile> read(const std::string& path) {
  const nb::gil_scoped_release release;
  return read_potential(path);
}

SplineParts read_terms(const std::string& path) {
  auto found = read(path);
  auto* const file = std::get_if<SplineFile>(&found);
  if (file == nullptr) throw FileError(path + " holds a network, expected a spline potential");
  return {std::move(file->numbers), file->cutoff, std::move(file->terms), std::move(file->isolated)};
}

NetworkParts read_network(const std::string& path, const std::string& precision) {
  auto found = read(path);
  auto* const file = std::get_if<NetworkFile>(&found);
  if (file == nullptr) throw FileError(path + " holds a spline potential, expected a network");
  auto network = bound_network(precision, file->shape);
  network.network->set_parameters(file->parameters.data());
  std::optional<std::vector<TermPointer>> prior;
  if (file->prior) prior = std::move(file->prior->terms);
  return {std::move(file->numbers), file->cutoff, std::move(file->e0s), std::move(network), std::move(file->weighing),
          std::move(prior)};
}

} // namespace

void bind_files(nb::module_& m) {
  using namespace nb::literals;
  m.def("read_terms", &read_terms, "path"_a,
        "Return (atomic numbers, cutoff, terms, energies of isolated atoms) of a file of a spline potential, read\n"
        "without Python.");
  m.def("read_network", &read_network, "path"_a, "precision"_a,
        "Return (atomic numbers, cutoff, energies of isolated atoms, network, weighing, terms of the prior) of a\n"
        "file of a network, read without Python; precision: single or double.");
}

} // namespace trimpot

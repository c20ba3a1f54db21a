#include "arrays.hpp"

namespace trimpot {
void bind_terms(nb::module_& m);
void bind_frames(nb::module_& m);
void bind_neighbors(nb::module_& m);
void bind_network(nb::module_& m);
void bind_screening(nb::module_& m);
void bind_files(nb::module_& m);
} // namespace trimpot

NB_MODULE(_native, m) {
  m.doc() = "Native core of Trimpot: neighbour lists, kernels, design-matrix rows.";
  trimpot::bind_neighbors(m);
  trimpot::bind_terms(m);
  trimpot::bind_screening(m);
  trimpot::bind_network(m);
  trimpot::bind_frames(m);
  trimpot::bind_files(m);
}

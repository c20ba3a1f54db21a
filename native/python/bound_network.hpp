// A network with what is needed to check its arguments.
#pragma once

#include <string>
#include <utility>

#include "../core/kernels.hpp"
#include "../core/spec_checks.hpp"

namespace trimpot {

struct BoundNetwork {
  NetworkPointer network;
  NetworkShape shape;
};

// precision: single or double.
inline BoundNetwork bound_network(const std::string& precision, NetworkShape shape) {
  check(shape);
  auto made = precision == "double" ? kernels().network_double(shape) : kernels().network_single(shape);
  return {std::move(made), std::move(shape)};
}

} // namespace trimpot

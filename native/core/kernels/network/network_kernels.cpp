// Compiled once per instruction set, with TRIMPOT_ISA naming its namespace.
#ifndef TRIMPOT_ISA
#error "define TRIMPOT_ISA"
#endif

#include "model.hpp"

namespace trimpot::TRIMPOT_ISA {

NetworkPointer network_single(NetworkShape shape) { return std::make_shared<NetworkKernel<float>>(std::move(shape)); }
NetworkPointer network_double(NetworkShape shape) { return std::make_shared<NetworkKernel<double>>(std::move(shape)); }

} // namespace trimpot::TRIMPOT_ISA

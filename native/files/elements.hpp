// Symbols of the chemical elements.
#pragma once

#include <string>

namespace trimpot {

// Atomic number of a symbol, 0 if it is none.
int atomic_number(const std::string& symbol);

} // namespace trimpot

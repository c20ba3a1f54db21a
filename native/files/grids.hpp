// Groups of elements, knots and columns: what pair curves and triplet grids are made of.
#pragma once

#include <cstddef>
#include <vector>

#include "term_specs.hpp"

namespace trimpot {

// Places among the species of so many atomic numbers.
std::vector<std::size_t> elements_of(const Node& group, std::size_t size, const Species& species);

// Clamped, ascending knots.
std::vector<double> knots_of(const Node& knots);

// Refuses columns below the lowest; those below -1 become -1.
std::vector<std::int32_t> columns_of(const Node& columns, std::initializer_list<std::int64_t> shape, int lowest);

// How many coefficients functions have together: numbers from 0 on, each in one function.
int count_columns(const std::vector<std::vector<std::int32_t>>& columns, const Node& where);

// A matrix (s, s) in which both orders of a pair have the same.
std::vector<double> symmetric_matrix(const Node& node, std::size_t n_species);

} // namespace trimpot

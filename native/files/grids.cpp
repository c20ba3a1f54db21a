#include "grids.hpp"

#include <algorithm>

namespace trimpot {

std::vector<std::size_t> elements_of(const Node& group, std::size_t size, const Species& species) {
  std::vector<std::size_t> places;
  for (const Node& item : group.items()) {
    const auto found = std::find(species.begin(), species.end(), item.integer(1, 118));
    item.require(found != species.end(), "an atomic number of the species");
    places.push_back(static_cast<std::size_t>(found - species.begin()));
  }
  group.require(places.size() == size, size == 2 ? "two atomic numbers" : "three atomic numbers");
  return places;
}

std::vector<double> knots_of(const Node& node) {
  const auto knots = node.doubles({-1});
  const std::size_t n = knots.size();
  bool ascending = n >= 11; // 5 breakpoints, both ends four times
  for (std::size_t i = 0; ascending && i + 1 < n; ++i)
    ascending = i < 3 || i + 1 > n - 4 ? knots[i] == knots[i + 1] : knots[i] < knots[i + 1];
  node.require(ascending && knots.front() >= 0.0 && knots.back() <= longest_cutoff,
               "ascending knots between 0 and 100 A, both ends repeated four times");
  return knots;
}

std::vector<std::int32_t> columns_of(const Node& node, std::initializer_list<std::int64_t> shape, int lowest) {
  auto columns = node.integers(shape);
  for (std::int32_t& column : columns) {
    if (column < lowest) node.fail("column " + std::to_string(column) + " is below " + std::to_string(lowest));
    column = std::max(column, -1);
  }
  return columns;
}

int count_columns(const std::vector<std::vector<std::int32_t>>& columns, const Node& where) {
  std::vector<std::int32_t> all;
  for (auto own : columns) {
    std::sort(own.begin(), own.end());
    const auto end = std::unique(own.begin(), own.end());
    all.insert(all.end(), std::lower_bound(own.begin(), end, 0), end);
  }
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i)
    where.require(static_cast<std::size_t>(all[i]) == i,
                  "columns that number the coefficients from 0, each in one function");
  return static_cast<int>(all.size());
}

std::vector<double> symmetric_matrix(const Node& node, std::size_t n) {
  const auto size = static_cast<std::int64_t>(n);
  auto values = node.doubles({size, size});
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < a; ++b)
      node.require(values[a * n + b] == values[b * n + a], "the same for both orders of a pair");
  return values;
}

} // namespace trimpot

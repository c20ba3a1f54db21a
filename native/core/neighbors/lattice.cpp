#include "lattice.hpp"

#include <algorithm>
#include <cmath>

namespace trimpot::neighbors_detail {
namespace {

struct Reduction {
  Matrix vectors;
  std::array<Integers, 3> combination;
};

void subtract(Reduction& basis, int target, int source, double multiple) {
  const auto whole = static_cast<std::int64_t>(multiple);
  for (int k = 0; k < 3; ++k) {
    basis.vectors[target][k] -= multiple * basis.vectors[source][k];
    basis.combination[target][k] -= whole * basis.combination[source][k];
  }
}

// Shortens one vector by another (Gauss); true when something changed. The threshold leaves
// cells with angles of 60 and 120 degrees as they are.
bool shorten_by_pairs(Reduction& basis, const std::array<bool, 3>& periodic) {
  bool changed = false;
  for (int target = 0; target < 3; ++target) {
    for (int source = 0; source < 3; ++source) {
      if (target == source || !periodic[target] || !periodic[source]) continue;
      const double square = dot(basis.vectors[source], basis.vectors[source]);
      const double ratio = dot(basis.vectors[target], basis.vectors[source]) / square;
      if (!(std::abs(ratio) > 0.5 + 1e-9) || std::abs(ratio) > 1e15) continue;
      subtract(basis, target, source, std::nearbyint(ratio));
      changed = true;
    }
  }
  return changed;
}

// Shortens the longest vector by a sum of the two others (the remaining Minkowski condition).
bool shorten_by_sums(Reduction& basis) {
  int target = 0;
  for (int d = 1; d < 3; ++d) {
    if (length(basis.vectors[d]) > length(basis.vectors[target])) target = d;
  }
  const int one = (target + 1) % 3, two = (target + 2) % 3;
  for (const double sign_one : {-1.0, 1.0}) {
    for (const double sign_two : {-1.0, 1.0}) {
      Reduction trial = basis;
      subtract(trial, target, one, sign_one);
      subtract(trial, target, two, sign_two);
      if (length(trial.vectors[target]) < (1.0 - 1e-9) * length(basis.vectors[target])) {
        basis = trial;
        return true;
      }
    }
  }
  return false;
}

Reduction reduced(const double* cell, const std::array<bool, 3>& periodic) {
  Reduction basis{};
  double longest = 0.0;
  for (int d = 0; d < 3; ++d) {
    basis.combination[d][d] = 1;
    for (int k = 0; k < 3; ++k) basis.vectors[d][k] = cell[3 * d + k];
    if (periodic[d]) longest = std::max(longest, length(basis.vectors[d]));
  }
  const bool bulk = periodic[0] && periodic[1] && periodic[2];
  auto singular = [&] {
    for (int d = 0; d < 3; ++d) {
      if (periodic[d] && !(length(basis.vectors[d]) > 1e-12 * longest)) {
        refuse("the periodic lattice vectors are linearly dependent or zero (found after "
               "reduction: vector ", d, " of length ", length(basis.vectors[d]),
               " A): give independent cell vectors or switch off pbc along that direction");
      }
    }
  };
  singular();
  for (int round = 0; round < 1000; ++round) {
    const bool pairs = shorten_by_pairs(basis, periodic);
    singular();
    if (!pairs && !(bulk && shorten_by_sums(basis))) break;
    singular();
  }
  for (const Integers& multiples : basis.combination) {
    for (const std::int64_t multiple : multiples) {
      if (std::abs(static_cast<double>(multiple)) > largest_multiple) {
        refuse("the periodic lattice vectors are nearly parallel (a short one is a sum of ",
               multiple, " times a row): reduce the cell first");
      }
    }
  }
  return basis;
}

// Non-periodic directions become unit vectors normal to the periodic ones.
Matrix completed(Matrix vectors, const std::array<bool, 3>& periodic) {
  for (int d = 0; d < 3; ++d) {
    if (!periodic[d]) vectors[d] = {0.0, 0.0, 0.0};
  }
  for (int d = 0; d < 3; ++d) {
    if (periodic[d]) continue;
    const Vector& one = vectors[(d + 1) % 3];
    const Vector& two = vectors[(d + 2) % 3];
    if (length(one) > 0.0 && length(two) > 0.0) {
      const Vector normal = cross(one, two);
      vectors[d] = scaled(normal, 1.0 / length(normal));
      continue;
    }
    const Vector& known = length(one) > 0.0 ? one : two;
    int axis = 0; // the axis least along the known vector
    for (int k = 1; k < 3; ++k) {
      if (std::abs(known[k]) < std::abs(known[axis])) axis = k;
    }
    Vector unit{};
    unit[axis] = 1.0;
    if (length(known) > 0.0) unit = cross(known, unit);
    vectors[d] = scaled(unit, 1.0 / length(unit));
  }
  return vectors;
}

} // namespace

Lattice make_lattice(const double* cell, const bool* pbc) {
  Lattice lattice;
  lattice.cell = cell;
  for (int d = 0; d < 3; ++d) lattice.periodic[d] = pbc[d];
  const Reduction basis = reduced(cell, lattice.periodic);
  lattice.combination = basis.combination;
  const Matrix m = completed(basis.vectors, lattice.periodic);
  const double volume = dot(m[0], cross(m[1], m[2]));
  if (!(std::abs(volume) > 1e-12 * length(m[0]) * length(m[1]) * length(m[2]))) {
    refuse("the periodic lattice vectors are linearly dependent (reduced volume ", volume,
           " A^3): give independent cell vectors or switch off pbc along one direction");
  }
  for (int d = 0; d < 3; ++d) {
    lattice.inverse[d] = scaled(cross(m[(d + 1) % 3], m[(d + 2) % 3]), 1.0 / volume);
    lattice.heights[d] = 1.0 / length(lattice.inverse[d]);
  }
  return lattice;
}

} // namespace trimpot::neighbors_detail

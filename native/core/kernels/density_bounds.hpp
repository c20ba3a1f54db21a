// Bounds of the densities around an atom: beyond them polynomials would say anything.
#pragma once

#include <cmath>

#include "harmonics.hpp"

namespace trimpot::TRIMPOT_ISA {

// a up to the limit, then saturating a quarter of it above: t / (1 + t^3)^(1/3).
struct BoundedDensity {
  double value, slope;

  BoundedDensity(double a, double limit) : value(a), slope(1.0) {
    const double beyond = std::abs(a) - limit;
    if (!(beyond > 0.0)) return;
    const double room = 0.25 * limit, t = room > 0.0 ? beyond / room : 0.0, root = std::cbrt(1.0 + t * t * t);
    value = std::copysign(room > 0.0 ? limit + room * t / root : 0.0, a);
    slope = room > 0.0 ? 1.0 / (root * root * root * root) : 0.0;
  }
};

// Components of one degree are shortened to a bounded length.
struct BoundedComponents {
  double factor = 1.0; // A~ = factor A
  double along = 0.0;  // dE/dA = factor g + along (g . A) A, g = dE/dA~

  BoundedComponents(double square, double limit) {
    if (!(square > limit * limit)) return;
    const double length = std::sqrt(square);
    const BoundedDensity f(length, limit);
    factor = f.value / length;
    along = (f.slope - factor) / square;
  }
};

// Of the components of one degree.
template <class Real>
double square_of(const Real* A, int l) {
  double square = 0.0;
  for (int c = first_of_degree(l); c < first_of_degree(l + 1); ++c) square += static_cast<double>(A[c]) * static_cast<double>(A[c]);
  return square;
}

// Derivatives by bounded components become derivatives by the components.
template <class Real>
void unbound(const BoundedComponents& bound, const Real* A, Real* by, int n) {
  double dot = 0.0;
  for (int c = 0; c < n; ++c) dot += static_cast<double>(A[c]) * static_cast<double>(by[c]);
  for (int c = 0; c < n; ++c)
    by[c] = static_cast<Real>(bound.factor * static_cast<double>(by[c]) + bound.along * dot * static_cast<double>(A[c]));
}

} // namespace trimpot::TRIMPOT_ISA

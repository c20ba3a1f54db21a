// Cubic B-splines on equally spaced knots: the same four polynomials on every interval.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "../bspline.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

// U_q(x), 0 <= x <= 1, and their derivatives by x; they add up to 1 and to 0.
template <class V>
struct UniformValues {
  V v0, v1, v2, v3, s0, s1, s2, s3;
};

template <class T, int N>
TRIMPOT_INLINE UniformValues<Vec<T, N>> uniform_values(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V y = broadcast<N>(T(1)) - x;
  const V xx = x * x, yy = y * y;
  const V s0 = T(-0.5) * yy, s3 = T(0.5) * xx, s1 = T(1.5) * xx - T(2) * x;
  const V v0 = T(-1.0 / 3.0) * s0 * y, v3 = T(1.0 / 3.0) * s3 * x;
  const V v1 = xx * (T(0.5) * x - broadcast<N>(T(1))) + broadcast<N>(T(2.0 / 3.0));
  return {v0, v1, broadcast<N>(T(1)) - (v0 + v1) - v3, v3, s0, s1, V{} - (s0 + s1) - s3, s3};
}

// Coefficients of the same function in the functions U on equal intervals. The clamped basis
// differs only near the ends; each interval gives its four coefficients by an exact 4 x 4 map.
inline void to_uniform_basis(const CubicBasis& basis, double* coefficients, std::size_t stride) {
  const int n = basis.n_intervals();
  const double h = (basis.upper() - basis.lower()) / n;
  std::array<double, 4> local{};
  std::vector<double> mapped(static_cast<std::size_t>(n + 3));
  for (int m = 0; m < n; ++m) {
    double a[4] = {}; // the function on this interval in powers of x = (r - start) / h
    for (int p = 0; p < 4; ++p)
      for (int q = 0; q < 4; ++q) a[p] += coefficients[static_cast<std::size_t>(m + q) * stride] * basis.powers(m)[4 * p + q] * std::pow(h, p);
    local = {a[0] - a[1] + a[2] * 2.0 / 3.0, a[0] - a[2] / 3.0, a[0] + a[1] + a[2] * 2.0 / 3.0,
             a[0] + 2.0 * a[1] + a[2] * 11.0 / 3.0 + 6.0 * a[3]};
    for (int q = m == 0 ? 0 : 3; q < 4; ++q) mapped[static_cast<std::size_t>(m + q)] = local[static_cast<std::size_t>(q)];
  }
  for (std::size_t i = 0; i < mapped.size(); ++i) coefficients[i * stride] = mapped[i];
}

} // namespace trimpot::TRIMPOT_ISA

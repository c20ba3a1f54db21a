// Real spherical harmonics of degree 1 to 3 as polynomials, for whole vectors. Their scale is that
// of Legendre polynomials: sum_m Y_lm(u) Y_lm(v) = P_l(u . v).
#pragma once

#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

constexpr int n_harmonics = 15; // 3 + 5 + 7

// First component and number of components of a degree l = 1 .. 3.
constexpr int first_of_degree(int l) { return l * l - 1; }
constexpr int size_of_degree(int l) { return 2 * l + 1; }

// Of a unit vector. Order: (x, y, z), then m = -2 .. 2, then m = -3 .. 3.
template <class T, int N>
TRIMPOT_INLINE void harmonics(Vec<T, N> x, Vec<T, N> y, Vec<T, N> z, Vec<T, N>* out) {
  constexpr T r3 = T(1.7320508075688772935), r15 = T(3.8729833462074168852), r10_4 = T(0.79056941504209483300),
              r6_4 = T(0.61237243569579452455);
  const auto one = broadcast<N>(T(1));
  const auto zz = z * z, differ = x * x - y * y, xy = x * y, five = T(5) * zz;
  out[0] = x;
  out[1] = y;
  out[2] = z;
  out[3] = r3 * xy;
  out[4] = r3 * y * z;
  out[5] = T(1.5) * zz - broadcast<N>(T(0.5));
  out[6] = r3 * x * z;
  out[7] = T(0.5) * r3 * differ;
  out[8] = r10_4 * y * (T(3) * x * x - y * y);
  out[9] = r15 * xy * z;
  out[10] = r6_4 * y * (five - one);
  out[11] = T(0.5) * z * (five - broadcast<N>(T(3)));
  out[12] = r6_4 * x * (five - one);
  out[13] = T(0.5) * r15 * z * differ;
  out[14] = r10_4 * x * (x * x - T(3) * y * y);
}

// Adds to g the gradient of sum_lm h_lm Y_lm by x, y, z as if these were independent.
template <class T, int N>
TRIMPOT_INLINE void harmonics_gradient(Vec<T, N> x, Vec<T, N> y, Vec<T, N> z, const Vec<T, N>* h, Vec<T, N>* g) {
  constexpr T r3 = T(1.7320508075688772935), r15 = T(3.8729833462074168852), r10_4 = T(0.79056941504209483300),
              r6_4 = T(0.61237243569579452455);
  const auto one = broadcast<N>(T(1));
  const auto xx = x * x, yy = y * y, zz = z * z, differ = xx - yy, five = T(5) * zz - one;
  const auto ring = T(3) * r10_4 * differ, cross = T(6) * r10_4 * (x * y);
  g[0] += h[0] + r3 * (y * h[3] + z * h[6] + x * h[7]) + cross * h[8] + r15 * (y * z * h[9]) + r6_4 * (five * h[12]) +
          r15 * (x * z * h[13]) + ring * h[14];
  g[1] += h[1] + r3 * (x * h[3] + z * h[4] - y * h[7]) + ring * h[8] + r15 * (x * z * h[9]) + r6_4 * (five * h[10]) -
          r15 * (y * z * h[13]) - cross * h[14];
  g[2] += h[2] + r3 * (y * h[4] + x * h[6]) + T(3) * (z * h[5]) + r15 * (x * y * h[9]) +
          T(10) * r6_4 * (z * (y * h[10] + x * h[12])) + T(1.5) * (five * h[11]) + T(0.5) * r15 * (differ * h[13]);
}

} // namespace trimpot::TRIMPOT_ISA

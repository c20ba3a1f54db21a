// What all layers see of an edge: direction, harmonics, splines of the distance, weight.
#pragma once

#include "../../network.hpp"
#include "lanes.hpp"

namespace trimpot::TRIMPOT_ISA {

// Y_lm of a unit vector, the mean of whose squares over the sphere is 1, in the order of
// networks/mlanet/harmonics.py. Entries beyond l_max are left as they are.
template <class R>
void spherical(const R u[3], int l_max, R* y) {
  using T = std::decay_t<decltype(value_of(u[0]))>;
  const R x = u[0], v = u[1], z = u[2];
  y[0] = R{T(1)};
  if (l_max < 1) return;
  const T a = std::sqrt(T(3));
  y[1] = a * v, y[2] = a * z, y[3] = a * x;
  if (l_max < 2) return;
  const T b = std::sqrt(T(15)), c = std::sqrt(T(5));
  y[4] = b * (x * v), y[5] = b * (v * z);
  y[6] = c * (T(-0.5) + T(1.5) * (z * z));
  y[7] = b * (x * z);
  y[8] = T(0.5) * b * (x * x - v * v);
  if (l_max < 3) return;
  const T d = std::sqrt(T(35) / T(8)), e = std::sqrt(T(105)), f = std::sqrt(T(21) / T(8)), g = T(0.5) * std::sqrt(T(7));
  const R five = T(-1) + T(5) * (z * z);
  y[9] = d * (v * (T(3) * (x * x) - v * v));
  y[10] = e * (x * (v * z));
  y[11] = f * (v * five);
  y[12] = g * (z * (T(-2) + five));
  y[13] = f * (x * five);
  y[14] = T(0.5) * e * (z * (x * x - v * v));
  y[15] = d * (x * (x * x - T(3) * (v * v)));
}

// Adds sum_lm y_bar_lm dY_lm/du to u_bar.
template <class T>
void spherical_gradient(const T u[3], int l_max, const T* y_bar, T u_bar[3]) {
  const T x = u[0], v = u[1], z = u[2];
  if (l_max < 1) return;
  const T a = std::sqrt(T(3));
  u_bar[1] += a * y_bar[1], u_bar[2] += a * y_bar[2], u_bar[0] += a * y_bar[3];
  if (l_max < 2) return;
  const T b = std::sqrt(T(15)), c = std::sqrt(T(5));
  u_bar[0] += b * (v * y_bar[4] + z * y_bar[7] + x * y_bar[8]);
  u_bar[1] += b * (x * y_bar[4] + z * y_bar[5] - v * y_bar[8]);
  u_bar[2] += b * (v * y_bar[5] + x * y_bar[7]) + T(3) * c * z * y_bar[6];
  if (l_max < 3) return;
  const T d = std::sqrt(T(35) / T(8)), e = std::sqrt(T(105)), f = std::sqrt(T(21) / T(8)), g = T(0.5) * std::sqrt(T(7));
  const T five = T(5) * z * z - T(1);
  u_bar[0] += T(6) * d * x * v * y_bar[9] + e * v * z * y_bar[10] + f * five * y_bar[13] + e * x * z * y_bar[14] +
              T(3) * d * (x * x - v * v) * y_bar[15];
  u_bar[1] += T(3) * d * (x * x - v * v) * y_bar[9] + e * x * z * y_bar[10] + f * five * y_bar[11] -
              e * v * z * y_bar[14] - T(6) * d * x * v * y_bar[15];
  u_bar[2] += e * x * v * y_bar[10] + T(10) * f * z * (v * y_bar[11] + x * y_bar[13]) + g * T(3) * five * y_bar[12] +
              T(0.5) * e * (x * x - v * v) * y_bar[14];
}

// One edge of an atom.
template <class N>
struct EdgeState {
  using R = typename N::Scalar;
  typename N::Lanes y; // harmonics, one per lane; 0 beyond l_max
  std::int32_t neighbor;
  std::int32_t interval; // of the splines
  R weight, length;
  R unit[3];
  R basis[4];            // splines interval .. interval + 3
  typename N::Real slope[4]; // of their values, by angstrom
};

// The cubic B-splines at a place t of an interval, 0 <= t <= 1.
template <class R>
void cubic(R t, R* b) {
  using T = std::decay_t<decltype(value_of(t))>;
  const R s = T(1) + T(-1) * t, tt = t * t, ss = s * s;
  const T sixth = T(1) / T(6);
  b[0] = sixth * (ss * s);
  b[1] = sixth * (T(4) + (T(-6) * tt + T(3) * (tt * t)));
  b[2] = sixth * (T(4) + (T(-6) * ss + T(3) * (ss * s)));
  b[3] = sixth * (tt * t);
}

template <class T>
void cubic_slope(T t, T scale, T* b) {
  const T s = T(1) - t;
  b[0] = T(-0.5) * s * s * scale;
  b[1] = (T(-2) * t + T(1.5) * t * t) * scale;
  b[2] = (T(2) * s - T(1.5) * s * s) * scale;
  b[3] = T(0.5) * t * t * scale;
}

template <class T>
T number(double v, double, T) { return static_cast<T>(v); }
template <class T>
DualNumber<T> number(double v, double d, DualNumber<T>) { return {static_cast<T>(v), static_cast<T>(d)}; }

template <class N>
EdgeState<N> edge_state(const WeightedEdgesView& edges, const EdgeTangents& along, std::int64_t e,
                        const NetworkShape& shape) {
  using R = typename N::Scalar;
  using T = typename N::Real;
  EdgeState<N> s;
  s.neighbor = edges.neighbors[e];
  R vector[3];
  for (int c = 0; c < 3; ++c)
    vector[c] = number(edges.vectors[3 * e + c], along.vectors ? along.vectors[3 * e + c] : 0.0, R{});
  s.weight = number(edges.weights[e], along.weights ? along.weights[e] : 0.0, R{});
  s.length = root(vector[0] * vector[0] + (vector[1] * vector[1] + vector[2] * vector[2]));
  const R over = inverse(s.length);
  for (int c = 0; c < 3; ++c) s.unit[c] = over * vector[c];
  R y[16] = {};
  spherical(s.unit, shape.l_max, y);
  for (int m = 0; m < 16; ++m) set_lane(&s.y, m, y[m]);
  const T scale = static_cast<T>(shape.knots / shape.cutoff);
  R place = scale * s.length;
  if (value_of(place) >= T(shape.knots)) place = R{T(shape.knots)};
  const T where = value_of(place); // what is no number stays one, in the first interval
  s.interval = where > T(0) ? std::min(static_cast<std::int32_t>(where), shape.knots - 1) : 0;
  const R t = T(-s.interval) + place;
  cubic(t, s.basis);
  cubic_slope(value_of(t), scale, s.slope);
  return s;
}

} // namespace trimpot::TRIMPOT_ISA

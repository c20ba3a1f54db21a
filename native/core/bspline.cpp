#include "bspline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

namespace trimpot {

namespace {

using Cubic = std::array<double, 4>;

// p(x) * (a + b x), truncated at x^3 (the product never exceeds it here).
Cubic times_linear(const Cubic& p, double a, double b) {
  Cubic q{};
  for (int i = 0; i < 4; ++i) {
    q[static_cast<std::size_t>(i)] += a * p[static_cast<std::size_t>(i)];
    if (i > 0) q[static_cast<std::size_t>(i)] += b * p[static_cast<std::size_t>(i - 1)];
  }
  return q;
}

// The four cubic basis functions of the span [t[k], t[k+1]) in powers of x = r - t[k],
// by the recursion of Cox and de Boor on polynomials.
std::array<Cubic, 4> span_polynomials(const std::vector<double>& t, std::size_t k) {
  std::array<Cubic, 4> basis{};
  basis[0] = {1.0, 0.0, 0.0, 0.0}; // degree 0: only function k
  for (std::size_t degree = 1; degree <= 3; ++degree) {
    std::array<Cubic, 4> next{};
    for (std::size_t q = 0; q <= degree; ++q) { // function i = k - degree + q
      const std::size_t i = k - degree + q;
      if (q > 0) { // left parent: function i of the lower degree, stored at q - 1
        const double width = t[i + degree] - t[i];
        const Cubic part = times_linear(basis[q - 1], (t[k] - t[i]) / width, 1.0 / width);
        for (std::size_t p = 0; p < 4; ++p) next[q][p] += part[p];
      }
      if (q < degree) { // right parent: function i + 1, stored at q
        const double width = t[i + degree + 1] - t[i + 1];
        const Cubic part = times_linear(basis[q], (t[i + degree + 1] - t[k]) / width, -1.0 / width);
        for (std::size_t p = 0; p < 4; ++p) next[q][p] += part[p];
      }
    }
    basis = next;
  }
  return basis;
}

} // namespace

CubicBasis::CubicBasis(const std::vector<double>& t) {
  const std::size_t n = t.size();
  if (n < 8) throw std::invalid_argument("knots: need at least 8 values, found " + std::to_string(n));
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(t[i])) throw std::invalid_argument("knots: found a value that is not finite");
  }
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const bool inside = i >= 3 && i + 1 <= n - 4;
    if (inside ? !(t[i] < t[i + 1]) : t[i] != t[i + 1])
      throw std::invalid_argument(
          "knots: need ascending values whose first and last are repeated four times");
  }
  breaks_.assign(t.begin() + 3, t.end() - 3);
  powers_.resize(16 * (breaks_.size() - 1));
  double smallest = breaks_.back() - breaks_.front();
  for (std::size_t m = 0; m + 1 < breaks_.size(); ++m) {
    smallest = std::min(smallest, breaks_[m + 1] - breaks_[m]);
    const auto basis = span_polynomials(t, m + 3);
    for (std::size_t p = 0; p < 4; ++p)
      for (std::size_t q = 0; q < 4; ++q) powers_[16 * m + 4 * p + q] = basis[q][p];
  }
  const double length = breaks_.back() - breaks_.front();
  if (length / smallest > 1e5)
    throw std::invalid_argument("knots: the narrowest interval is over 1e5 times shorter than all");
  const int bins = static_cast<int>(std::ceil(length / smallest - 1e-9));
  bins_per_length_ = bins / length;
  last_bin_ = bins - 1;
  bins_.resize(static_cast<std::size_t>(bins));
  std::size_t m = 0;
  for (int b = 0; b < bins; ++b) {
    const double r = breaks_.front() + b / bins_per_length_;
    while (m + 2 < breaks_.size() && r >= breaks_[m + 1]) ++m;
    bins_[static_cast<std::size_t>(b)] = static_cast<int>(m);
  }
}

} // namespace trimpot

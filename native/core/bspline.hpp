// Clamped cubic B-splines as polynomials per knot interval.
#pragma once

#include <vector>

namespace trimpot {

// On interval m (breaks[m] <= r < breaks[m + 1]) the four basis functions m .. m + 3 are
//   B_{m+q}(r) = sum_p powers[16 m + 4 p + q] x^p,   x = r - breaks[m].
// The table finds m in constant time for any spacing of the knots.
class CubicBasis {
 public:
  // knots: n + 4 ascending values, both ends repeated four times (n basis functions).
  explicit CubicBasis(const std::vector<double>& knots);

  int n_basis() const { return n_intervals() + 3; }
  int n_intervals() const { return static_cast<int>(breaks_.size()) - 1; }
  double lower() const { return breaks_.front(); }
  double upper() const { return breaks_.back(); }

  // Interval that holds r, lower() <= r < upper() up to rounding. A bin is narrower than any
  // interval, so it holds at most one break and one comparison decides, without a branch.
  int locate(double r) const {
    const int bin = static_cast<int>((r - breaks_.front()) * bins_per_length_);
    const int m = bins_[static_cast<std::size_t>(bin < last_bin_ ? bin : last_bin_)];
    return m + (r >= breaks_[static_cast<std::size_t>(m) + 1] ? 1 : 0);
  }
  double start(int m) const { return breaks_[static_cast<std::size_t>(m)]; }
  const double* powers(int m) const { return powers_.data() + 16 * m; }

  // The table of locate(): the first interval that reaches into each bin.
  const std::vector<int>& bins() const { return bins_; }
  double bins_per_length() const { return bins_per_length_; }

 private:
  std::vector<double> breaks_;
  std::vector<double> powers_;
  std::vector<int> bins_;
  double bins_per_length_ = 0.0;
  int last_bin_ = 0;
};

} // namespace trimpot

// Coefficients of triplets as the kernels read them.
//
// V3 = sum_lmn c_lmn A_l(r_ij) B_m(r_ik) C_n(r_jk). Along r_jk the table is kept as polynomials: in
// the interval of a triplet, with u the distance from its middle,
//   V3 = sum_lm A_l B_m T_lm(u),   T_lm(u) = t0 + t1 u + t2 u^2 + t3 u^3.
// Each t is a tile of 4 (l) x 4 (m) numbers; the four of a triplet are one run of memory, a block.
#pragma once

#include <array>
#include <cmath>
#include <map>
#include <tuple>
#include <vector>

#include "../bspline.hpp"
#include "../memory.hpp"
#include "triplet_axes.hpp"
#include "uniform_basis.hpp"

namespace trimpot::TRIMPOT_ISA {

// The function of one kind of triplet.
struct Trio {
  CubicBasis ij, ik, jk;
  std::vector<double> grid; // coefficients [l][m][n]; empty: rows only

  std::size_t corner(int l, int m, int n) const {
    return (static_cast<std::size_t>(l) * static_cast<std::size_t>(ik.n_basis()) + static_cast<std::size_t>(m)) *
               static_cast<std::size_t>(jk.n_basis()) +
           static_cast<std::size_t>(n);
  }

  // With j and k exchanged.
  Trio mirrored() const {
    Trio m{ik, ij, jk, std::vector<double>(grid.size())};
    for (int a = 0; a < ij.n_basis(); ++a)
      for (int b = 0; b < ik.n_basis(); ++b)
        for (int n = 0; n < jk.n_basis(); ++n) m.grid[m.corner(b, a, n)] = grid[corner(a, b, n)];
    return m;
  }
};

// The tables of all trios of a term; one that several centres share is kept once.
template <class Real>
class TripletTables {
 public:
  static constexpr int tile = 16, block = 4 * tile;

  // Number of the block of the first intervals of trio t; behind it the others: [l][m][n].
  std::int32_t place(int t, const Trio& trio, bool mirrored, bool uniform_legs, const SideAxes<Real>& sides) {
    const auto key = std::make_tuple(t, mirrored, uniform_legs, sides.uniform());
    const auto known = placed_.find(key);
    if (known != placed_.end()) return known->second;
    const auto first = static_cast<std::int32_t>(numbers_.size() / block);
    append(mirrored ? trio.mirrored() : trio, uniform_legs, sides);
    placed_.emplace(key, first);
    return first;
  }

  const Real* data() const { return numbers_.data(); }

 private:
  void append(Trio trio, bool uniform_legs, const SideAxes<Real>& sides) {
    const auto n_l = static_cast<std::size_t>(trio.ij.n_basis()), n_m = static_cast<std::size_t>(trio.ik.n_basis()),
               n_n = static_cast<std::size_t>(trio.jk.n_basis());
    double* const grid = trio.grid.data();
    for (std::size_t row = 0; row < n_m * n_n && uniform_legs; ++row) to_uniform_basis(trio.ij, grid + row, n_m * n_n);
    for (std::size_t row = 0; row < n_l * n_n && uniform_legs; ++row)
      to_uniform_basis(trio.ik, grid + row / n_n * n_m * n_n + row % n_n, n_n);
    std::vector<std::array<double, 16>> powers;
    for (int n = 0; n < trio.jk.n_intervals(); ++n) powers.push_back(sides.powers(trio.jk, n));
    for (std::size_t l = 0; l + 3 < n_l; ++l)
      for (std::size_t m = 0; m + 3 < n_m; ++m)
        for (std::size_t n = 0; n + 3 < n_n; ++n)
          for (std::size_t p = 0; p < 4; ++p)
            for (std::size_t lane = 0; lane < tile; ++lane) {
              const double* c = grid + ((l + lane / 4) * n_m + m + lane % 4) * n_n + n;
              double t = 0.0;
              for (std::size_t q = 0; q < 4; ++q) t += c[q] * powers[n][4 * p + q];
              numbers_.push_back(static_cast<Real>(std::abs(t) < 1e-30 ? 0.0 : t)); // no denormals
            }
  }

  AlignedVector<Real> numbers_;
  std::map<std::tuple<int, bool, bool, bool>, std::int32_t> placed_;
};

} // namespace trimpot::TRIMPOT_ISA

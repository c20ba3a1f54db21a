// Plain descriptions of the terms, independent of the instruction set.
#pragma once

#include <cstdint>
#include <vector>

namespace trimpot {

// E_i = coefficients[column[species_i]]; column -1: no energy.
struct OneBodySpec {
  std::vector<std::int32_t> columns;   // per species
  std::vector<double> coefficients;    // empty: rows only
  int n_columns = 0;
};

// E_i = sum_j V2(r_ij), V2 = sum_n c_n B_n(r); table[a * n_species + b] or -1.
struct PairSplineSpec {
  int n_species = 0;
  std::vector<std::int32_t> table;
  std::vector<std::vector<double>> knots;          // per table, clamped
  std::vector<std::vector<std::int32_t>> columns;  // per table and basis function; -1: frozen at 0
  std::vector<double> coefficients;
  int n_columns = 0;
};

// E_i = sum_{j<k} V3(r_ij, r_ik, r_jk), V3 = sum_lmn c_lmn B_l B_m B_n.
// table[(centre * n_species + b) * n_species + c] for species b <= c (j of species b).
struct TripletSplineSpec {
  int n_species = 0;
  std::vector<std::int32_t> table;
  std::vector<std::vector<double>> knots_ij, knots_ik, knots_jk;
  std::vector<std::vector<std::int32_t>> columns;  // row-major grid [l][m][n]
  std::vector<double> coefficients;
  int n_columns = 0;
};

// E_i = sum_j ZBL(r_ij) s(r_ij) / 2 with s falling from 1 at inner to 0 at outer.
struct ZblSpec {
  std::vector<std::int32_t> numbers;   // atomic number per species
  std::vector<double> inner, outer;    // n_species x n_species, angstrom
};

// E_i = sum_m c_m prod phi_q, phi_q the bounded invariants of the densities around atom i
// (src/trimpot/splines/density.py). Densities of neighbour species b and function a:
//   rho_(b, a) = sum_j w_j B_a(r_ij),   A_(b, a, lm) = sum_j w_j R_a(r_ij) Y_lm(r_ij / |r_ij|),
// B and R cubic B-splines on equal intervals that end at high, and go on below low.
struct DensitySpec {
  struct Radial {
    int n = 0;                      // functions, and intervals between low and high
    std::vector<double> low, high;  // n_species x n_species
  };
  // phi = sum factor prod A: numbers of components, (b * n + a) * 15 + lm - 1, third -1 if there are two.
  struct Form {
    std::vector<double> factor;
    std::vector<std::int32_t> components; // x 3
  };
  int n_species = 0;
  Radial radial, angular;                // angular.n = 0: none
  std::vector<Form> forms;               // invariants behind the densities rho
  std::vector<double> limits;            // n_species x invariants; where |phi| begins to saturate
  std::vector<std::int32_t> monomials;   // x 4: invariants, or -1
  std::vector<std::int32_t> columns;     // n_species x monomials
  std::vector<double> coefficients;
  int n_columns = 0;

  std::size_t n_densities() const { return static_cast<std::size_t>(n_species * radial.n); }
  std::size_t n_components() const { return static_cast<std::size_t>(15 * n_species * angular.n); }
  std::size_t n_invariants() const { return n_densities() + forms.size(); }
  std::size_t n_monomials() const { return monomials.size() / 4; }
};

// Weights S_ij of neighbours from third atoms k (src/trimpot/envelopes/triplet.py). Limits stand at
// [(i * n_species + j) * n_species + k]; both below 0: k does not screen.
struct ScreeningSpec {
  enum class Switch { smooth, bump, quintic, meam };
  int n_species = 0;
  std::vector<double> c_min, c_max;
  Switch kind = Switch::smooth;
  bool softmin = false;              // shortfalls add up, instead of a product
  double inner = 0.0, outer = 0.0;   // closer pairs are not screened; 0, 0: no such radius

  friend bool operator==(const ScreeningSpec&, const ScreeningSpec&) = default;
};

} // namespace trimpot

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

} // namespace trimpot

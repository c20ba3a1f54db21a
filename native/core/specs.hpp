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

// E_i = a polynomial of the bounded densities around atom i (src/trimpot/splines/density.py).
// Densities of neighbour species b and function a:
//   rho_(b, a) = sum_j w_j B_a(r_ij),   A_(b, a, lm) = sum_j w_j R_a(r_ij) Y_lm(r_ij / |r_ij|),
// B and R cubic B-splines on equal intervals that end at high, and go on below low. Columns of a
// central species: products of 2 .. order densities rho; p = sum_m A_lm A'_lm by l and a <= a';
// triples; products rho p, by rho. Products have ascending factors, in lexical order.
struct DensitySpec {
  struct Radial {
    int n = 0;                      // functions, and intervals between low and high
    std::vector<double> low, high;  // n_species x n_species
  };
  // Invariants of three A of these degrees (ascending): sum of factor * A_a A_b A_c, of the components
  // given (0 .. 14), for all functions a, b, c; functions of equal degrees ascend.
  struct Coupling {
    std::vector<std::int32_t> degrees;    // 3
    std::vector<double> factors;
    std::vector<std::int32_t> components; // x 3

    bool has(int a, int b, int c) const {
      return !(degrees[0] == degrees[1] && a > b) && !(degrees[1] == degrees[2] && b > c);
    }
  };
  int n_species = 0;
  int order = 2, l_max = 0;
  bool mixed = false;                    // products rho p
  Radial radial, angular;                // angular.n = 0: none
  std::vector<Coupling> couplings;
  std::vector<double> limits;            // n_species x (n_rho + n_a l_max): of rho, and of |A_l| by a
  std::vector<double> coefficients;
  int n_columns = 0;

  int n_rho() const { return n_species * radial.n; }
  int n_a() const { return n_species * angular.n; }
  int n_limits() const { return n_rho() + n_a() * l_max; }
  int n_p() const { return l_max * n_a() * (n_a() + 1) / 2; }
  std::int64_t n_products() const { // of densities rho
    std::int64_t sum = 0, of_order = n_rho();
    for (int o = 2; o <= order; ++o) sum += of_order = of_order * (n_rho() + o - 1) / o;
    return sum;
  }
  // Calls visit(coupling, a, b, c) for every invariant of three.
  template <class Visit>
  void for_each_triple(Visit&& visit) const {
    for (const Coupling& coupling : couplings)
      for (int a = 0; a < n_a(); ++a)
        for (int b = 0; b < n_a(); ++b)
          for (int c = 0; c < n_a(); ++c)
            if (coupling.has(a, b, c)) visit(coupling, a, b, c);
  }
  std::int64_t n_triples() const {
    std::int64_t n = 0;
    for_each_triple([&](const Coupling&, int, int, int) { ++n; });
    return n;
  }
  std::int64_t columns_of_species() const {
    return n_products() + n_p() + n_triples() + (mixed ? n_rho() * n_p() : 0);
  }
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

// A search for what a screening leaves of edges.
struct EdgeScreeningSpec {
  ScreeningSpec screening;
  double span = 0.0;  // added to C_max of who screens in part
  double reach = 0.0; // longer edges are gone; those that screen are up to the stretch longer
};

} // namespace trimpot

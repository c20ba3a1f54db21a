#include "density_couplings.hpp"

#include <array>
#include <cmath>

namespace trimpot {

namespace {

// factor x^powers[0] y^powers[1] z^powers[2]
struct Monomial {
  double factor;
  std::array<int, 3> powers;
};
using Polynomial = std::vector<Monomial>;

// Y_lm of unit vectors, in the order and the scale of kernels/harmonics.hpp.
std::vector<Polynomial> harmonics() {
  const double a = std::sqrt(3.0), b = std::sqrt(15.0), c = std::sqrt(10.0) / 4.0, d = std::sqrt(6.0) / 4.0;
  return {{{1.0, {1, 0, 0}}},
          {{1.0, {0, 1, 0}}},
          {{1.0, {0, 0, 1}}},
          {{a, {1, 1, 0}}},
          {{a, {0, 1, 1}}},
          {{1.5, {0, 0, 2}}, {-0.5, {0, 0, 0}}},
          {{a, {1, 0, 1}}},
          {{a / 2.0, {2, 0, 0}}, {-a / 2.0, {0, 2, 0}}},
          {{3.0 * c, {2, 1, 0}}, {-c, {0, 3, 0}}},
          {{b, {1, 1, 1}}},
          {{5.0 * d, {0, 1, 2}}, {-d, {0, 1, 0}}},
          {{2.5, {0, 0, 3}}, {-1.5, {0, 0, 1}}},
          {{5.0 * d, {1, 0, 2}}, {-d, {1, 0, 0}}},
          {{b / 2.0, {2, 0, 1}}, {-b / 2.0, {0, 2, 1}}},
          {{c, {3, 0, 0}}, {-3.0 * c, {1, 2, 0}}}};
}

double double_factorial(int n) { return n <= 1 ? 1.0 : n * double_factorial(n - 2); }

// Mean of x^p y^q z^r over the unit sphere: (p-1)!! (q-1)!! (r-1)!! / (p+q+r+1)!!, 0 if any is odd.
double mean_over_sphere(const std::array<int, 3>& powers) {
  double product = 1.0;
  int sum = 0;
  for (const int p : powers) {
    if (p % 2 != 0) return 0.0;
    product *= double_factorial(p - 1);
    sum += p;
  }
  return product / double_factorial(sum + 1);
}

double mean_of_product(const Polynomial& one, const Polynomial& two, const Polynomial& three) {
  double mean = 0.0;
  for (const auto& p : one)
    for (const auto& q : two)
      for (const auto& r : three) {
        std::array<int, 3> powers{};
        for (std::size_t x = 0; x < 3; ++x) powers[x] = p.powers[x] + q.powers[x] + r.powers[x];
        mean += p.factor * q.factor * r.factor * mean_over_sphere(powers);
      }
  return mean;
}

int first_of(int degree) { return degree * degree - 1; }

DensitySpec::Coupling coupling(int l1, int l2, int l3) {
  const auto y = harmonics();
  DensitySpec::Coupling found{{l1, l2, l3}, {}, {}};
  double square = 0.0;
  for (int i = first_of(l1); i < first_of(l1 + 1); ++i)
    for (int j = first_of(l2); j < first_of(l2 + 1); ++j)
      for (int k = first_of(l3); k < first_of(l3 + 1); ++k) {
        const double mean = mean_of_product(y[static_cast<std::size_t>(i)], y[static_cast<std::size_t>(j)],
                                            y[static_cast<std::size_t>(k)]);
        if (std::abs(mean) < 1e-12) continue;
        square += mean * mean;
        found.factors.push_back(mean);
        found.components.insert(found.components.end(), {i, j, k});
      }
  for (double& factor : found.factors) factor /= std::sqrt(square);
  return found;
}

} // namespace

std::vector<DensitySpec::Coupling> density_couplings(int l_max) {
  std::vector<DensitySpec::Coupling> all;
  for (int l1 = 1; l1 <= l_max; ++l1)
    for (int l2 = l1; l2 <= l_max; ++l2)
      for (int l3 = l2; l3 <= l_max && l3 <= l1 + l2; ++l3)
        if ((l1 + l2 + l3) % 2 == 0) all.push_back(coupling(l1, l2, l3));
  return all;
}

} // namespace trimpot

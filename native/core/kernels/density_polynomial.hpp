// The polynomial of densities, with its derivatives: vectors of densities, tables of coefficients
// as rows of a vector.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "../memory.hpp"
#include "../specs.hpp"
#include "density_triples.hpp"
#include "harmonics.hpp"
#include "rows.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

// Calls visit(a, b, ...) for every ascending choice of `order` numbers below n, in lexical order.
template <class Visit>
void for_each_product(int n, int order, Visit&& visit) {
  std::array<int, 4> q{};
  for (;;) {
    visit(q);
    int a = order - 1;
    while (a >= 0 && q[static_cast<std::size_t>(a)] == n - 1) --a;
    if (a < 0) return;
    const int next = q[static_cast<std::size_t>(a)] + 1;
    for (; a < order; ++a) q[static_cast<std::size_t>(a)] = next;
  }
}

// The polynomial of one central species.
//
// The derivative of products of three densities is sum_{b <= c} rho_b rho_c D[b, c], D a row of
// numbers by the density that E is derived by. In lexical order the products that begin with b are
// rho_b times those of one density less from b on: a run of memory. The energy follows from Euler's
// theorem.
template <class Real>
class DensityPolynomial {
 public:
  static constexpr int N = lanes<Real>;
  using V = Vec<Real, N>;
  static constexpr int row = 16; // of components: 15 and a 0

  DensityPolynomial(const DensitySpec& spec, int species)
      : n_(spec.n_rho()), padded_((n_ + N - 1) / N * N), n_a_(spec.n_a()), order_(spec.order), l_max_(spec.l_max), mixed_(spec.mixed) {
    const double* c = spec.coefficients.data() + species * spec.columns_of_species();
    for (int order = 2; order <= order_; ++order) c = fill_products(order, c);
    pairs_ = n_a_ * (n_a_ + 1) / 2;
    padded_pairs_ = (pairs_ + N - 1) / N * N;
    p_.assign(static_cast<std::size_t>(4 * padded_pairs_), Real(0));
    for (int l = 0; l < l_max_; ++l)
      for (int q = 0; q < pairs_; ++q) p_[static_cast<std::size_t>(l * padded_pairs_ + q)] = plain(*c++);
    if (!spec.couplings.empty()) c = triples_.emplace(spec, c).end();
    by_rho_.assign(static_cast<std::size_t>(mixed_ ? n_ * l_max_ * padded_pairs_ : 0), Real(0));
    by_p_.assign(static_cast<std::size_t>(mixed_ ? l_max_ * pairs_ * padded_ : 0), Real(0));
    for (int a = 0; a < n_ && mixed_; ++a)
      for (int l = 0; l < l_max_; ++l)
        for (int q = 0; q < pairs_; ++q, ++c) {
          by_rho_[static_cast<std::size_t>((a * l_max_ + l) * padded_pairs_ + q)] = plain(*c);
          by_p_[static_cast<std::size_t>((l * pairs_ + q) * padded_ + a)] = plain(*c);
        }
  }

  int padded() const { return padded_; }

  // rho: padded; A: rows of components. Writes the derivatives in the same shape.
  TRIMPOT_INLINE double evaluate(Arena& arena, const Real* rho, const Real* A, Real* by_rho, Real* by_A) const {
    const Arena::Scope scope(arena);
    Real* const lists = arena.take<Real>(longest_ + std::int64_t{3} * N);
    double energy = padded_ == N ? products<true>(lists, rho, by_rho) : products<false>(lists, rho, by_rho);
    if (n_a_ > 0) energy += angular(arena, rho, A, by_rho, by_A);
    return energy;
  }

 private:
  static Real plain(double a) { return static_cast<Real>(std::abs(a) < 1e-30 ? 0.0 : a); } // no denormals

  // Reads the coefficients of products of `order` densities; returns where the next ones stand.
  const double* fill_products(int order, const double* c) {
    auto& rows = rows_[order - 2];
    std::vector<std::array<int, 4>> keys; // of the rows
    for_each_product(n_, order - 1, [&](const std::array<int, 4>& q) { keys.push_back(q); });
    size_[order - 2] = static_cast<int>(keys.size());
    if (order > 2) longest_ += static_cast<std::int64_t>(keys.size());
    rows.assign(keys.size() * static_cast<std::size_t>(padded_), Real(0));
    for_each_product(n_, order, [&](const std::array<int, 4>& q) {
      const double value = *c++;
      for (int x = 0; x < order; ++x) { // derive by factor x
        if (x > 0 && q[static_cast<std::size_t>(x)] == q[static_cast<std::size_t>(x - 1)]) continue;
        std::array<int, 4> rest{};
        int count = 0, kept = 0;
        for (int y = 0; y < order; ++y) {
          count += q[static_cast<std::size_t>(y)] == q[static_cast<std::size_t>(x)] ? 1 : 0;
          if (y != x) rest[static_cast<std::size_t>(kept++)] = q[static_cast<std::size_t>(y)];
        }
        const auto key = std::lower_bound(keys.begin(), keys.end(), rest) - keys.begin();
        rows[static_cast<std::size_t>(key * padded_ + q[static_cast<std::size_t>(x)])] = plain(count * value);
      }
    });
    return c;
  }

  // lists: room for products of two and of three densities.
  template <bool in_one_vector>
  TRIMPOT_INLINE double products(Real* lists, const Real* rho, Real* by_rho) const {
    V energy{};
    const Real* list = rho; // products of order - 1 densities
    Real* next = lists;
    for (int order = 2; order <= order_; ++order) {
      const int n = size_[order - 2];
      const Real share = Real(1) / static_cast<Real>(order);
      for (int x = 0; x < (in_one_vector ? N : padded_); x += N) {
        const V by = weighted(list, n, rows_[order - 2].data() + x, in_one_vector ? N : padded_);
        energy += share * (by * load<N>(rho + x));
        store(by_rho + x, order == 2 ? by : load<N>(by_rho + x) + by);
      }
      if (order == order_) break;
      Real* end = next;
      for (int b = 0, at = 0; b < n_; ++b) { // of `order` densities
        const V first = broadcast<N>(rho[b]);
        for (int k = at; k < n; k += N) store(end + k - at, first * load<N>(list + k));
        end += n - at;
        at += size_of_first(b, order - 1);
      }
      list = next;
      next = end + N; // what is written beyond the end is overwritten or of no use
    }
    return static_cast<double>(sum(energy));
  }

  // sum_k list[k] row[k]
  TRIMPOT_INLINE static V weighted(const Real* list, int n, const Real* rows, int stride) {
    V a{}, b{}, c{}, d{};
    int k = 0;
    for (; k + 4 <= n; k += 4, rows += 4 * stride) {
      a += broadcast<N>(list[k]) * load<N>(rows);
      b += broadcast<N>(list[k + 1]) * load<N>(rows + stride);
      c += broadcast<N>(list[k + 2]) * load<N>(rows + 2 * stride);
      d += broadcast<N>(list[k + 3]) * load<N>(rows + 3 * stride);
    }
    for (; k < n; ++k, rows += stride) a += broadcast<N>(list[k]) * load<N>(rows);
    return (a + b) + (c + d);
  }

  // How many products of `order` densities begin with b: choices of order - 1 from b on.
  int size_of_first(int b, int order) const {
    const int left = n_ - b;
    return order == 1 ? 1 : order == 2 ? left : left * (left + 1) / 2;
  }

  TRIMPOT_INLINE double angular(Arena& arena, const Real* rho, const Real* A, Real* by_rho, Real* by_A) const {
    const Arena::Scope scope(arena);
    Real* const p = arena.take<Real>(3 * padded_pairs_);
    Real* const fours = arena.take<Real>(4 * padded_pairs_);
    Real* const product = arena.take<Real>(row * padded_pairs_);
    int q = 0;
    for (int a = 0; a < n_a_; ++a)
      for (int b = a; b < n_a_; ++b, ++q)
        for (int c = 0; c < row; c += N) store(product + row * q + c, load<N>(A + row * a + c) * load<N>(A + row * b + c));
    for (; q < padded_pairs_; ++q)
      for (int c = 0; c < row; c += N) store(product + row * q + c, V{});
    V energy{};
    for (int x = 0; x < padded_pairs_; x += N) {
      V part[3];
      sum_degrees(product + row * x, part);
      V by[4] = {};
      for (int l = 0; l < l_max_; ++l) {
        by[l] = load<N>(p_.data() + l * padded_pairs_ + x);
        for (int a = 0; a < n_ && mixed_; ++a)
          by[l] += broadcast<N>(rho[a]) * load<N>(by_rho_.data() + (a * l_max_ + l) * padded_pairs_ + x);
        energy += by[l] * part[l];
        store(p + l * padded_pairs_ + x, part[l]);
      }
      store_fours(fours + 4 * x, by[0], by[1], by[2], by[3]);
    }
    for (int x = 0; x < padded_ && mixed_; x += N) {
      V sum = load<N>(by_rho + x);
      const Real* m = by_p_.data() + x;
      for (int l = 0; l < l_max_; ++l)
        for (int k = 0; k < pairs_; ++k, m += padded_) sum += broadcast<N>(p[l * padded_pairs_ + k]) * load<N>(m);
      store(by_rho + x, sum);
    }
    std::fill(by_A, by_A + row * n_a_, Real(0));
    q = 0;
    for (int a = 0; a < n_a_; ++a)
      for (int b = a; b < n_a_; ++b, ++q) {
        const Real* g = fours + 4 * (q / N * N + place_of_four<N>(q % N));
        for (int c = 0; c < row; c += N) {
          const V factor = of_degrees(g, c);
          store(by_A + row * a + c, load<N>(by_A + row * a + c) + factor * load<N>(A + row * b + c));
          store(by_A + row * b + c, load<N>(by_A + row * b + c) + factor * load<N>(A + row * a + c));
        }
      }
    return static_cast<double>(sum(energy)) + (triples_ ? triples_->evaluate(arena, A, by_A) : 0.0);
  }

  // Sums over the components of each degree, of N rows.
  TRIMPOT_INLINE static void sum_degrees(const Real* rows, V* part) {
    V c[16];
    for (int g = 0; g < 4; ++g) {
      const auto four = load_rows<N, Real>([&](int l) { return rows + row * l + 4 * g; });
      c[4 * g] = four.x, c[4 * g + 1] = four.y, c[4 * g + 2] = four.z, c[4 * g + 3] = four.w;
    }
    part[0] = c[0] + (c[1] + c[2]);
    part[1] = ((c[3] + c[4]) + (c[5] + c[6])) + c[7];
    part[2] = ((c[8] + c[9]) + (c[10] + c[11])) + ((c[12] + c[13]) + c[14]);
  }

  // Numbers of degrees 1, 2, 3, for the N components from c on.
  TRIMPOT_INLINE static V of_degrees(const Real* g, int c) {
#if defined(__AVX512F__)
    if constexpr (N == 16) {
      const __m512i degree = _mm512_setr_epi32(0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3);
      return {_mm512_permutexvar_ps(degree, _mm512_castps128_ps512(_mm_loadu_ps(g)))};
    }
#endif
    static constexpr int degree[16] = {0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3};
    Real out[N];
    for (int l = 0; l < N; ++l) out[l] = g[degree[c + l]];
    return load<N>(out);
  }

  int n_, padded_, n_a_, order_, l_max_;
  bool mixed_;
  int pairs_ = 0, padded_pairs_ = 0;
  AlignedVector<Real> rows_[3];          // of products of two, three, four
  int size_[3] = {};                     // number of rows
  std::int64_t longest_ = 0;             // products that are written down
  AlignedVector<Real> p_, by_rho_, by_p_;
  std::optional<DensityTriples<Real>> triples_;
};

} // namespace trimpot::TRIMPOT_ISA

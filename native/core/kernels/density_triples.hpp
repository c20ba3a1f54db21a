// The part of the polynomial of densities that is cubic in the components A.
//
// For one coupling, E = sum_ijk g_ijk sum_abc C_abc A_ai A_bj A_ck with few g_ijk that are not 0. Tiles
// of 4 x 4 numbers run over functions b and c:
//   T_i = sum_jk g_ijk A_bj A_ck       then dE/dA_ai = sum_bc C_abc T_i;
//   V_i = sum_a C_abc A_ai,  Q_jk = sum_i g_ijk V_i   then dE/dA_bj = sum_kc Q_jk A_ck, and so for A_ck.
#pragma once

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "../memory.hpp"
#include "../specs.hpp"
#include "rows.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class Real>
class DensityTriples {
 public:
  static constexpr int tile = 16, row = 16; // of functions b x c; of components of one function

  // coefficients: of all triples of one central species, in their order.
  DensityTriples(const DensitySpec& spec, const double* coefficients)
      : n_(spec.n_a()), blocks_((n_ + 3) / 4), padded_(4 * blocks_) {
    for (const auto& coupling : spec.couplings) {
      Part part;
      std::map<std::pair<int, int>, std::vector<Entry>> groups;
      for (std::size_t t = 0; t < coupling.factors.size(); ++t)
        groups[{coupling.components[3 * t + 1], coupling.components[3 * t + 2]}].push_back(
            {static_cast<Real>(coupling.factors[t]), coupling.components[3 * t]});
      for (const auto& [jk, entries] : groups) {
        part.groups.push_back({jk.first, jk.second, static_cast<int>(part.entries.size()), static_cast<int>(entries.size())});
        part.entries.insert(part.entries.end(), entries.begin(), entries.end());
      }
      for (int l = 0; l < 3; ++l) {
        part.first[l] = coupling.degrees[static_cast<std::size_t>(l)] * coupling.degrees[static_cast<std::size_t>(l)] - 1;
        part.size[l] = 2 * coupling.degrees[static_cast<std::size_t>(l)] + 1;
      }
      part.numbers.assign(static_cast<std::size_t>(blocks_ * blocks_ * padded_ * tile), Real(0));
      for (int a = 0; a < n_; ++a)
        for (int b = 0; b < n_; ++b)
          for (int c = 0; c < n_; ++c)
            if (coupling.has(a, b, c))
              part.numbers[static_cast<std::size_t>((((b / 4) * blocks_ + c / 4) * padded_ + a) * tile + b % 4 * 4 + c % 4)] =
                  static_cast<Real>(*coefficients++);
      parts_.push_back(std::move(part));
    }
    end_ = coefficients;
  }

  const double* end() const { return end_; } // of the coefficients

  // A: rows of components by function; adds to the derivatives, in the same shape.
  double evaluate(Arena& arena, const Real* A, Real* by_A) const {
    const Arena::Scope scope(arena);
    Real* const a = arena.take<Real>(2 * row * padded_); // by component and function
    Real* const by = a + row * padded_;
    clear(a, 2 * row * padded_);
    for (int f = 0; f < n_; ++f)
      for (int c = 0; c < row; ++c) a[c * padded_ + f] = A[row * f + c];
    double energy = 0.0;
    for (const Part& part : parts_)
      for (int b = 0; b < blocks_; ++b)
        for (int c = 0; c < blocks_; ++c) energy += add(part, b, c, a, by);
    for (int f = 0; f < n_; ++f)
      for (int c = 0; c < row; ++c) by_A[row * f + c] += by[c * padded_ + f];
    return energy;
  }

 private:
  using Tile = Vec<Real, tile>;

  struct Entry {
    Real factor;
    int i;
  };
  struct Group { // entries of one (j, k)
    int j, k, first, n;
  };
  struct Part { // one coupling
    std::vector<Group> groups;
    std::vector<Entry> entries;
    int first[3], size[3];       // components of the three degrees
    AlignedVector<Real> numbers; // C: tiles by block of b, block of c, a
  };

  // Blocks b and c of functions.
  double add(const Part& part, int b, int c, const Real* a, Real* by) const {
    constexpr int most = 7; // components of a degree
    const Real* const numbers = part.numbers.data() + std::ptrdiff_t{b * blocks_ + c} * padded_ * tile;
    auto of_b = [&](int j) { return each_four_times(load<4>(a + j * padded_ + 4 * b)); };
    auto of_c = [&](int k) { return load_repeated<tile>(a + k * padded_ + 4 * c); };
    Tile t[most] = {}, v[most] = {}, by_b[most + 1] = {}, by_c[most] = {};
    for (const Group& g : part.groups) {
      const Tile product = of_b(g.j) * of_c(g.k);
      for (int e = g.first; e < g.first + g.n; ++e)
        t[part.entries[static_cast<std::size_t>(e)].i - part.first[0]] += part.entries[static_cast<std::size_t>(e)].factor * product;
    }
    Vec<Real, 4> energy{};
    for (int i = 0; i < part.size[0]; ++i) {
      const Real* const a_i = a + (part.first[0] + i) * padded_;
      Real* const by_i = by + (part.first[0] + i) * padded_;
      for (int f = 0; f < padded_; f += 4) {
        Tile u[4];
        for (int x = 0; x < 4; ++x) {
          const Tile n = load<tile>(numbers + (f + x) * tile);
          u[x] = n * t[i];
          v[i] += broadcast<tile>(a_i[f + x]) * n;
        }
        const auto sum = sums(u[0], u[1], u[2], u[3]);
        energy += sum * load<4>(a_i + f);
        store(by_i + f, load<4>(by_i + f) + sum);
      }
    }
    for (const Group& g : part.groups) {
      Tile q{};
      for (int e = g.first; e < g.first + g.n; ++e)
        q += part.entries[static_cast<std::size_t>(e)].factor * v[part.entries[static_cast<std::size_t>(e)].i - part.first[0]];
      by_b[g.j - part.first[1]] += q * of_c(g.k);
      by_c[g.k - part.first[2]] += q * of_b(g.j);
    }
    for (int j = 0; j < part.size[1]; j += 4) { // sums over c: lane 4 b + x is that of j + x
      Real out[tile];
      store(out, sums_of_groups(by_b[j], by_b[j + 1], by_b[j + 2], by_b[j + 3]));
      for (int x = 0; x < std::min(4, part.size[1] - j); ++x)
        for (int f = 0; f < 4; ++f) by[(part.first[1] + j + x) * padded_ + 4 * b + f] += out[4 * f + x];
    }
    for (int k = 0; k < part.size[2]; ++k) {
      Real* const by_k = by + (part.first[2] + k) * padded_ + 4 * c;
      store(by_k, load<4>(by_k) + fold(by_c[k]));
    }
    return static_cast<double>(sum(energy));
  }

  int n_, blocks_, padded_;
  std::vector<Part> parts_;
  const double* end_ = nullptr;
};

} // namespace trimpot::TRIMPOT_ISA

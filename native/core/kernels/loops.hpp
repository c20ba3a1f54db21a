// Loops over central atoms: gather an environment once, hand it to every term.
//
// The first pair term is evaluated while neighbours are in registers; the others get the
// neighbours within their own, shorter reach as an Environment.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "../kernels.hpp"
#include "../memory.hpp"
#include "pair_spline.hpp"
#include "rows.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

// The terms of a potential as a loop treats them.
struct Plan {
  const PairSpline* pair = nullptr;
  std::vector<const Term*> others;
  double reach = 0.0; // of the others

  explicit Plan(const std::vector<TermPointer>& terms) {
    for (const auto& term : terms) {
      const auto* spline = dynamic_cast<const PairSpline*>(term.get());
      if (spline != nullptr && pair == nullptr) {
        pair = spline;
        continue;
      }
      others.push_back(term.get());
      reach = std::max(reach, term->cutoff());
    }
  }
};

// How the pair term is looked up.
enum class Lookup { none, memory, narrow_registers, wide_registers };

// Atoms are taken in batches: first all their neighbours are gathered, then the other terms
// are evaluated, atoms with equally many neighbours one after the other (loops of one length
// are predicted well), then their gradients are spread.
template <class Real, class Index, Lookup lookup>
class Loop {
 public:
  Loop(const Plan& plan, const Block<Real, Index>& block) : plan_(plan), block_(block) {
    square_reach_ = static_cast<Real>(plan.reach * plan.reach);
    if (!plan.others.empty()) {
      std::int64_t most = 0; // near neighbours of an atom
      for (std::int64_t i = 0; i < block.n_own; ++i)
        most = std::max<std::int64_t>(most, block.near ? block.near[i] : block.first[i + 1] - block.first[i]);
      row_ = static_cast<int>(most + 2 * N) / N * N;
      const int size = batch * row_;
      for (auto** a : {&x_, &y_, &z_, &r_, &gx_, &gy_, &gz_}) *a = own_.take<Real>(size);
      species_ = own_.take<std::int32_t>(size);
      neighbor_ = own_.take<std::int32_t>(size);
    }
    if constexpr (lookup != Lookup::none) curves_ = &plan.pair->template curves<Real>();
    if constexpr (lookup == Lookup::narrow_registers || lookup == Lookup::wide_registers)
      pair_scale_ = curves_->per_length();
  }

  void run(std::int64_t begin, std::int64_t end, double* virial) {
    constexpr std::int64_t batches_per_sum = 8; // sums over more atoms are kept in double
    double total[6][N] = {};
    for (std::int64_t i = begin; i < end;) {
      Strain strain{}, pair_strain{};
      const std::int64_t last = std::min(end, i + batch * batches_per_sum);
      while (i < last) {
        const std::int64_t stop = std::min(last, i + batch);
        for (std::int64_t a = i; a < stop; ++a) gather(a, static_cast<int>(a - i), pair_strain);
        if (!plan_.others.empty()) many_body(i, static_cast<int>(stop - i), strain);
        i = stop;
      }
      for (int a = 0; a < 6; ++a) {
        Real part[N];
        store(part, strain.w[a] + pair_scale_ * pair_strain.w[a]);
        for (int l = 0; l < N; ++l) total[a][l] += static_cast<double>(part[l]);
      }
    }
    static constexpr int voigt[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
    double w[6] = {};
    for (int a = 0; a < 6; ++a)
      for (int l = 0; l < N; ++l) w[a] += total[a][l];
    for (int a = 0; a < 9; ++a) virial[a] -= w[voigt[a]];
  }

 private:
  static constexpr int N = lanes<Real>;
  static constexpr int batch = 8; // their near neighbours stay in the first cache
  using V = Vec<Real, N>;

  struct Strain {
    V w[6]; // xx yy zz yz xz xy of dE/d(strain)

    TRIMPOT_INLINE void add(V dx, V dy, V dz, V gx, V gy, V gz) {
      w[0] += dx * gx;
      w[1] += dy * gy;
      w[2] += dz * gz;
      w[3] += dy * gz;
      w[4] += dx * gz;
      w[5] += dx * gy;
    }
  };

  struct PairSums {
    V energy{}, x{}, y{}, z{};
  };

  // The pair term of atom i, and its near neighbours into place b of the batch.
  TRIMPOT_INLINE void gather(std::int64_t i, int b, Strain& strain) {
    const Real* own = block_.rows + 4 * i;
    const V x = broadcast<N>(own[0]), y = broadcast<N>(own[1]), z = broadcast<N>(own[2]);
    const int species = static_cast<int>(own[3]);
    const Index* list = block_.neighbors + block_.first[i];
    const auto size = static_cast<int>(block_.first[i + 1] - block_.first[i]);
    const int near = plan_.others.empty() ? 0 : block_.near ? block_.near[i] : size;
    PairSums pair;
    Strain w = strain;
    int count = b * row_;
    int s = 0;
    for (; s < near; s += N) count = neighbors<true>(list, s, size, species, x, y, z, pair, w, count);
    if constexpr (lookup != Lookup::none)
      for (; s < size; s += N) neighbors<false>(list, s, size, species, x, y, z, pair, w, 0);
    strain = w;
    if constexpr (lookup != Lookup::none) {
      const Real two = Real(2) * pair_scale_;
      const auto sum = sums(pair.x, pair.y, pair.z, pair.energy);
      const Real scale[4] = {two, two, two, Real(1)}; // each pair stands in two lists
      const auto own_part = convert<double>(load<4>(scale) * sum);
      double* result = plan_.others.empty() ? block_.results + 4 * i : own_part_[b];
      store(result, plan_.others.empty() ? load<4>(result) + own_part : own_part);
    }
    count_[b] = count - b * row_;
  }

  // One vector of neighbours; near ones are also packed for the other terms.
  template <bool pack_near>
  TRIMPOT_INLINE int neighbors(const Index* list, int s, int size, int species, V x, V y, V z,
                               PairSums& pair, Strain& strain, int count) {
    Index tail[N];
    const Index* index = list + s;
    if (size - s < N) [[unlikely]] {
      std::fill(tail, tail + N, static_cast<Index>(block_.n_all));
      std::copy(index, index + (size - s), tail);
      index = tail;
    }
    const auto row = load_rows<N, Real>([&](int l) { return block_.rows + 4 * static_cast<std::size_t>(index[l]); });
    const V dx = row.x - x, dy = row.y - y, dz = row.z - z;
    const V square = dx * dx + (dy * dy + (dz * dz + broadcast<N>(Real(1e-20)))); // never 0
    V r = square;
    if constexpr (lookup != Lookup::none || pack_near) {
      const V inverse = inverse_sqrt(square);
      r = square * inverse;
      if constexpr (lookup != Lookup::none) {
        const auto v2 = look_up(species, r, row.w);
        V scale = v2.slope * inverse;
        if constexpr (lookup == Lookup::memory) scale = scale * v2.per_length; // else once per atom
        const V gx = scale * dx, gy = scale * dy, gz = scale * dz;
        pair.energy += v2.value;
        pair.x += gx;
        pair.y += gy;
        pair.z += gz;
        strain.add(dx, dy, dz, gx, gy, gz);
      }
    }
    if constexpr (pack_near) {
      const std::uint32_t bits = below(square, broadcast<N>(square_reach_));
      pack(x_ + count, bits, dx);
      pack(y_ + count, bits, dy);
      pack(z_ + count, bits, dz);
      pack(r_ + count, bits, r);
      pack(species_ + count, bits, convert<std::int32_t>(row.w));
      pack(neighbor_ + count, bits, convert<std::int32_t>(load<N>(index)));
      count += __builtin_popcount(bits);
    }
    return count;
  }

  TRIMPOT_INLINE auto look_up(int species, V r, V w) const {
    if constexpr (lookup == Lookup::narrow_registers)
      return curves_->template in_registers<false>(r, w);
    else if constexpr (lookup == Lookup::wide_registers)
      return curves_->template in_registers<true>(r, w);
    else
      return curves_->at(species, r, w);
  }

  // The other terms of the atoms first .. first + n - 1.
  TRIMPOT_INLINE void many_body(std::int64_t first, int n, Strain& strain) {
    const V far = broadcast<N>(Real(1e4));
    int order[batch], start[batch + 2] = {};
    for (int b = 0; b < n; ++b) {
      const int end = b * row_ + count_[b];
      for (Real* a : {x_, y_, z_, r_}) store(a + end, far);
      store(species_ + end, broadcast<N>(std::int32_t{-1}));
      for (int j = b * row_; j < end; j += N)
        for (Real* g : {gx_, gy_, gz_}) store(g + j, V{});
      ++start[std::min(count_[b], batch) + 1];
    }
    for (int c = 1; c < batch + 2; ++c) start[c] += start[c - 1];
    for (int b = 0; b < n; ++b) order[start[std::min(count_[b], batch)]++] = b;
    for (int o = 0; o < n; ++o) {
      const int b = order[o], at = b * row_;
      const std::int64_t i = first + b;
      const Environment<Real> env{static_cast<int>(i), static_cast<int>(block_.rows[4 * i + 3]), count_[b],
                                  x_ + at, y_ + at, z_ + at, r_ + at, species_ + at, neighbor_ + at, &terms_};
      energy_[b] = 0.0;
      for (const Term* term : plan_.others) energy_[b] += term->evaluate(env, {gx_ + at, gy_ + at, gz_ + at});
      for (Real* a : {gx_, gy_, gz_}) store(a + at + count_[b], V{}); // terms may have written there
    }
    for (int b = 0; b < n; ++b) spread(first + b, b, strain);
  }

  // Force on atom i and its neighbours from the gradient; atoms in order, so that a result does
  // not depend on how they fall into batches.
  TRIMPOT_INLINE void spread(std::int64_t i, int b, Strain& strain) {
    const int at = b * row_, count = count_[b];
    V fx{}, fy{}, fz{};
    for (int j = at; j < at + count; j += N) {
      const V gx = load<N>(gx_ + j), gy = load<N>(gy_ + j), gz = load<N>(gz_ + j);
      fx += gx;
      fy += gy;
      fz += gz;
      strain.add(load<N>(x_ + j), load<N>(y_ + j), load<N>(z_ + j), gx, gy, gz);
      alignas(64) Real fours[4 * N];
      store_fours(fours, gx, gy, gz, V{});
      for (int l = 0; l < std::min(N, at + count - j); ++l) {
        double* f = block_.results + 4 * static_cast<std::int64_t>(neighbor_[j + l]);
        store(f, load<4>(f) - convert<double>(load<4>(fours + 4 * place_of_four<N>(l))));
      }
    }
    double* result = block_.results + 4 * i;
    auto own = convert<double>(sums(fx, fy, fz, V{}));
    if constexpr (lookup != Lookup::none) own += load<4>(own_part_[b]);
    store(result, load<4>(result) + own);
    result[3] += energy_[b];
  }

  const Plan& plan_;
  const Block<Real, Index>& block_;
  const PairCurves<Real>* curves_ = nullptr;
  Arena own_, terms_;
  int row_ = 0;          // places for the near neighbours of each atom of the batch
  Real square_reach_;
  Real pair_scale_ = Real(1); // of all slopes of the pair term
  int count_[batch];
  double energy_[batch], own_part_[batch][4];
  Real *x_, *y_, *z_, *r_, *gx_, *gy_, *gz_;
  std::int32_t *species_, *neighbor_;
};

template <class Real, class Index>
void evaluate_block(const std::vector<TermPointer>& terms, const Block<Real, Index>& block,
                    std::int64_t begin, std::int64_t end, double* virial) {
  const Plan plan(terms);
  if (plan.pair == nullptr) return Loop<Real, Index, Lookup::none>(plan, block).run(begin, end, virial);
  const int size = plan.pair->template curves<Real>().register_size();
  if (size == 0) return Loop<Real, Index, Lookup::memory>(plan, block).run(begin, end, virial);
  if constexpr (has_register_tables<Real, lanes<Real>>) {
    if (size <= 32) return Loop<Real, Index, Lookup::narrow_registers>(plan, block).run(begin, end, virial);
    return Loop<Real, Index, Lookup::wide_registers>(plan, block).run(begin, end, virial);
  }
}

template <class Real>
void fill_rows(const TableView& table, Real* rows) {
  const double center[4] = {table.center[0], table.center[1], table.center[2], 0.0};
  const auto c = load<4>(center);
  for (std::int32_t t = 0; t < table.n_all; ++t) {
    const auto x = load<4>(table.atoms + 4 * static_cast<std::int64_t>(table.atom[t]));
    store(rows + 4 * static_cast<std::int64_t>(t), convert<Real>((x + load<4>(table.images + 4 * table.image[t])) - c));
  }
}

inline void rows(const std::vector<TermPointer>& terms, const NeighborhoodView& hood, RowSink sink) {
  double cutoff = 0.0;
  for (const auto& term : terms) cutoff = std::max(cutoff, term->cutoff());
  std::int64_t most = 1;
  for (std::int64_t i = 0; i < hood.n_local; ++i) most = std::max(most, hood.first[i + 1] - hood.first[i]);
  const auto size = static_cast<std::size_t>(most);
  std::vector<double> x(size), y(size), z(size), r(size);
  std::vector<int> species(size), neighbor(size);
  const double* p = hood.positions;
  for (std::int64_t i = 0; i < hood.n_local; ++i) {
    std::size_t count = 0;
    for (std::int64_t s = hood.first[i]; s < hood.first[i + 1]; ++s) {
      const std::int32_t j = hood.neighbors[s];
      x[count] = p[3 * j] - p[3 * i];
      y[count] = p[3 * j + 1] - p[3 * i + 1];
      z[count] = p[3 * j + 2] - p[3 * i + 2];
      r[count] = std::sqrt(x[count] * x[count] + y[count] * y[count] + z[count] * z[count]);
      species[count] = hood.species[j];
      neighbor[count] = j;
      count += r[count] < cutoff ? 1 : 0; // keeps the slot only inside the cutoff
    }
    const Environment<double> env{static_cast<int>(i), hood.species[i], static_cast<int>(count),
                                  x.data(), y.data(), z.data(), r.data(), species.data(), neighbor.data(), nullptr};
    sink.column_offset = 0;
    for (const auto& term : terms) {
      term->rows(env, sink);
      sink.column_offset += term->n_columns();
    }
  }
}

} // namespace trimpot::TRIMPOT_ISA

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
#include "one_body.hpp"
#include "pair_spline.hpp"
#include "rows.hpp"
#include "screened.hpp"
#include "simd.hpp"

namespace trimpot::TRIMPOT_ISA {

// The terms of a potential as a loop treats them.
struct Plan {
  const PairSpline* pair = nullptr; // the first one
  std::vector<const OneBody*> alone;
  std::vector<const Term*> pairwise, many_body; // the rest
  double pairwise_reach = 0.0, reach = 0.0;     // of the former, of both

  explicit Plan(const std::vector<TermPointer>& terms) {
    for (const auto& term : terms) {
      if (const auto* one = dynamic_cast<const Screened*>(term.get())) {
        add(*one);
        continue;
      }
      if (const auto* one = dynamic_cast<const OneBody*>(term.get())) {
        alone.push_back(one);
        continue;
      }
      const auto* spline = dynamic_cast<const PairSpline*>(term.get());
      if (spline != nullptr && pair == nullptr) {
        pair = spline;
        continue;
      }
      if (term->pairwise()) {
        pairwise.push_back(term.get());
        pairwise_reach = std::max(pairwise_reach, term->cutoff());
      } else {
        many_body.push_back(term.get());
      }
      reach = std::max(reach, term->cutoff());
    }
    for (const auto& sum : screened) many_body.push_back(sum.get());
  }

  // Whether any term needs neighbours as an Environment.
  bool near() const { return !pairwise.empty() || !many_body.empty(); }

 private:
  std::vector<std::unique_ptr<const Screened>> screened; // one per screening

  // Weights are worked out once for all terms that share a screening.
  void add(const Screened& term) {
    reach = std::max(reach, term.cutoff());
    for (auto& sum : screened) {
      if (!sum->shares_with(term)) continue;
      sum = std::make_unique<const Screened>(*sum, term);
      return;
    }
    screened.push_back(std::make_unique<const Screened>(term));
  }
};

// How the pair term is looked up.
enum class Lookup { none, memory, narrow_registers, wide_registers };

// Atoms are taken in batches: first all their neighbours are gathered, then the other terms
// are evaluated, atoms with equally many neighbours one after the other (loops of one length
// are predicted well), then their gradients are spread. Forces alone, or everything.
template <class Real, class Index, Lookup lookup, bool everything>
class Loop {
 public:
  Loop(const Plan& plan, const Block<Real, Index>& block) : plan_(plan), block_(block), near_(plan.near()) {
    square_reach_ = static_cast<Real>(plan.reach * plan.reach);
    if (near_) {
      std::int64_t most = 0; // near neighbours of an atom
      for (std::int64_t i = 0; i < block.n_own; ++i)
        most = std::max<std::int64_t>(most, block.near ? block.near[i] : block.first[i + 1] - block.first[i]);
      row_ = static_cast<int>(most + 2 * N) / N * N;
      const int size = batch * row_;
      for (auto** a : {&x_, &y_, &z_, &r_, &gx_, &gy_, &gz_}) *a = own_.take<Real>(size);
      species_ = own_.take<std::int32_t>(size);
      neighbor_ = own_.take<std::int32_t>(size);
      std::fill(species_, species_ + size, std::max(block.species, 0));
    }
    if constexpr (lookup != Lookup::none) curves_ = &plan.pair->template curves<Real>();
    if constexpr (lookup == Lookup::narrow_registers || lookup == Lookup::wide_registers)
      pair_scale_ = curves_->per_length();
    const Real two = Real(2) * pair_scale_; // each pair stands in two lists
    for (int a = 0; a < 4; ++a) scale_[a] = a < 3 ? two : Real(1);
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
        if (near_) near_terms(i, static_cast<int>(stop - i), strain);
        i = stop;
      }
      if constexpr (everything)
        for (int a = 0; a < 6; ++a) {
          Real part[N];
          store(part, strain.w[a] + pair_scale_ * pair_strain.w[a]);
          for (int l = 0; l < N; ++l) total[a][l] += static_cast<double>(part[l]);
        }
    }
    if constexpr (everything) {
      static constexpr int voigt[9] = {0, 5, 4, 5, 1, 3, 4, 3, 2};
      double w[6] = {};
      for (int a = 0; a < 6; ++a)
        for (int l = 0; l < N; ++l) w[a] += total[a][l];
      for (int a = 0; a < 9; ++a) virial[a] -= w[voigt[a]];
    }
  }

 private:
  static constexpr int N = lanes<Real>;
  static constexpr int batch = most_tasks; // their near neighbours stay in the first cache
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
    std::uint32_t early = 0; // neighbours that the registers do not know
  };

  // The pair term of atom i, and its near neighbours into place b of the batch.
  TRIMPOT_INLINE void gather(std::int64_t i, int b, Strain& strain) {
    if constexpr (lookup == Lookup::narrow_registers || lookup == Lookup::wide_registers) {
      if (!gather_by<lookup>(i, b, strain)) [[unlikely]]
        gather_by_memory(i, b, strain);
    } else {
      gather_by<lookup>(i, b, strain);
    }
  }

  [[gnu::noinline]] void gather_by_memory(std::int64_t i, int b, Strain& strain) {
    gather_by<Lookup::memory>(i, b, strain);
  }

  template <Lookup how>
  TRIMPOT_INLINE bool gather_by(std::int64_t i, int b, Strain& strain) {
    const Real* own = block_.rows + 4 * i;
    const auto species = static_cast<int>(own[3]);
    const Index* list = block_.neighbors + block_.first[i];
    const int size = block_.counts ? block_.counts[i] : static_cast<int>(block_.first[i + 1] - block_.first[i]);
    const int near = !near_ ? 0 : block_.near ? block_.near[i] : size;
    PairSums pair;
    Strain local; // stays in registers
    if constexpr (everything) local = strain;
    int count = b * row_;
    int s = 0;
    for (; s < near; s += N) count = neighbors<how, true>(list, s, size, own, pair, local, count);
    if constexpr (how != Lookup::none)
      for (; s < size; s += N) neighbors<how, false>(list, s, size, own, pair, local, 0);
    if (pair.early != 0) [[unlikely]]
      return false;
    if constexpr (everything) strain = local;
    if (near_) count_[b] = count - b * row_;
    double* result = near_ ? own_part_[b] : block_.results + 4 * i;
    if constexpr (how != Lookup::none) {
      store(result, convert<double>(load<4>(scale_) * sums(pair.x, pair.y, pair.z, pair.energy)));
    } else {
      store(result, Vec<double, 4>{});
    }
    if constexpr (everything)
      for (const OneBody* term : plan_.alone) result[3] += term->energy(species);
    return true;
  }

  // A vector of neighbours; near ones are also packed for the other terms.
  template <Lookup how, bool pack_near>
  TRIMPOT_INLINE int neighbors(const Index* list, int s, int size, const Real* own, PairSums& pair, Strain& strain, int count) {
    Index tail[N];
    const Index* index = list + s;
    if (sizeof(Index) > 2 && size - s < N) [[unlikely]] { // rows of 16-bit indices are padded
      std::fill(tail, tail + N, static_cast<Index>(block_.n_all));
      std::copy(index, index + (size - s), tail);
      index = tail;
    }
    const auto row = load_rows<N, Real>([&](int l) { return block_.rows + 4 * static_cast<std::size_t>(index[l]); });
    const V dx = row.x - broadcast<N>(own[0]), dy = row.y - broadcast<N>(own[1]), dz = row.z - broadcast<N>(own[2]);
    const V square = dx * dx + (dy * dy + (dz * dz + broadcast<N>(Real(1e-20)))); // never 0
    const auto root = roots(square);
    if constexpr (how != Lookup::none) {
      const auto v2 = look_up<how>(static_cast<int>(own[3]), root, row.w, pair.early);
      V scale = v2.slope * root.inverse;
      if constexpr (how != lookup || how == Lookup::memory) scale = scale * v2.per_length; // else once per atom
      if constexpr (how != lookup) scale = reciprocal(broadcast<N>(pair_scale_)) * scale;
      pair.x += scale * dx;
      pair.y += scale * dy;
      pair.z += scale * dz;
      if constexpr (everything) {
        pair.energy += v2.value;
        // Products shared with the lines above would round forces otherwise than without strain.
        const V x = unshared(dx), y = unshared(dy), z = unshared(dz);
        strain.add(x, y, z, scale * x, scale * y, scale * z);
      }
    }
    if constexpr (pack_near) {
      const std::uint32_t bits = below(square, broadcast<N>(square_reach_));
      pack(x_ + count, bits, dx);
      pack(y_ + count, bits, dy);
      pack(z_ + count, bits, dz);
      pack(r_ + count, bits, root.root);
      if (block_.species < 0) pack(species_ + count, bits, convert<std::int32_t>(row.w));
      pack(neighbor_ + count, bits, convert<std::int32_t>(load<N>(index)));
      count += __builtin_popcount(bits);
    }
    return count;
  }

  template <Lookup how>
  TRIMPOT_INLINE auto look_up(int species, const Roots<Real, N>& r, V w, std::uint32_t& early) const {
    if constexpr (how == Lookup::narrow_registers)
      return curves_->template in_registers<false>(r, early);
    else if constexpr (how == Lookup::wide_registers)
      return curves_->template in_registers<true>(r, early);
    else
      return curves_->at(species, r.root, w);
  }

  // The other terms of the atoms first .. first + n - 1.
  TRIMPOT_INLINE void near_terms(std::int64_t first, int n, Strain& strain) {
    const V far = broadcast<N>(Real(1e4));
    for (int b = 0; b < n; ++b) {
      const int end = b * row_ + count_[b];
      for (Real* a : {x_, y_, z_, r_}) store(a + end, far);
      if (block_.species < 0) store(species_ + end, Vec<std::int32_t, N>{});
      for (Real* g : {gx_, gy_, gz_}) clear(g + b * row_, padded(count_[b]));
    }
    if (!plan_.pairwise.empty())
      for (int b = 0; b < n; ++b) pairwise(first + b, b, strain);
    if (!plan_.many_body.empty()) {
      int order[batch]; // by count
      for (int b = 0; b < n; ++b) {
        int o = b;
        for (; o > 0 && count_[order[o - 1]] > count_[b]; --o) order[o] = order[o - 1];
        order[o] = b;
      }
      Task<Real> tasks[batch];
      for (int o = 0; o < n; ++o) tasks[o] = task(first + order[o], order[o]);
      for (const Term* term : plan_.many_body) term->evaluate(tasks, n);
      for (int o = 0; o < n; ++o) {
        energy_[order[o]][3] = tasks[o].energy;
        close(order[o]);
        count_[order[o]] = std::min(count_[order[o]], tasks[o].touched); // others do not feel the terms
      }
    }
    for (int b = 0; b < n; ++b) {
      if (!plan_.many_body.empty()) spread(b, strain);
      double* result = block_.results + 4 * (first + b);
      store(result, load<4>(result) + load<4>(own_part_[b]));
    }
  }

  static int padded(int n) { return (n + N - 1) / N * N; }

  TRIMPOT_INLINE Task<Real> task(std::int64_t i, int b) {
    const int at = b * row_;
    return {{static_cast<int>(i), static_cast<int>(block_.rows[4 * i + 3]), count_[b], x_ + at, y_ + at, z_ + at,
             r_ + at, species_ + at, neighbor_ + at, &terms_},
            {gx_ + at, gy_ + at, gz_ + at}};
  }

  // Terms may have written behind the gradients.
  TRIMPOT_INLINE void close(int b) {
    for (Real* a : {gx_, gy_, gz_}) store(a + b * row_ + count_[b], V{});
  }

  // Terms of which an atom's own neighbours say all; mostly none of them is close enough.
  TRIMPOT_INLINE void pairwise(std::int64_t i, int b, Strain& strain) {
    const int at = b * row_, end = at + count_[b];
    std::uint32_t any = 0;
    for (int j = at; j < end; j += N) any |= below(load<N>(r_ + j), broadcast<N>(static_cast<Real>(plan_.pairwise_reach)));
    if (any == 0) return;
    Task<Real> alone = task(i, b);
    for (const Term* term : plan_.pairwise) term->evaluate(&alone, 1);
    close(b);
    auto own = load<4>(own_part_[b]) + 2.0 * convert<double>(gradient_sum(b, strain));
    store(own_part_[b], own);
    own_part_[b][3] += alone.energy;
    for (Real* g : {gx_, gy_, gz_}) clear(g + at, padded(count_[b]));
  }

  // Sum of the gradients of a place, added to the strain.
  TRIMPOT_INLINE Vec<Real, 4> gradient_sum(int b, Strain& strain) const {
    const int at = b * row_;
    V fx{}, fy{}, fz{};
    for (int j = at; j < at + count_[b]; j += N) {
      const V gx = load<N>(gx_ + j), gy = load<N>(gy_ + j), gz = load<N>(gz_ + j);
      fx += gx;
      fy += gy;
      fz += gz;
      if constexpr (everything) strain.add(load<N>(x_ + j), load<N>(y_ + j), load<N>(z_ + j), gx, gy, gz);
    }
    return sums(fx, fy, fz, V{});
  }

  // Forces from the gradients of a place; atoms in order, so that a result does not depend on how
  // they fall into batches.
  TRIMPOT_INLINE void spread(int b, Strain& strain) {
    const int at = b * row_, count = count_[b];
    store(own_part_[b], load<4>(own_part_[b]) + convert<double>(gradient_sum(b, strain)) + load<4>(energy_[b]));
    for (int j = at; j < at + count; j += N) {
      alignas(64) Real fours[4 * N];
      store_fours(fours, load<N>(gx_ + j), load<N>(gy_ + j), load<N>(gz_ + j), V{});
      for (int l = 0; l < std::min(N, at + count - j); ++l) {
        double* f = block_.results + 4 * static_cast<std::int64_t>(neighbor_[j + l]);
        store(f, load<4>(f) - convert<double>(load<4>(fours + 4 * place_of_four<N>(l))));
      }
    }
  }

  const Plan& plan_;
  const Block<Real, Index>& block_;
  const PairCurves<Real>* curves_ = nullptr;
  Arena own_, terms_;
  bool near_;
  int row_ = 0;          // places for the near neighbours of each atom of the batch
  Real square_reach_;
  Real pair_scale_ = Real(1); // of all slopes of the pair term
  Real scale_[4];             // of force and energy
  int count_[batch];
  double energy_[batch][4] = {}, own_part_[batch][4]; // force and energy
  Real *x_, *y_, *z_, *r_, *gx_, *gy_, *gz_;
  std::int32_t *species_, *neighbor_;
};

template <bool everything, class Real, class Index>
void evaluate_block(const Plan& plan, const Block<Real, Index>& block, std::int64_t begin, std::int64_t end, double* virial) {
  if (plan.pair == nullptr) return Loop<Real, Index, Lookup::none, everything>(plan, block).run(begin, end, virial);
  if constexpr (register_table_size<Real> > 0) {
    const int size = plan.pair->template curves<Real>().register_size();
    if (size > register_table_size<Real>)
      return Loop<Real, Index, Lookup::wide_registers, everything>(plan, block).run(begin, end, virial);
    if (size > 0)
      return Loop<Real, Index, Lookup::narrow_registers, everything>(plan, block).run(begin, end, virial);
  }
  Loop<Real, Index, Lookup::memory, everything>(plan, block).run(begin, end, virial);
}

// Without a virial: forces only.
template <class Real, class Index>
void evaluate_block(const std::vector<TermPointer>& terms, const Block<Real, Index>& block,
                    std::int64_t begin, std::int64_t end, double* virial) {
  const Plan plan(terms);
  if (virial == nullptr)
    evaluate_block<false>(plan, block, begin, end, virial);
  else
    evaluate_block<true>(plan, block, begin, end, virial);
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

// Calls visit(environment) for local atoms begin .. end - 1, with their neighbours within the cutoff.
template <class Visit>
void for_each_environment(const NeighborhoodView& hood, double cutoff, std::int64_t begin, std::int64_t end,
                          Visit&& visit) {
  constexpr int N = lanes<double>;
  std::int64_t most = 1;
  for (std::int64_t i = begin; i < end; ++i) most = std::max(most, hood.first[i + 1] - hood.first[i]);
  const auto size = static_cast<std::size_t>(most + N);
  Arena arena;
  std::vector<double> x(size), y(size), z(size), r(size);
  std::vector<int> species(size), neighbor(size);
  const double* p = hood.positions;
  for (std::int64_t i = begin; i < end; ++i) {
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
    for (std::size_t l = count; l < count + N; ++l) {
      x[l] = y[l] = z[l] = r[l] = 1e4;
      species[l] = 0;
    }
    visit(Environment<double>{static_cast<int>(i), hood.species[i], static_cast<int>(count), x.data(), y.data(),
                              z.data(), r.data(), species.data(), neighbor.data(), &arena});
  }
}

inline double largest_cutoff(const std::vector<TermPointer>& terms) {
  double cutoff = 0.0;
  for (const auto& term : terms) cutoff = std::max(cutoff, term->cutoff());
  return cutoff;
}

// Adds the rows of one atom, term by term.
inline void add_rows(const std::vector<TermPointer>& terms, const Environment<double>& env, RowSink sink) {
  sink.column_offset = 0;
  for (const auto& term : terms) {
    term->rows(env, sink);
    sink.column_offset += term->n_columns();
  }
}

inline void rows(const std::vector<TermPointer>& terms, const NeighborhoodView& hood, RowSink sink) {
  for_each_environment(hood, largest_cutoff(terms), 0, hood.n_local,
                       [&](const Environment<double>& env) { add_rows(terms, env, sink); });
}

inline void atom_rows(const std::vector<TermPointer>& terms, const NeighborhoodView& hood, std::int64_t begin,
                      std::int64_t end, double* rows) {
  RowSink sink;
  for (const auto& term : terms) sink.n_columns += term->n_columns();
  for_each_environment(hood, largest_cutoff(terms), begin, end, [&](const Environment<double>& env) {
    sink.energy = rows + (env.center - begin) * sink.n_columns;
    add_rows(terms, env, sink);
  });
}

inline void add_to_range(const Term& term, const NeighborhoodView& hood, double* largest) {
  for_each_environment(hood, term.cutoff(), 0, hood.n_local,
                       [&](const Environment<double>& env) { term.add_to_range(env, largest); });
}

} // namespace trimpot::TRIMPOT_ISA

#include "evaluate.hpp"

#include <algorithm>
#include <stdexcept>

#include "denormals.hpp"
#include "memory.hpp"
#include "threads.hpp"

namespace trimpot {

AlignedVector<double> rows_of(const NeighborhoodView& hood) {
  AlignedVector<double> rows(4 * (static_cast<std::size_t>(hood.n_all) + 1));
  for (std::int64_t a = 0; a < hood.n_all; ++a) {
    std::copy_n(hood.positions + 3 * a, 3, rows.data() + 4 * a);
    rows[static_cast<std::size_t>(4 * a + 3)] = hood.species[a];
  }
  write_far_row(rows.data() + 4 * hood.n_all);
  return rows;
}

void require_coefficients(const std::vector<TermPointer>& terms) {
  for (const auto& term : terms)
    if (!term->has_coefficients())
      throw std::invalid_argument("a term without coefficients cannot be evaluated");
}

void evaluate(const std::vector<TermPointer>& terms, const NeighborhoodView& hood,
              double* energies, double* forces, double* virial, int threads) {
  require_coefficients(terms);
  constexpr std::int64_t atoms_per_thread = 200; // below that a thread costs more than it saves
  const int n = thread_count(threads, hood.n_local / atoms_per_thread);
  const AlignedVector<double> rows = rows_of(hood);
  const std::size_t size = 4 * static_cast<std::size_t>(hood.n_all);
  std::vector<std::vector<double>> results(static_cast<std::size_t>(n));
  std::vector<double> virials(9 * static_cast<std::size_t>(n), 0.0);
  on_threads(n, [&](int t) {
    const FlushDenormals flush;
    auto& mine = results[static_cast<std::size_t>(t)];
    mine.assign(size, 0.0);
    const Block<double, std::int32_t> block{hood.n_local, hood.n_all, rows.data(), hood.first,
                                            hood.neighbors, nullptr, nullptr, mine.data()};
    kernels().evaluate_list(terms, block, hood.n_local * t / n, hood.n_local * (t + 1) / n,
                            virials.data() + 9 * t);
  });
  for (int t = 1; t < n; ++t)
    for (std::size_t i = 0; i < size; ++i) results[0][i] += results[static_cast<std::size_t>(t)][i];
  const double* sum = results[0].data();
  for (std::int64_t a = 0; a < hood.n_all; ++a) std::copy_n(sum + 4 * a, 3, forces + 3 * a);
  for (std::int64_t i = 0; i < hood.n_local; ++i) energies[i] = sum[4 * i + 3];
  std::fill(virial, virial + 9, 0.0);
  for (int t = 0; t < n; ++t)
    for (int a = 0; a < 9; ++a) virial[a] += virials[static_cast<std::size_t>(9 * t + a)];
}

void atom_rows(const std::vector<TermPointer>& terms, const NeighborhoodView& hood, std::int64_t begin,
               std::int64_t end, double* rows, int threads) {
  constexpr std::int64_t atoms_at_once = 32;
  std::int64_t n = 0;
  for (const auto& term : terms) n += term->n_columns();
  std::fill(rows, rows + (end - begin) * n, 0.0);
  const int most = thread_count(threads, (end - begin) / atoms_at_once);
  for_blocks(end - begin, atoms_at_once, most, [&](std::int64_t first, std::int64_t last, int) {
    kernels().atom_rows(terms, hood, begin + first, begin + last, rows + first * n);
  });
}

} // namespace trimpot

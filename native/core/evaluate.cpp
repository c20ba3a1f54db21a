#include "evaluate.hpp"

#include <algorithm>
#include <stdexcept>

#include "threads.hpp"

namespace trimpot {

void evaluate(const std::vector<TermPointer>& terms, const NeighborhoodView& hood,
              double* energies, double* forces, double* virial, int threads) {
  for (const auto& term : terms)
    if (!term->has_coefficients())
      throw std::invalid_argument("a term without coefficients cannot be evaluated");
  constexpr std::int64_t atoms_per_thread = 200; // below that a thread costs more than it saves
  const int n = thread_count(threads, hood.n_local / atoms_per_thread);
  const std::size_t n_forces = 3 * static_cast<std::size_t>(hood.n_all);
  std::fill(forces, forces + n_forces, 0.0);
  std::fill(virial, virial + 9, 0.0);
  std::vector<std::vector<double>> partial(static_cast<std::size_t>(n - 1));
  std::vector<double> virials(9 * static_cast<std::size_t>(n), 0.0);
  on_threads(n, [&](int t) {
    double* target = forces;
    if (t > 0) {
      auto& mine = partial[static_cast<std::size_t>(t - 1)];
      mine.assign(n_forces, 0.0);
      target = mine.data();
    }
    kernels().evaluate(terms, hood, hood.n_local * t / n, hood.n_local * (t + 1) / n, energies,
                       target, virials.data() + 9 * t);
  });
  for (const auto& part : partial)
    for (std::size_t i = 0; i < n_forces; ++i) forces[i] += part[i];
  for (int t = 0; t < n; ++t)
    for (int a = 0; a < 9; ++a) virial[a] += virials[static_cast<std::size_t>(9 * t + a)];
}

} // namespace trimpot

#include "atom_virials.hpp"

#include <algorithm>

#include "denormals.hpp"
#include "evaluate.hpp"
#include "memory.hpp"
#include "threads.hpp"

namespace trimpot {

namespace {

// What one thread has found.
class Share {
 public:
  explicit Share(const NeighborhoodView& hood)
      : hood_(hood), of_one_(4 * static_cast<std::size_t>(hood.n_all), 0.0),
        forces_(3 * static_cast<std::size_t>(hood.n_all), 0.0), virials_(9 * static_cast<std::size_t>(hood.n_all), 0.0) {}

  double* of_one() { return of_one_.data(); }

  // Takes forces of the energy of atom i, whose virial is given, and forgets them. Kernels of pairs say
  // nothing of atom j, because it is told the same by its own energy: what is missing in the virial
  // of receivers is theirs, and of either choice the same.
  void take(std::int64_t i, VirialOf choice, const double* virial, double* energies) {
    energies[i] = of_one_[static_cast<std::size_t>(4 * i + 3)];
    add(virial, 9, virials_.data() + 9 * i);
    for (std::int64_t k = hood_.first[i]; k < hood_.first[i + 1]; ++k) {
      const std::int64_t j = hood_.neighbors[k];
      if (choice == VirialOf::receiver) hand_over(i, j);
      move(j);
    }
    move(i);
  }

  void add_to(const AtomResults& results) const {
    add(forces_.data(), 3 * hood_.n_all, results.forces);
    add(virials_.data(), 9 * hood_.n_all, results.virials);
  }

 private:
  const NeighborhoodView& hood_;
  std::vector<double> of_one_, forces_, virials_;

  static void add(const double* from, std::int64_t n, double* to) {
    for (std::int64_t k = 0; k < n; ++k) to[k] += from[k];
  }

  // Moves r_ij (x) f_j from atom i to atom j.
  void hand_over(std::int64_t i, std::int64_t j) {
    const double* f = of_one_.data() + 4 * j;
    for (int a = 0; a < 3; ++a) {
      const double r = hood_.positions[3 * j + a] - hood_.positions[3 * i + a];
      for (int b = 0; b < 3; ++b) {
        virials_[static_cast<std::size_t>(9 * j + 3 * a + b)] += r * f[b];
        virials_[static_cast<std::size_t>(9 * i + 3 * a + b)] -= r * f[b];
      }
    }
  }

  void move(std::int64_t a) {
    double* f = of_one_.data() + 4 * a;
    add(f, 3, forces_.data() + 3 * a);
    std::fill(f, f + 4, 0.0);
  }
};

} // namespace

void evaluate_atom_virials(const std::vector<TermPointer>& terms, const NeighborhoodView& hood, VirialOf choice,
                           const AtomResults& results, int threads) {
  require_coefficients(terms);
  constexpr std::int64_t atoms_per_thread = 200; // below that a thread costs more than it saves
  const int n = thread_count(threads, hood.n_local / atoms_per_thread);
  const AlignedVector<double> rows = rows_of(hood);
  std::vector<Share> shares(static_cast<std::size_t>(n), Share(hood));
  on_threads(n, [&](int t) {
    const FlushDenormals flush;
    Share& mine = shares[static_cast<std::size_t>(t)];
    const Block<double, std::int32_t> block{hood.n_local, hood.n_all, rows.data(), hood.first,
                                            hood.neighbors, nullptr, nullptr, mine.of_one()};
    for (std::int64_t i = hood.n_local * t / n; i < hood.n_local * (t + 1) / n; ++i) {
      double virial[9] = {};
      kernels().evaluate_list(terms, block, i, i + 1, virial);
      mine.take(i, choice, virial, results.energies);
    }
  });
  std::fill(results.forces, results.forces + 3 * hood.n_all, 0.0);
  std::fill(results.virials, results.virials + 9 * hood.n_all, 0.0);
  for (const Share& share : shares) share.add_to(results);
}

} // namespace trimpot

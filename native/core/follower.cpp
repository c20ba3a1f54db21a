#include "follower.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "denormals.hpp"
#include "evaluate.hpp"
#include "neighbors.hpp"
#include "threads.hpp"

namespace trimpot {

namespace {

// Where threads wait for one another. They never wait longer than one patch takes, so they do not
// sleep: to be woken takes longer.
class Gate {
 public:
  explicit Gate(int threads) : threads_(threads) {}

  void arrive_and_wait() {
    const int round = round_.load();
    if (++arrived_ == threads_) {
      arrived_ = 0;
      ++round_;
      return;
    }
    for (int spins = 0; round_.load() == round; ++spins)
      if (spins > 1000) std::this_thread::yield();
  }

 private:
  int threads_;
  std::atomic<int> arrived_ = 0, round_ = 0;
};

// Work in several phases, each over items that threads take one by one; no thread begins a
// phase before all have ended the last.
class Phases {
 public:
  explicit Phases(int threads) : gate_(threads) {}

  template <class Work>
  void each(std::size_t phase, std::int64_t count, Work&& work) {
    try {
      for (std::int64_t i = next_[phase]++; i < count; i = next_[phase]++) work(i);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    gate_.arrive_and_wait();
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::atomic<std::int64_t> next_[5] = {};
  Gate gate_;
  std::mutex mutex_;
  std::exception_ptr error_;
};

constexpr std::int64_t ghosts_at_once = 1000;

} // namespace

Follower::Follower(std::vector<TermPointer> terms, double cutoff, double skin, bool mixed, int threads)
    : terms_(std::move(terms)), cutoff_(cutoff), skin_(skin), mixed_(mixed), threads_(threads) {
  require_coefficients(terms_);
  const NearTerms near = kernels().near_terms(terms_);
  many_body_ = near.on_others;
  near_ = near.reach;
}

void Follower::build(std::int64_t n, const double* positions, const std::int32_t* species,
                     const double* cell9, const bool* pbc) {
  patches_ = build_patches(n, positions, cell9, pbc, cutoff_ + skin_, reaches(), threads_, patch_size(n),
                           std::move(patches_));
  prepare(n, n, positions, species);
}

void Follower::build(std::int64_t n_local, std::int64_t n_all, const double* positions, const std::int32_t* species) {
  patches_ = build_patches(n_local, n_all, positions, cutoff_ + skin_, reaches(), threads_, patch_size(n_local),
                           std::move(patches_));
  prepare(n_local, n_all, positions, species);
}

// Of pairs, then of near neighbours, by age.
std::vector<double> Follower::reaches() const {
  std::vector<double> all;
  for (const double reach : {cutoff_, near_})
    for (int age = 0; age < ages && reach > 0.0; ++age) all.push_back(reach + searched(age));
  return all;
}

std::int64_t Follower::patch_size(std::int64_t n) const {
  return std::clamp(n / enough_patches, fewest_atoms_per_patch, atoms_per_patch);
}

// All but the lists.
void Follower::prepare(std::int64_t n_local, std::int64_t n, const double* positions, const std::int32_t* species) {
  n_local_ = n_local;
  n_ = n;
  build_positions_.assign(positions, positions + 3 * n);
  atoms_.resize(static_cast<std::size_t>(4 * n));
  for (std::int64_t a = 0; a < n; ++a)
    atoms_[static_cast<std::size_t>(4 * a + 3)] = species[a < n_local ? patches_.order[static_cast<std::size_t>(a)] : a];
  species_ = n > 0 && std::all_of(species, species + n, [&](std::int32_t s) { return s == species[0]; }) ? species[0] : -1;
  images_.assign(patches_.images.size() / 3 * 4, 0.0);
  const std::size_t count = patches_.patches.size();
  own_.assign(count + 1, 0);
  results_of_.assign(count + 1, 0);
  for (std::size_t p = 0; p < count; ++p) {
    const Patch& patch = patches_.patches[p];
    own_[p + 1] = own_[p] + patch.n_own;
    // Without many-body terms a patch has nothing to say of the atoms around it.
    results_of_[p + 1] = results_of_[p] + (many_body_ ? patch.n_all : patch.n_own);
  }
  results_.resize(static_cast<std::size_t>(4 * results_of_[count]));
  virials_.resize(9 * count);
  if (!many_body_) return;
  halo_.first.assign(static_cast<std::size_t>(n) + 1, 0);
  auto for_halo = [&](auto&& visit) {
    for (std::size_t p = 0; p < count; ++p) {
      const Patch& patch = patches_.patches[p];
      for (std::int32_t t = patch.n_own; t < patch.n_all; ++t)
        visit(static_cast<std::size_t>(patch.atoms[static_cast<std::size_t>(t)]), results_of_[p] + t);
    }
  };
  for_halo([&](std::size_t atom, std::int64_t) { ++halo_.first[atom + 1]; });
  for (std::size_t a = 0; a < static_cast<std::size_t>(n); ++a) halo_.first[a + 1] += halo_.first[a];
  halo_.rows.resize(static_cast<std::size_t>(halo_.first.back()));
  std::vector<std::int64_t> next(halo_.first.begin(), halo_.first.end() - 1);
  for_halo([&](std::size_t atom, std::int64_t row) { halo_.rows[static_cast<std::size_t>(next[atom]++)] = row; });
}

int Follower::age(const double* positions, const double* f, double smallest) const {
  const double roundoff = 1e-9 * (cutoff_ + skin_);
  auto age_after = [&](double moved) {
    auto holds = [&](double reach, double margin) { return smallest * (reach + margin) - 2.0 * moved > reach + roundoff; };
    for (int age = 0; age < ages; ++age)
      if (holds(cutoff_, searched(age)) && (near_ == 0.0 || holds(near_, searched(age)))) return age;
    return moved == 0.0 && smallest == 1.0 ? ages - 1 : -1;
  };
  // A cheap bound first: without the mean displacement taken off.
  double largest = 0.0;
  const bool rigid = f[0] == 1.0 && f[4] == 1.0 && f[8] == 1.0 && f[1] == 0.0 && f[2] == 0.0 &&
                     f[3] == 0.0 && f[5] == 0.0 && f[6] == 0.0 && f[7] == 0.0;
  if (rigid) {
    const double* y = build_positions_.data();
    double sum = 0.0; // NaN if any is
    for (std::int64_t i = 0; i < 3 * n_; i += 3) {
      const double a = positions[i] - y[i], b = positions[i + 1] - y[i + 1], c = positions[i + 2] - y[i + 2];
      const double square = a * a + b * b + c * c;
      largest = square > largest ? square : largest;
      sum += square;
    }
    if (!std::isfinite(sum)) return -1;
    const int found = age_after(std::sqrt(largest));
    if (found >= 0) return found;
  }
  return age_after(largest_displacement(n_, positions, build_positions_.data(), f));
}

// How far beyond its cutoff a pair may have been at the build, at most.
double Follower::searched(int age) const { return skin_ * (age + 1) / ages; }

// Writes the own atoms of a patch as they lie in the cell.
void Follower::place_atoms(std::size_t p, const double* positions, const double* cell) {
  for (std::int64_t a = own_[p]; a < own_[p + 1]; ++a) {
    const double* x = positions + 3 * static_cast<std::int64_t>(patches_.order[static_cast<std::size_t>(a)]);
    const std::int32_t* w = patches_.wraps.data() + 3 * a;
    double* row = atoms_.data() + 4 * a;
    if (w[0] == 0 && w[1] == 0 && w[2] == 0) {
      for (int k = 0; k < 3; ++k) row[k] = x[k];
    } else {
      for (int k = 0; k < 3; ++k) row[k] = x[k] + (w[0] * cell[k] + w[1] * cell[3 + k] + w[2] * cell[6 + k]);
    }
  }
}

void Follower::place_ghosts(std::int64_t block, const double* positions) {
  const std::int64_t begin = n_local_ + block * ghosts_at_once;
  for (std::int64_t a = begin; a < std::min(begin + ghosts_at_once, n_); ++a)
    std::copy_n(positions + 3 * a, 3, atoms_.data() + 4 * a);
}

template <class Real>
void Follower::evaluate_patch(std::size_t p, int age, AlignedVector<Real>& rows, bool everything) {
  const Patch& patch = patches_.patches[p];
  rows.resize(4 * (static_cast<std::size_t>(patch.n_all) + 1));
  const TableView table{patch.n_all, patch.atoms.data(), patch.images.data(), atoms_.data(),
                        images_.data(), patch.center};
  double* const results = results_.data() + 4 * results_of_[p];
  if (near_ > 0.0) std::fill(results, results_.data() + 4 * results_of_[p + 1], 0.0);
  double* const virial = everything ? virials_.data() + 9 * p : nullptr;
  if (everything) std::fill(virial, virial + 9, 0.0);
  auto within = [&](int first) {
    const auto q = static_cast<std::size_t>(first + age);
    return q < patch.within.size() ? patch.within[q].data() : nullptr;
  };
  const Block<Real, std::uint16_t> block{patch.n_own, patch.n_all, rows.data(), patch.first.data(),
                                         patch.neighbors.data(), within(0), within(ages), results, species_};
  if constexpr (std::is_same_v<Real, float>) {
    kernels().fill_mixed(table, rows.data());
    write_far_row(rows.data() + 4 * patch.n_all);
    kernels().evaluate_mixed(terms_, block, virial);
  } else {
    kernels().fill_double(table, rows.data());
    write_far_row(rows.data() + 4 * patch.n_all);
    kernels().evaluate_double(terms_, block, virial);
  }
}

// Adds up what all patches say of the own atoms of one, in the order of the patches. Returns a
// number that is 0 if all of these are finite.
double Follower::collect(std::size_t p, double* energies, double* forces, bool add) const {
  const double* own = results_.data() + 4 * results_of_[p];
  double check = 0.0;
  for (std::int64_t a = own_[p]; a < own_[p + 1]; ++a, own += 4) {
    double f[3] = {own[0], own[1], own[2]};
    if (many_body_) {
      for (std::int64_t h = halo_.first[static_cast<std::size_t>(a)]; h < halo_.first[static_cast<std::size_t>(a) + 1]; ++h) {
        const double* row = results_.data() + 4 * halo_.rows[static_cast<std::size_t>(h)];
        for (int k = 0; k < 3; ++k) f[k] += row[k];
      }
    }
    const std::int64_t i = patches_.order[static_cast<std::size_t>(a)];
    for (int k = 0; k < 3; ++k) forces[3 * i + k] = add ? forces[3 * i + k] + f[k] : f[k];
    check += (f[0] + f[1]) * 0.0 + f[2] * 0.0;
    if (energies == nullptr) continue;
    energies[i] = own[3];
    check += own[3] * 0.0;
  }
  return check;
}

// The same of ghosts, a block of them.
double Follower::collect_ghosts(std::int64_t block, double* forces, bool add) const {
  if (add && !many_body_) return 0.0;
  double check = 0.0;
  const std::int64_t begin = n_local_ + block * ghosts_at_once;
  for (std::int64_t a = begin; a < std::min(begin + ghosts_at_once, n_); ++a) {
    double f[3] = {0.0, 0.0, 0.0};
    if (many_body_) {
      for (std::int64_t h = halo_.first[static_cast<std::size_t>(a)]; h < halo_.first[static_cast<std::size_t>(a) + 1]; ++h) {
        const double* row = results_.data() + 4 * halo_.rows[static_cast<std::size_t>(h)];
        for (int k = 0; k < 3; ++k) f[k] += row[k];
      }
    }
    for (int k = 0; k < 3; ++k) forces[3 * a + k] = add ? forces[3 * a + k] + f[k] : f[k];
    check += (f[0] + f[1]) * 0.0 + f[2] * 0.0;
  }
  return check;
}

void Follower::place_images(const double* cell) {
  for (std::size_t m = 0; m < patches_.images.size() / 3; ++m) {
    const std::int32_t* s = patches_.images.data() + 3 * m;
    for (std::size_t k = 0; k < 3; ++k)
      images_[4 * m + k] = s[0] * cell[k] + s[1] * cell[3 + k] + s[2] * cell[6 + k];
    images_[4 * m + 3] = 0.0;
  }
}

bool Follower::evaluate(const double* positions, const double* cell, int age, double* energies,
                        double* forces, double* virial, bool add) {
  if (cell != nullptr) place_images(cell);
  const auto count = static_cast<std::int64_t>(patches_.patches.size());
  const std::int64_t ghosts = (n_ - n_local_ + ghosts_at_once - 1) / ghosts_at_once; // blocks of them
  const int n = thread_count(threads_, count);
  std::vector<double> checks(static_cast<std::size_t>(count + ghosts));
  Phases phases(n);
  on_threads(n, [&](int) {
    const FlushDenormals flush;
    AlignedVector<float> single;
    AlignedVector<double> exact;
    phases.each(0, count, [&](std::int64_t p) { place_atoms(static_cast<std::size_t>(p), positions, cell); });
    phases.each(1, ghosts, [&](std::int64_t block) { place_ghosts(block, positions); });
    auto collect_patch = [&](std::int64_t p) {
      checks[static_cast<std::size_t>(p)] = collect(static_cast<std::size_t>(p), energies, forces, add);
    };
    phases.each(2, count, [&](std::int64_t p) {
      if (mixed_)
        evaluate_patch(static_cast<std::size_t>(p), age, single, virial != nullptr);
      else
        evaluate_patch(static_cast<std::size_t>(p), age, exact, virial != nullptr);
      if (!many_body_) collect_patch(p); // other patches say nothing of its atoms
    });
    if (many_body_) phases.each(3, count, collect_patch);
    phases.each(4, ghosts, [&](std::int64_t block) {
      checks[static_cast<std::size_t>(count + block)] = collect_ghosts(block, forces, add);
    });
  });
  phases.rethrow();
  if (virial != nullptr) {
    std::fill(virial, virial + 9, 0.0);
    for (std::size_t p = 0; p < static_cast<std::size_t>(count); ++p)
      for (std::size_t a = 0; a < 9; ++a) virial[a] += virials_[9 * p + a];
  }
  return std::all_of(checks.begin(), checks.end(), [](double check) { return check == 0.0; });
}

std::int64_t Follower::bytes() const {
  std::size_t sum = 8 * (build_positions_.capacity() + atoms_.capacity() + results_.capacity() +
                         halo_.first.capacity() + halo_.rows.capacity()) +
                    4 * (patches_.order.capacity() + patches_.wraps.capacity());
  for (const Patch& patch : patches_.patches)
    sum += 4 * (patch.atoms.capacity() + patch.images.capacity()) + 8 * patch.first.capacity() +
           2 * (patch.neighbors.capacity() + patch.within.size() * patch.first.capacity());
  return static_cast<std::int64_t>(sum);
}

} // namespace trimpot

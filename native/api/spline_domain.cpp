#include <algorithm>
#include <stdexcept>
#include <string>

#include "../core/neighbors.hpp"
#include "boundary_pairs.hpp"
#include "domain.hpp"

namespace trimpot {

namespace {

constexpr double unchanged[9] = {1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0};

class SplineDomain final : public Domain {
 public:
  SplineDomain(const SplineFile& file, const DomainSettings& settings)
      : terms_(file.terms), n_species_(static_cast<std::int32_t>(file.numbers.size())), cutoff_(file.cutoff),
        skin_(settings.skin), threads_(settings.threads), boundary_(file.terms), follower_(file.terms, file.cutoff, settings.skin, settings.mixed, settings.threads) {}

  void build(std::int64_t n_local, std::int64_t n_all, const double* positions, const std::int32_t* species) override {
    for (std::int64_t a = 0; a < n_all; ++a)
      if (species[a] < 0 || species[a] >= n_species_)
        throw std::invalid_argument("atom " + std::to_string(a) + " has species " + std::to_string(species[a]) +
                                    ", expected 0 to " + std::to_string(n_species_ - 1));
    species_.assign(species, species + n_all);
    follower_.build(n_local, n_all, positions, species);
    is_shared_ = share_;
    build_boundary(positions);
    ++builds_;
  }

  void share_pairs(bool share) override { share_ = share; }

  bool evaluate(const double* positions, const DomainResults& results) override {
    if (results.atom_virials != nullptr) return evaluate_atoms(positions, results);
    int age = follower_.age(positions, unchanged, 1.0);
    if (age < 0) {
      build_again(positions);
      age = 0;
    }
    const bool forces_only = results.energies == nullptr && results.virial == nullptr;
    const bool finite = follower_.evaluate(positions, nullptr, age, forces_only ? nullptr : energies(results.energies),
                                           results.forces, forces_only ? nullptr : virial(results.virial), true);
    if (is_shared_) boundary_.share(positions, results.forces);
    return finite;
  }

  std::int64_t n_local() const override { return follower_.n_local(); }
  std::int64_t n_all() const override { return follower_.size(); }
  std::int64_t builds() const override { return builds_; }
  std::int64_t bytes() const override {
    return follower_.bytes() + boundary_.bytes() + static_cast<std::int64_t>(4 * species_.capacity() + 8 * energies_.capacity());
  }

 private:
  std::vector<TermPointer> terms_;
  std::int32_t n_species_;
  double cutoff_;
  double skin_;
  int threads_;
  bool share_ = false, is_shared_ = false; // from the next build on, and now
  BoundaryPairs boundary_;
  Follower follower_;
  std::vector<std::int32_t> species_;
  std::vector<double> energies_;
  double virial_[9] = {};
  std::int64_t builds_ = 0;

  void build_again(const double* positions) {
    follower_.build(n_local(), follower_.size(), positions, species_.data());
    build_boundary(positions);
    ++builds_;
  }

  void build_boundary(const double* positions) {
    if (is_shared_) boundary_.build(n_local(), follower_.size(), positions, species_.data(), skin_, threads_);
  }

  double* energies(double* wanted) {
    if (wanted != nullptr) return wanted;
    energies_.resize(static_cast<std::size_t>(n_local()));
    return energies_.data();
  }

  double* virial(double* wanted) { return wanted != nullptr ? wanted : virial_; }

  bool evaluate_atoms(const double* positions, const DomainResults& results) {
    const std::int64_t n = n_local();
    const NeighborList list = build_neighbors(n, follower_.size(), positions, cutoff_, threads_);
    const std::size_t n_list = list.owners.size(); // some ghosts may be left out
    std::vector<std::int32_t> species(n_list);
    for (std::size_t a = 0; a < n_list; ++a) species[a] = species_[static_cast<std::size_t>(list.owners[a])];
    std::vector<double> forces(3 * n_list), virials(9 * n_list);
    const NeighborhoodView hood{n, static_cast<std::int64_t>(n_list), list.positions.data(), species.data(),
                                list.first.data(), list.neighbors.data()};
    double* const energies = this->energies(results.energies);
    evaluate_atom_virials(terms_, hood, results.choice, {energies, forces.data(), virials.data()}, threads_);
    double* const virial = this->virial(results.virial);
    std::fill(virial, virial + 9, 0.0);
    double check = 0.0;
    for (std::size_t a = 0; a < n_list; ++a) {
      const auto owner = static_cast<std::size_t>(list.owners[a]);
      for (std::size_t k = 0; k < 3; ++k) results.forces[3 * owner + k] += forces[3 * a + k];
      for (std::size_t k = 0; k < 9; ++k) results.atom_virials[9 * owner + k] += virials[9 * a + k];
      for (std::size_t k = 0; k < 9; ++k) virial[k] += virials[9 * a + k];
      for (std::size_t k = 0; k < 3; ++k) check += forces[3 * a + k] * 0.0;
    }
    for (std::int64_t i = 0; i < n; ++i) check += energies[i] * 0.0;
    if (is_shared_) {
      if (follower_.age(positions, unchanged, 1.0) < 0) build_again(positions);
      boundary_.share(positions, results.forces);
    }
    return check == 0.0;
  }
};

} // namespace

std::unique_ptr<Domain> make_domain(const SplineFile& file, const DomainSettings& settings) {
  return std::make_unique<SplineDomain>(file, settings);
}

} // namespace trimpot

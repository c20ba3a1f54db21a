#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "../core/edge_weights.hpp"
#include "../core/kernels.hpp"
#include "../core/network_alone.hpp"
#include "domain.hpp"
#include "network_lists.hpp"

namespace trimpot {

namespace {

// A number that is 0 if all numbers are finite.
double check_of(const double* numbers, std::int64_t n) {
  double check = 0.0;
  for (std::int64_t k = 0; k < n; ++k) check += numbers[k] * 0.0;
  return check;
}

class NetworkDomain final : public Domain {
 public:
  NetworkDomain(const NetworkFile& file, const DomainSettings& settings)
      : weighing_(file.weighing), layers_(file.shape.layers), skin_(settings.skin), threads_(settings.threads),
        reach_{file.reach + settings.skin, file.weighing.radial.cutoff + settings.skin}, constants_(file.e0s) {
    network_ = settings.mixed ? kernels().network_single(file.shape) : kernels().network_double(file.shape);
    network_->set_parameters(file.parameters.data());
    const auto alone = energies_alone(*network_, file.shape.n_species);
    for (std::size_t s = 0; s < constants_.size(); ++s) constants_[s] -= alone[s];
    const int bytes = settings.mixed ? 4 : 8;
    exchanged_bytes_ = layers_ > 1 ? std::int64_t{bytes} * file.shape.channels * file.shape.components() : 0;
    if (file.prior) prior_ = make_domain(*file.prior, {settings.skin, false, settings.threads});
  }

  void exchange_by(FeatureExchange* exchange) override { exchange_ = exchange; }
  void expect_wide_ghosts(bool wide) override { wide_ = wide; }
  void share_pairs(bool share) override {
    if (prior_) prior_->share_pairs(share);
  }
  std::int64_t exchanged_bytes() const override { return exchanged_bytes_; }

  void build(std::int64_t n_local, std::int64_t n_all, const double* positions, const std::int32_t* species) override {
    const auto known = static_cast<std::int32_t>(constants_.size());
    for (std::int64_t a = 0; a < n_all; ++a)
      if (species[a] < 0 || species[a] >= known)
        throw std::invalid_argument("atom " + std::to_string(a) + " has species " + std::to_string(species[a]) +
                                    ", expected 0 to " + std::to_string(known - 1));
    if (layers_ > 1 && n_all > n_local && exchange_ == nullptr && !wide_)
      throw std::invalid_argument(
          "this network has " + std::to_string(layers_) + " layers of messages, and nothing says what ghosts know after "
          "the first; give the domain an exchange of features (trimpot_domain_set_exchange), or ghosts out to "
          "trimpot_influence_distance() (trimpot_domain_set_wide_ghosts)");
    n_local_ = n_local;
    species_.assign(species, species + n_all);
    make_lists(positions);
    if (prior_) prior_->build(n_local, n_all, positions, species);
  }

  bool evaluate(const double* positions, const DomainResults& results) override {
    if (results.atom_virials != nullptr && results.choice == VirialOf::receiver)
      throw std::invalid_argument("a network has no virials by receiver (centroid stress, heat flux): energies of its "
                                  "atoms depend on more than the vectors to their neighbours");
    if (has_moved(positions)) make_lists(positions);
    const std::int64_t n = lists_.n_centers(), n_all = this->n_all();
    const double* const places = in_order(positions);
    place_rows(places);
    const PairsView pairs{n, n_all, kinds_.data(), lists_.first.data(), lists_.neighbors.data(), nullptr, nullptr,
                          places, rows_.data()};
    edges_ = weigh_edges(weighing_, pairs, threads_, std::move(edges_));
    set_size(by_vectors_, static_cast<std::int64_t>(edges_.vectors.size()));
    set_size(by_weights_, static_cast<std::int64_t>(edges_.weights.size()));
    energies_.resize(static_cast<std::size_t>(n_local_));
    network_->evaluate_among({n, kinds_.data(), edges_.first.data(), edges_.neighbors.data(), edges_.vectors.data(),
                              edges_.weights.data()},
                             {n_all - n, exchange_, lists_.centers.empty() ? nullptr : lists_.centers.data()},
                             energies_.data(), {by_vectors_.data(), by_weights_.data()}, threads_);
    set_size(forces_, 3 * n_all);
    set_size(strains_, 9 * n);
    pull_back(edges_, by_vectors_.data(), by_weights_.data(), n_all, forces_.data(), strains_.data(), threads_);
    const bool finite = add_to(results);
    return add_prior(positions, results) && finite;
  }

  std::int64_t n_local() const override { return n_local_; }
  std::int64_t n_all() const override { return static_cast<std::int64_t>(species_.size()); }
  std::int64_t builds() const override { return builds_; }
  std::int64_t bytes() const override {
    const std::size_t held =
        4 * (species_.capacity() + kinds_.capacity() + lists_.order.capacity() + lists_.neighbors.capacity()) +
        8 * (lists_.first.capacity() + built_at_.capacity() + places_.capacity() + rows_.capacity() + energies_.capacity() +
             prior_energies_.capacity() + forces_.capacity() + strains_.capacity() + by_vectors_.capacity() +
             by_weights_.capacity()) +
        100 * edges_.weights.capacity() + 72 * edges_.screened.capacity();
    return static_cast<std::int64_t>(held) + (prior_ ? prior_->bytes() : 0);
  }

 private:
  EdgeWeightSpec weighing_;
  int layers_;
  double skin_;
  int threads_;
  NetworkReach reach_;
  std::vector<double> constants_; // per species: the isolated atom, without what the network says of it
  NetworkPointer network_;
  std::int64_t exchanged_bytes_ = 0;
  std::unique_ptr<Domain> prior_;
  FeatureExchange* exchange_ = nullptr;
  bool wide_ = false;
  std::int64_t n_local_ = 0, builds_ = 0;
  std::vector<std::int32_t> species_, kinds_; // as given; in the order of the lists
  std::vector<double> built_at_;
  NetworkLists lists_;
  std::vector<double> energies_, prior_energies_;
  AlignedVector<double> places_, rows_; // positions x 3, x 4
  AlignedVector<double> by_vectors_, by_weights_, forces_, strains_;
  WeightedEdges edges_;

  void make_lists(const double* positions) {
    const bool widely = wide_ && exchange_ == nullptr && layers_ > 1;
    lists_ = widely ? wide_lists(n_local_, n_all(), positions, reach_, layers_, threads_)
                    : local_lists(n_local_, n_all(), positions, reach_, threads_);
    kinds_.resize(species_.size());
    for (std::int64_t a = 0; a < n_all(); ++a)
      kinds_[static_cast<std::size_t>(a)] = species_[static_cast<std::size_t>(lists_.given(a))];
    built_at_.assign(positions, positions + 3 * n_all());
    ++builds_;
  }

  // Positions in the order of the lists.
  const double* in_order(const double* positions) {
    if (lists_.order.empty()) return positions;
    set_size(places_, 3 * n_all());
    for (std::int64_t a = 0; a < n_all(); ++a) std::copy_n(positions + 3 * lists_.given(a), 3, places_.data() + 3 * a);
    return places_.data();
  }

  void place_rows(const double* places) {
    set_size(rows_, 4 * n_all());
    for (std::int64_t a = 0; a < n_all(); ++a) {
      std::copy_n(places + 3 * a, 3, rows_.data() + 4 * a);
      rows_[static_cast<std::size_t>(4 * a + 3)] = 0.0;
    }
  }

  // Whether lists may lack a pair. True as well if positions are no numbers.
  bool has_moved(const double* positions) const {
    const double margin = std::max(0.0, 0.5 * skin_ - 1e-9);
    double largest = 0.0;
    for (std::size_t k = 0; k < built_at_.size(); k += 3) {
      const double a = positions[k] - built_at_[k], b = positions[k + 1] - built_at_[k + 1],
                   c = positions[k + 2] - built_at_[k + 2];
      const double square = a * a + b * b + c * c;
      if (!(square <= largest)) largest = square;
      if (std::isnan(square)) return true;
    }
    return largest > margin * margin;
  }

  bool add_to(const DomainResults& results) {
    for (std::int64_t i = 0; i < n_local_; ++i) // local atoms come first in any order
      energies_[static_cast<std::size_t>(i)] += constants_[static_cast<std::size_t>(species_[static_cast<std::size_t>(i)])];
    if (results.energies != nullptr) std::copy(energies_.begin(), energies_.end(), results.energies);
    for (std::int64_t a = 0; a < n_all(); ++a)
      for (int k = 0; k < 3; ++k) results.forces[3 * lists_.given(a) + k] += forces_[static_cast<std::size_t>(3 * a + k)];
    if (results.virial != nullptr) std::fill_n(results.virial, 9, 0.0);
    for (std::int64_t a = 0; a < lists_.n_centers(); ++a)
      for (int k = 0; k < 9; ++k) {
        const double virial = -strains_[static_cast<std::size_t>(9 * a + k)];
        if (results.virial != nullptr) results.virial[k] += virial;
        if (results.atom_virials != nullptr) results.atom_virials[9 * lists_.given(a) + k] += virial;
      }
    return check_of(energies_.data(), n_local_) + check_of(forces_.data(), 3 * n_all()) == 0.0;
  }

  bool add_prior(const double* positions, const DomainResults& results) {
    if (!prior_) return true;
    prior_energies_.resize(static_cast<std::size_t>(n_local_));
    double virial[9];
    DomainResults added = results;
    if (results.energies != nullptr) added.energies = prior_energies_.data();
    if (results.virial != nullptr) added.virial = virial;
    const bool finite = prior_->evaluate(positions, added);
    for (std::int64_t i = 0; results.energies != nullptr && i < n_local_; ++i)
      results.energies[i] += prior_energies_[static_cast<std::size_t>(i)];
    for (int k = 0; results.virial != nullptr && k < 9; ++k) results.virial[k] += virial[k];
    return finite;
  }
};

} // namespace

std::unique_ptr<Domain> make_domain(const NetworkFile& file, const DomainSettings& settings) {
  return std::make_unique<NetworkDomain>(file, settings);
}

} // namespace trimpot

#include "trimpot.h"

#include <cmath>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

#include "../core/kernels.hpp"
#include "domain.hpp"

struct trimpot_potential {
  std::variant<trimpot::SplineFile, trimpot::NetworkFile> file;
};

namespace {

// Features handed on by the host.
class HostExchange final : public trimpot::FeatureExchange {
 public:
  explicit HostExchange(const trimpot_exchange& exchange) : exchange_(exchange) {}
  void spread(const trimpot::FeatureRows& rows) override { call(exchange_.spread, rows); }
  void gather(const trimpot::FeatureRows& rows) override { call(exchange_.gather, rows); }

 private:
  template <class Callback>
  void call(Callback callback, const trimpot::FeatureRows& rows) const {
    const trimpot_features features{rows.numbers, rows.per_atom, rows.bytes};
    if (callback(exchange_.host, &features) != 0)
      throw std::runtime_error("the program could not exchange features of atoms among its processes");
  }

  trimpot_exchange exchange_;
};

} // namespace

struct trimpot_domain {
  std::unique_ptr<trimpot::Domain> domain;
  std::unique_ptr<HostExchange> exchange;
};

namespace {

thread_local std::string last_error;

enum Status { done = 0, failed = 1, not_finite = 2 };

// Calls the work; an exception becomes the error text.
template <class Result, class Work>
Result guarded(Result on_failure, Work&& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    last_error = error.what();
  } catch (...) {
    last_error = "an unknown error";
  }
  return on_failure;
}

template <class Work>
auto with(const trimpot_potential* potential, Work&& work) {
  return std::visit(std::forward<Work>(work), potential->file);
}

const std::vector<double>& isolated(const trimpot::SplineFile& file) { return file.isolated; }
const std::vector<double>& isolated(const trimpot::NetworkFile& file) { return file.e0s; }
double influence(const trimpot::SplineFile& file) { return file.cutoff; }
double influence(const trimpot::NetworkFile& file) { return file.influence; }

// The first atom of which a force is not finite, or a local one whose energy is not; -1: none.
std::int64_t first_not_finite(const trimpot_domain* domain, std::int64_t n_all, const double* energies,
                              const double* forces) {
  for (std::int64_t a = 0; a < n_all; ++a) {
    const bool force = std::isfinite(forces[3 * a] + forces[3 * a + 1] + forces[3 * a + 2]);
    const bool energy = energies == nullptr || a >= domain->domain->n_local() || std::isfinite(energies[a]);
    if (!force || !energy) return a;
  }
  return -1;
}

int evaluated(trimpot_domain* domain, const double* positions, const trimpot::DomainResults& results, std::int64_t* atom) {
  if (domain->domain->evaluate(positions, results)) return done;
  const std::int64_t found = first_not_finite(domain, domain->domain->n_all(), results.energies, results.forces);
  if (atom != nullptr) *atom = found;
  last_error = "energy or force of atom " + std::to_string(found) +
               " is not a finite number: atoms may be too close, or the step too long";
  return not_finite;
}

} // namespace

extern "C" {

int trimpot_api_version(void) { return TRIMPOT_API_VERSION; }

const char* trimpot_error(void) { return last_error.c_str(); }

const char* trimpot_instruction_set(void) {
  return guarded("", [] { return trimpot::kernels().name.c_str(); });
}

trimpot_potential* trimpot_read(const char* path) {
  return guarded<trimpot_potential*>(nullptr, [&] { return new trimpot_potential{trimpot::read_potential(path)}; });
}

void trimpot_free(trimpot_potential* potential) { delete potential; }

double trimpot_cutoff(const trimpot_potential* potential) {
  return with(potential, [](const auto& file) { return file.cutoff; });
}

double trimpot_influence_distance(const trimpot_potential* potential) {
  return with(potential, [](const auto& file) { return influence(file); });
}

int trimpot_n_species(const trimpot_potential* potential) {
  return with(potential, [](const auto& file) { return static_cast<int>(file.numbers.size()); });
}

int trimpot_atomic_number(const trimpot_potential* potential, int species) {
  return with(potential, [&](const auto& file) { return file.numbers.at(static_cast<std::size_t>(species)); });
}

const char* trimpot_symbol(const trimpot_potential* potential, int species) {
  return with(potential, [&](const auto& file) { return file.symbols.at(static_cast<std::size_t>(species)).c_str(); });
}

int trimpot_n_layers(const trimpot_potential* potential) {
  const auto* network = std::get_if<trimpot::NetworkFile>(&potential->file);
  return network == nullptr ? 0 : network->shape.layers;
}

double trimpot_isolated_energy(const trimpot_potential* potential, int species) {
  return with(potential, [&](const auto& file) { return isolated(file).at(static_cast<std::size_t>(species)); });
}

trimpot_domain* trimpot_domain_new(const trimpot_potential* potential, double skin, int mixed, int threads) {
  return guarded<trimpot_domain*>(nullptr, [&] {
    return with(potential, [&](const auto& file) {
      return new trimpot_domain{trimpot::make_domain(file, {skin, mixed != 0, threads}), nullptr};
    });
  });
}

void trimpot_domain_free(trimpot_domain* domain) { delete domain; }

void trimpot_domain_share_pairs(trimpot_domain* domain, int share) { domain->domain->share_pairs(share != 0); }

void trimpot_domain_set_exchange(trimpot_domain* domain, const trimpot_exchange* exchange) {
  domain->exchange = std::make_unique<HostExchange>(*exchange);
  domain->domain->exchange_by(domain->exchange.get());
}

int64_t trimpot_domain_exchanged_bytes(const trimpot_domain* domain) { return domain->domain->exchanged_bytes(); }

void trimpot_domain_set_wide_ghosts(trimpot_domain* domain, int wide) { domain->domain->expect_wide_ghosts(wide != 0); }

int trimpot_domain_build(trimpot_domain* domain, int64_t n_local, int64_t n_all, const double* positions,
                         const int32_t* species) {
  return guarded<int>(failed, [&] {
    domain->domain->build(n_local, n_all, positions, species);
    return done;
  });
}

int trimpot_domain_evaluate(trimpot_domain* domain, const double* positions, double* energies, double* forces,
                            double* virial, int64_t* atom) {
  return guarded<int>(failed, [&] {
    trimpot::DomainResults results;
    results.energies = energies;
    results.forces = forces;
    results.virial = virial;
    return evaluated(domain, positions, results, atom);
  });
}

int trimpot_domain_evaluate_atoms(trimpot_domain* domain, const double* positions, double* energies, double* forces,
                                  double* virial, double* atom_virials, int by_receiver, int64_t* atom) {
  return guarded<int>(failed, [&] {
    const auto choice = by_receiver != 0 ? trimpot::VirialOf::receiver : trimpot::VirialOf::center;
    return evaluated(domain, positions, {energies, forces, virial, atom_virials, choice}, atom);
  });
}

int64_t trimpot_domain_builds(const trimpot_domain* domain) { return domain->domain->builds(); }

int64_t trimpot_domain_bytes(const trimpot_domain* domain) { return domain->domain->bytes(); }

} // extern "C"

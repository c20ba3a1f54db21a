// From particles of KIM to a domain of Trimpot, and back to what KIM asks for.
#include <algorithm>
#include <cstddef>
#include <numeric>

#include "model.hpp"

namespace trimpot_kim {
namespace {

struct Given {
  int n = 0;
  int const *codes = nullptr, *contributing = nullptr;
  double const *coordinates = nullptr;
};

// Null where they are not asked for. KIM's virial is dE/d(strain), in Voigt order xx yy zz yz xz xy.
struct Asked {
  double *energy = nullptr, *forces = nullptr, *particle_energies = nullptr, *virial = nullptr,
         *particle_virials = nullptr;
};

int pointers(KIM::ModelComputeArguments const *arguments, Given &given, Asked &asked)
{
  using namespace KIM::COMPUTE_ARGUMENT_NAME;
  int const *n = nullptr;
  if (arguments->GetArgumentPointer(numberOfParticles, &n) ||
      arguments->GetArgumentPointer(particleSpeciesCodes, &given.codes) ||
      arguments->GetArgumentPointer(particleContributing, &given.contributing) ||
      arguments->GetArgumentPointer(coordinates, &given.coordinates) ||
      arguments->GetArgumentPointer(partialEnergy, &asked.energy) ||
      arguments->GetArgumentPointer(partialForces, &asked.forces) ||
      arguments->GetArgumentPointer(partialParticleEnergy, &asked.particle_energies) ||
      arguments->GetArgumentPointer(partialVirial, &asked.virial) ||
      arguments->GetArgumentPointer(partialParticleVirial, &asked.particle_virials)) {
    return failed(arguments, "KIM does not tell where its arguments are", __LINE__, __FILE__);
  }
  given.n = *n;
  return 0;
}

bool are_the_same(Domain const &domain, Given const &given)
{
  std::size_t const n = static_cast<std::size_t>(given.n);
  return domain.codes.size() == n && std::equal(domain.codes.begin(), domain.codes.end(), given.codes) &&
         std::equal(domain.contributing.begin(), domain.contributing.end(), given.contributing);
}

void sort_particles(Domain &domain, Given const &given)
{
  domain.codes.assign(given.codes, given.codes + given.n);
  domain.contributing.assign(given.contributing, given.contributing + given.n);
  auto const is_local = [&given](int particle) { return given.contributing[particle] != 0; };
  domain.order.resize(static_cast<std::size_t>(given.n));
  std::iota(domain.order.begin(), domain.order.end(), 0);
  bool const is_sorted = std::is_partitioned(domain.order.begin(), domain.order.end(), is_local);
  auto const ghosts = std::stable_partition(domain.order.begin(), domain.order.end(), is_local);
  domain.n_local = ghosts - domain.order.begin();
  domain.species.resize(domain.order.size());
  for (std::size_t i = 0; i < domain.order.size(); ++i) domain.species[i] = given.codes[domain.order[i]];
  if (is_sorted) domain.order.clear();
}

// Positions of atoms in angstrom; those of the particles themselves where nothing has to be changed.
double const *positions(Domain &domain, Model const &model, Given const &given)
{
  if (domain.order.empty() && model.length == 1.0) return given.coordinates;
  std::size_t const n = static_cast<std::size_t>(given.n);
  domain.positions.resize(3 * n);
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t const particle = domain.order.empty() ? i : static_cast<std::size_t>(domain.order[i]);
    for (std::size_t k = 0; k < 3; ++k) {
      domain.positions[3 * i + k] = given.coordinates[3 * particle + k] / model.length;
    }
  }
  return domain.positions.data();
}

// New particles are sorted, and a domain is built of them; lists of particles that only move are renewed by
// the library when they have gone too far, as padding does when a simulator makes it anew.
int renew(KIM::ModelComputeArguments const *arguments, Domain &domain, Model const &model, Given const &given)
{
  if (!are_the_same(domain, given)) {
    int const n_species = trimpot_n_species(model.potential.get());
    for (int i = 0; i < given.n; ++i) {
      if (given.codes[i] < 0 || given.codes[i] >= n_species) {
        return failed(arguments,
                      "species code of particle " + std::to_string(i) + " is " + std::to_string(given.codes[i]) +
                          ", expected 0 to " + std::to_string(n_species - 1),
                      __LINE__, __FILE__);
      }
    }
    sort_particles(domain, given);
    domain.is_built = false;
  }
  if (domain.revision != model.revision) {
    domain.domain.reset(
        trimpot_domain_new(model.potential.get(), model.skin / model.length, model.mixed, /* threads */ 1));
    if (!domain.domain) return failed(arguments, trimpot_error(), __LINE__, __FILE__);
    trimpot_domain_share_pairs(domain.domain.get(), 1);  // KIM's forces are the gradient of KIM's energy
    trimpot_domain_set_wide_ghosts(domain.domain.get(), 1);  // KIM hands on nothing while a model computes
    domain.revision = model.revision;
    domain.is_built = false;
  }
  return 0;
}

double *zeros(std::vector<double> &numbers, std::size_t n)
{
  numbers.assign(n, 0.0);
  return numbers.data();
}

int say_what_failed(KIM::ModelComputeArguments const *arguments, Domain const &domain, int code, std::int64_t atom)
{
  std::string message = trimpot_error();
  if (code == 2 && atom >= 0) {
    std::size_t const index = static_cast<std::size_t>(atom);
    std::int64_t const particle = domain.order.empty() ? atom : domain.order[index];
    message += "; in KIM's order it is particle " + std::to_string(particle);
  }
  return failed(arguments, message, __LINE__, __FILE__);
}

// Of a 3 x 3 matrix; symmetric, as KIM's order of six wants it.
void add_voigt(double const *matrix, double factor, double *six)
{
  six[0] += factor * matrix[0];
  six[1] += factor * matrix[4];
  six[2] += factor * matrix[8];
  six[3] += 0.5 * factor * (matrix[5] + matrix[7]);
  six[4] += 0.5 * factor * (matrix[2] + matrix[6]);
  six[5] += 0.5 * factor * (matrix[1] + matrix[3]);
}

void set_zero(Asked const &asked, int n_particles)
{
  std::size_t const n = static_cast<std::size_t>(n_particles);
  if (asked.energy) *asked.energy = 0.0;
  if (asked.forces) std::fill_n(asked.forces, 3 * n, 0.0);
  if (asked.particle_energies) std::fill_n(asked.particle_energies, n, 0.0);
  if (asked.virial) std::fill_n(asked.virial, 6, 0.0);
  if (asked.particle_virials) std::fill_n(asked.particle_virials, 6 * n, 0.0);
}

struct Results {
  double const *energies = nullptr, *forces = nullptr, *virial = nullptr, *virials = nullptr;
};

// Everything but forces that already are where they belong.
void hand_over(Domain const &domain, Model const &model, Results const &found, Asked const &asked)
{
  std::size_t const n = domain.species.size(), n_local = static_cast<std::size_t>(domain.n_local);
  auto const particle = [&domain](std::size_t i) {
    return domain.order.empty() ? i : static_cast<std::size_t>(domain.order[i]);
  };
  if (asked.energy) *asked.energy = model.energy * std::accumulate(found.energies, found.energies + n_local, 0.0);
  if (asked.particle_energies) {
    for (std::size_t i = 0; i < n_local; ++i) asked.particle_energies[particle(i)] = model.energy * found.energies[i];
  }
  if (asked.forces && asked.forces != found.forces) {
    double const factor = model.energy / model.length;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < 3; ++k) asked.forces[3 * particle(i) + k] = factor * found.forces[3 * i + k];
    }
  }
  if (asked.virial) add_voigt(found.virial, -model.energy, asked.virial);
  if (asked.particle_virials) {
    for (std::size_t i = 0; i < n; ++i) {
      add_voigt(found.virials + 9 * i, -model.energy, asked.particle_virials + 6 * particle(i));
    }
  }
}

int evaluate(KIM::ModelComputeArguments const *arguments, Domain &domain, Model const &model, Given const &given,
             Asked const &asked)
{
  std::size_t const n = static_cast<std::size_t>(given.n);
  double const *places = positions(domain, model, given);
  trimpot_domain *native = domain.domain.get();
  if (!domain.is_built &&
      trimpot_domain_build(native, domain.n_local, given.n, places, domain.species.data()) != 0) {
    return failed(arguments, trimpot_error(), __LINE__, __FILE__);
  }
  domain.is_built = true;
  double *energies = nullptr, virial[9] = {};
  if (asked.energy || asked.particle_energies) {
    energies = zeros(domain.energies, static_cast<std::size_t>(domain.n_local));
  }
  bool const is_direct = domain.order.empty() && model.length == 1.0 && model.energy == 1.0;
  double *forces = asked.forces && is_direct ? asked.forces : zeros(domain.forces, 3 * n);
  double *total = asked.virial ? virial : nullptr;
  std::int64_t atom = -1;
  int code = 0;
  if (asked.particle_virials) {  // of the energies of atoms: those of padding are zero
    code = trimpot_domain_evaluate_atoms(native, places, energies, forces, total, zeros(domain.virials, 9 * n),
                                         /* by_receiver */ 0, &atom);
  } else {
    code = trimpot_domain_evaluate(native, places, energies, forces, total, &atom);
  }
  if (code != 0) return say_what_failed(arguments, domain, code, atom);
  hand_over(domain, model, {energies, forces, virial, domain.virials.data()}, asked);
  return 0;
}

}  // namespace

int compute(KIM::ModelCompute const *model_compute, KIM::ModelComputeArguments const *arguments)
{
  Model *model = nullptr;
  Domain *domain = nullptr;
  model_compute->GetModelBufferPointer(reinterpret_cast<void **>(&model));
  arguments->GetModelBufferPointer(reinterpret_cast<void **>(&domain));
  Given given;
  Asked asked;
  if (pointers(arguments, given, asked) || renew(arguments, *domain, *model, given)) return 1;
  set_zero(asked, given.n);
  if (domain->n_local == 0) return 0;  // a process without atoms
  return evaluate(arguments, *domain, *model, given, asked);
}

}  // namespace trimpot_kim

// What the routines of the KIM model driver share: a model, and what is kept for one set of compute
// arguments. No state is global: a model may serve any number of threads, each with arguments of its own.
#pragma once

#include <KIM_ModelDriverHeaders.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trimpot.h"

namespace trimpot_kim {

struct FreePotential {
  void operator()(trimpot_potential *potential) const { trimpot_free(potential); }
};

struct FreeDomain {
  void operator()(trimpot_domain *domain) const { trimpot_domain_free(domain); }
};

// A potential in the units of the simulator. KIM keeps addresses of the numbers that it is given.
struct Model {
  std::unique_ptr<trimpot_potential, FreePotential> potential;
  double length = 1.0;  // one angstrom in units of the simulator
  double energy = 1.0;  // one eV
  double influence = 0.0;  // how far ghosts reach: the cutoff, of networks as often as they have layers
  double list_cutoff = 0.0;  // of the list that KIM wants to be registered, and nobody asks for
  int no_neighbors_of_padding = 1;
  // Parameters that a simulator may change.
  double skin = 1.0;  // in its unit of length
  int mixed = 0;
  int revision = 0;  // how often parameters have changed
};

// Particles as a simulator gave them, and the domain that was built of them.
struct Domain {
  std::unique_ptr<trimpot_domain, FreeDomain> domain;
  int revision = -1;
  std::vector<int> codes, contributing;
  std::vector<int> order;  // particle of each atom, contributing ones first; empty: the same order
  std::vector<std::int32_t> species;  // of atoms
  std::int64_t n_local = 0;
  bool is_built = false;
  std::vector<double> positions, energies, forces, virials;
};

// Writes what went wrong to KIM's log; returns KIM's sign of failure.
template <class Writer>
int failed(Writer const *writer, std::string const &message, int line, char const *file)
{
  writer->LogEntry(KIM::LOG_VERBOSITY::error, message, line, file);
  return 1;
}

int compute(KIM::ModelCompute const *model_compute, KIM::ModelComputeArguments const *arguments);

}  // namespace trimpot_kim

// The atoms of one process of a simulation, and a potential among them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../core/atom_virials.hpp"
#include "../core/follower.hpp"
#include "../core/network.hpp"
#include "../files/potential_file.hpp"

namespace trimpot {

struct DomainSettings {
  double skin = 1.0;
  bool mixed = true;
  int threads = 1;
};

// What is wanted of a domain; null: not wanted. Forces are added to, as are virials of atoms.
struct DomainResults {
  double* energies = nullptr;
  double* forces = nullptr;
  double* virial = nullptr;
  double* atom_virials = nullptr;
  VirialOf choice = VirialOf::center;
};

class Domain {
 public:
  virtual ~Domain() = default;
  // From the next build on: whether forces on ghosts are the gradient of the energies of local atoms.
  virtual void share_pairs(bool) {}
  // How features of ghosts become known, of networks with several layers: handed on after each, or because there are
  // ghosts out to the influence distance. Called before build.
  virtual void exchange_by(FeatureExchange*) {}
  virtual void expect_wide_ghosts(bool) {}
  virtual std::int64_t exchanged_bytes() const { return 0; } // per atom, each time
  virtual void build(std::int64_t n_local, std::int64_t n_all, const double* positions, const std::int32_t* species) = 0;
  // Returns whether all numbers are finite.
  virtual bool evaluate(const double* positions, const DomainResults& results) = 0;
  virtual std::int64_t n_local() const = 0;
  virtual std::int64_t n_all() const = 0;
  virtual std::int64_t builds() const = 0;
  virtual std::int64_t bytes() const = 0;
};

std::unique_ptr<Domain> make_domain(const SplineFile& file, const DomainSettings& settings);
std::unique_ptr<Domain> make_domain(const NetworkFile& file, const DomainSettings& settings);

} // namespace trimpot

// SPDX-License-Identifier: GPL-2.0-or-later
#include "pair_trimpot.h"

#include <algorithm>
#include <cstring>

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "neighbor.h"
#include "update.h"
#include "utils.h"

using namespace LAMMPS_NS;

namespace {

constexpr int lammps_order[9] = {0, 4, 8, 1, 2, 5, 3, 6, 7}; // xx yy zz xy xz yz yx zx zy, of rows xx xy xz ..

} // namespace

PairTrimpot::PairTrimpot(LAMMPS *lmp) : Pair(lmp)
{
  single_enable = 0;
  restartinfo = 0;
  respa_enable = 0;
  one_coeff = 1;
  manybody_flag = 1;
  no_virial_fdotr_compute = 1;
  centroidstressflag = CENTROID_AVAIL;
  comm_reverse_off = 3;
}

PairTrimpot::~PairTrimpot()
{
  if (copymode || !allocated) return;
  memory->destroy(setflag);
  memory->destroy(cutsq);
}

// ---------------------------------------------------------------------- input

void PairTrimpot::settings(int narg, char **arg)
{
  mixed_ = true;
  threads_ = 1;
  for (int k = 0; k < narg; k += 2) {
    if (k + 1 == narg) error->all(FLERR, "pair_style trimpot: found {} without a value", arg[k]);
    const std::string name = arg[k], value = arg[k + 1];
    if (name == "precision") {
      if (value != "mixed" && value != "double")
        error->all(FLERR, "pair_style trimpot: found precision {}, expected mixed or double", value);
      mixed_ = value == "mixed";
    } else if (name == "threads") {
      threads_ = utils::inumeric(FLERR, value, false, lmp);
      if (threads_ < 1) error->all(FLERR, "pair_style trimpot: found threads {}, expected 1 or more", value);
    } else {
      error->all(FLERR, "pair_style trimpot: found {}, expected precision or threads", name);
    }
  }
}

void PairTrimpot::allocate()
{
  allocated = 1;
  const int n = atom->ntypes;
  memory->create(setflag, n + 1, n + 1, "pair:setflag");
  memory->create(cutsq, n + 1, n + 1, "pair:cutsq");
  map = new int[n + 1];
}

void PairTrimpot::coeff(int narg, char **arg)
{
  if (!allocated) allocate();
  if (narg < 4)
    error->all(FLERR, "pair_coeff for trimpot: expected * * MODEL.trimpot and an element or NULL for each of {} "
                      "atom types", atom->ntypes);
  map_element2type(narg - 3, arg + 3);
  domain_.reset();
  potential_.reset(trimpot_read(arg[2]));
  if (!potential_) error->all(FLERR, "pair_coeff for trimpot: {}", trimpot_error());
  // energies of a network's atoms depend on more than vectors to neighbours
  centroidstressflag = trimpot_n_layers(potential_.get()) > 0 ? CENTROID_NOTAVAIL : CENTROID_AVAIL;
  species_of_type_.assign(atom->ntypes + 1, -1);
  all_types_ = true;
  for (int type = 1; type <= atom->ntypes; ++type) {
    if (map[type] >= 0) species_of_type_[type] = species_named(elements[map[type]]);
    all_types_ = all_types_ && map[type] >= 0;
  }
  if (comm->me == 0)
    utils::logmesg(lmp, "Trimpot: {}, cutoff {:.4g} A, {} precision, {} kernels, {} thread{} per process\n", arg[2],
                   trimpot_cutoff(potential_.get()), mixed_ ? "mixed" : "double", trimpot_instruction_set(), threads_,
                   threads_ == 1 ? "" : "s");
}

int PairTrimpot::species_named(const char *element) const
{
  std::string known;
  const int n = trimpot_n_species(potential_.get());
  for (int s = 0; s < n; ++s) {
    const char *symbol = trimpot_symbol(potential_.get(), s);
    if (strcmp(symbol, element) == 0) return s;
    known += std::string(s > 0 ? " " : "") + symbol;
  }
  error->all(FLERR, "pair_coeff for trimpot: found element {}, the potential knows {}", element, known);
  return -1;
}

void PairTrimpot::refuse_unsupported()
{
  if (strcmp(update->unit_style, "metal") != 0)
    error->all(FLERR, "pair_style trimpot: found units {}, expected metal (eV, angstrom)", update->unit_style);
  if (neighbor->nex_type || neighbor->nex_group || neighbor->nex_mol || neighbor->includegroup)
    error->all(FLERR, "pair_style trimpot: neigh_modify exclude and include are not supported, because energies "
                      "of atoms depend on all their neighbours; use types with NULL in pair_coeff");
  const double *special = force->special_lj;
  if (atom->molecular != Atom::ATOMIC && (special[1] != 1.0 || special[2] != 1.0 || special[3] != 1.0) && comm->me == 0)
    error->warning(FLERR, "pair_style trimpot does not leave out bonded pairs: special_bonds are of no account to it");
}

void PairTrimpot::init_style()
{
  if (!potential_) error->all(FLERR, "pair_style trimpot: pair_coeff is missing");
  refuse_unsupported();
  domain_.reset(trimpot_domain_new(potential_.get(), neighbor->skin, mixed_ ? 1 : 0, threads_));
  if (!domain_) error->all(FLERR, "pair_style trimpot: {}", trimpot_error());
  prepare_exchange();
}

double PairTrimpot::init_one(int i, int j)
{
  if (setflag[i][j] == 0) error->all(FLERR, "pair_style trimpot: not all atom types are set by pair_coeff");
  return trimpot_cutoff(potential_.get());
}

// ---------------------------------------------------------------------- forces

void PairTrimpot::compute(int eflag, int vflag)
{
  ev_init(eflag, vflag);
  if (neighbor->ago == 0 || trimpot_domain_builds(domain_.get()) == 0) take_atoms();
  if (cvflag_atom) {
    if (!force->newton_pair)
      error->all(FLERR, "pair_style trimpot: centroid stress needs newton on");
    evaluate_atoms(true);
  }
  if (vflag_atom)
    evaluate_atoms(false);
  else
    evaluate();
}

// New lists of the atoms that this process has now.
void PairTrimpot::take_atoms()
{
  const int n_local = atom->nlocal, n_all = atom->nlocal + atom->nghost;
  const int *type = atom->type;
  species_.clear();
  atoms_.clear();
  rows_.assign(all_types_ ? 0 : n_all, -1);
  n_local_ = n_local;
  for (int a = 0; a < n_all; ++a) {
    if (a == n_local) n_local_ = static_cast<std::int64_t>(species_.size());
    const int species = species_of_type_[type[a]];
    if (species < 0) continue;
    if (!all_types_) {
      rows_[a] = static_cast<int>(atoms_.size());
      atoms_.push_back(a);
    }
    species_.push_back(species);
  }
  n_all_ = static_cast<std::int64_t>(species_.size());
  n_local_ = std::min(n_local_, n_all_);
  check(trimpot_domain_build(domain_.get(), n_local_, n_all_, positions(), species_.data()), -1);
}

const double *PairTrimpot::positions()
{
  if (all_types_) return n_all_ > 0 ? atom->x[0] : nullptr;
  positions_.resize(3 * n_all_);
  for (std::int64_t k = 0; k < n_all_; ++k) std::copy_n(atom->x[atoms_[k]], 3, positions_.data() + 3 * k);
  return positions_.data();
}

// Where forces are added up: those of LAMMPS, where it adds those of ghosts to their owners.
double *PairTrimpot::force_target()
{
  if (all_types_ && force->newton_pair) return n_all_ > 0 ? atom->f[0] : nullptr;
  forces_.assign(3 * n_all_, 0.0);
  return forces_.data();
}

void PairTrimpot::add_forces()
{
  if (all_types_ && force->newton_pair) return;
  if (!all_types_) { // as LAMMPS numbers atoms
    std::vector<double> all(3 * (static_cast<std::size_t>(atom->nlocal) + atom->nghost), 0.0);
    for (std::int64_t k = 0; k < n_all_; ++k) std::copy_n(forces_.data() + 3 * k, 3, all.data() + 3 * atoms_[k]);
    forces_.swap(all);
  }
  if (!force->newton_pair) comm->reverse_comm(this, 3);
  const int n = force->newton_pair ? atom->nlocal + atom->nghost : atom->nlocal;
  for (int a = 0; a < n; ++a)
    for (int k = 0; k < 3; ++k) atom->f[a][k] += forces_[3 * a + k];
}

void PairTrimpot::evaluate()
{
  energies_.resize(n_local_);
  double tensor[9];
  std::int64_t wrong = -1;
  const int status = trimpot_domain_evaluate(domain_.get(), positions(), eflag_either ? energies_.data() : nullptr,
                                             force_target(), vflag_global ? tensor : nullptr, &wrong);
  check(status, wrong);
  add_forces();
  if (eflag_either) finish_energies(energies_.data());
  if (vflag_global)
    for (int k = 0; k < 6; ++k) virial[k] += tensor[lammps_order[k]];
}

// by_receiver: only fills cvatom; energies and forces are those of another call.
void PairTrimpot::evaluate_atoms(bool by_receiver)
{
  energies_.resize(n_local_);
  virials_.assign(9 * n_all_, 0.0);
  double tensor[9];
  std::int64_t wrong = -1;
  std::vector<double> unused(by_receiver ? 3 * n_all_ : 0);
  const int status = trimpot_domain_evaluate_atoms(domain_.get(), positions(), energies_.data(),
                                                   by_receiver ? unused.data() : force_target(), tensor,
                                                   virials_.data(), by_receiver ? 1 : 0, &wrong);
  check(status, wrong);
  if (by_receiver) {
    for (std::int64_t a = 0; a < n_all_; ++a)
      for (int k = 0; k < 9; ++k) cvatom[atom_at(a)][k] += virials_[9 * a + lammps_order[k]];
    return;
  }
  add_forces();
  if (eflag_either) finish_energies(energies_.data());
  if (vflag_global)
    for (int k = 0; k < 6; ++k) virial[k] += tensor[lammps_order[k]];
  for (std::int64_t a = 0; a < n_local_; ++a)
    for (int k = 0; k < 6; ++k) vatom[atom_at(a)][k] += virials_[9 * a + lammps_order[k]];
}

void PairTrimpot::finish_energies(const double *energies)
{
  for (std::int64_t a = 0; a < n_local_; ++a) {
    if (eflag_global) eng_vdwl += energies[a];
    if (eflag_atom) eatom[atom_at(a)] += energies[a];
  }
}

void PairTrimpot::check(int status, std::int64_t a)
{
  if (status == 0) return;
  if (status == 2 && a >= 0 && a < n_all_)
    error->one(FLERR, "pair_style trimpot, step {}: energy or force of atom {} is not a finite number. Atoms may be "
                      "too close to one another, or the timestep too long", update->ntimestep,
               atom->tag_enable ? atom->tag[atom_at(a)] : atom_at(a) + 1);
  error->one(FLERR, "pair_style trimpot, step {}: {}", update->ntimestep, trimpot_error());
}

// ---------------------------------------------------------------------- features of networks

// Before LAMMPS makes its buffers, so that these are large enough.
void PairTrimpot::prepare_exchange()
{
  const trimpot_exchange exchange = {this, &PairTrimpot::spread, &PairTrimpot::gather};
  trimpot_domain_set_exchange(domain_.get(), &exchange);
  comm_forward = comm_reverse = static_cast<int>((trimpot_domain_exchanged_bytes(domain_.get()) + 7) / 8);
  comm_reverse_off = std::max(3, comm_reverse);
  Pair *const outer = force->pair; // a hybrid style looked at these numbers before there was a potential
  outer->comm_forward = std::max(outer->comm_forward, comm_forward);
  outer->comm_reverse = std::max(outer->comm_reverse, comm_reverse);
  outer->comm_reverse_off = std::max(outer->comm_reverse_off, comm_reverse_off);
}

int PairTrimpot::spread(void *pair, const trimpot_features *features)
{
  PairTrimpot *const self = static_cast<PairTrimpot *>(pair);
  self->features_ = *features;
  self->comm->forward_comm(self, self->size_of_features());
  self->features_ = {};
  return 0;
}

int PairTrimpot::gather(void *pair, const trimpot_features *features)
{
  PairTrimpot *const self = static_cast<PairTrimpot *>(pair);
  self->features_ = *features;
  self->comm->reverse_comm(self, self->size_of_features());
  self->features_ = {};
  return 0;
}

// In numbers of LAMMPS' buffers. Float features are packed two in each.
int PairTrimpot::size_of_features() const
{
  return static_cast<int>((features_.numbers * features_.bytes + 7) / 8);
}

// Null for an atom that is not of this potential.
char *PairTrimpot::features_of(int a) const
{
  const std::int64_t row = all_types_ ? a : rows_[a];
  return row < 0 ? nullptr : static_cast<char *>(features_.rows) + row * features_.numbers * features_.bytes;
}

int PairTrimpot::pack_forward_comm(int n, int *list, double *buffer, int, int *)
{
  const int size = size_of_features();
  for (int a = 0; a < n; ++a, buffer += size)
    if (const char *row = features_of(list[a])) memcpy(buffer, row, features_.numbers * features_.bytes);
  return n * size;
}

void PairTrimpot::unpack_forward_comm(int n, int first, double *buffer)
{
  const int size = size_of_features();
  for (int a = first; a < first + n; ++a, buffer += size)
    if (char *row = features_of(a)) memcpy(row, buffer, features_.numbers * features_.bytes);
}

// ---------------------------------------------------------------------- back: features, or forces if newton is off

namespace {

template <class Number>
void add_numbers(char *row, const double *buffer, std::int64_t n)
{
  Number *const to = reinterpret_cast<Number *>(row);
  const Number *const from = reinterpret_cast<const Number *>(buffer);
  for (std::int64_t k = 0; k < n; ++k) to[k] += from[k];
}

} // namespace

int PairTrimpot::pack_reverse_comm(int n, int first, double *buffer)
{
  if (features_.bytes > 0) {
    const int size = size_of_features();
    for (int a = first; a < first + n; ++a, buffer += size)
      if (const char *row = features_of(a)) memcpy(buffer, row, features_.numbers * features_.bytes);
    return n * size;
  }
  std::copy_n(forces_.data() + 3 * static_cast<std::size_t>(first), 3 * static_cast<std::size_t>(n), buffer);
  return 3 * n;
}

void PairTrimpot::unpack_reverse_comm(int n, int *list, double *buffer)
{
  if (features_.bytes > 0) {
    const int size = size_of_features();
    for (int a = 0; a < n; ++a, buffer += size) {
      char *const row = features_of(list[a]);
      if (row == nullptr) continue;
      if (features_.bytes == 4)
        add_numbers<float>(row, buffer, features_.numbers);
      else
        add_numbers<double>(row, buffer, features_.numbers);
    }
    return;
  }
  for (int a = 0; a < n; ++a)
    for (int k = 0; k < 3; ++k) forces_[3 * static_cast<std::size_t>(list[a]) + k] += *buffer++;
}

double PairTrimpot::memory_usage()
{
  const auto own = 8 * (energies_.capacity() + positions_.capacity() + forces_.capacity() + virials_.capacity()) +
                   4 * (species_.capacity() + atoms_.capacity() + rows_.capacity());
  return Pair::memory_usage() + static_cast<double>(own) +
         (domain_ ? static_cast<double>(trimpot_domain_bytes(domain_.get())) : 0.0);
}

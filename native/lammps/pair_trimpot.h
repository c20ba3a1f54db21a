/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 *     pair_style trimpot [precision mixed|double] [threads N]
 *     pair_coeff * * MODEL.trimpot EL1 EL2 ...        (an element or NULL per atom type)
 *
 * Lists are Trimpot's own, built from positions of local and ghost atoms whenever LAMMPS renews
 * these; LAMMPS builds none.
 */
#ifndef TRIMPOT_PAIR_TRIMPOT_H
#define TRIMPOT_PAIR_TRIMPOT_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pair.h"
#include "trimpot.h"

namespace LAMMPS_NS {

class PairTrimpot : public Pair {
 public:
  explicit PairTrimpot(class LAMMPS *);
  ~PairTrimpot() override;

  void settings(int, char **) override;
  void coeff(int, char **) override;
  void init_style() override;
  double init_one(int, int) override;
  void compute(int, int) override;
  double memory_usage() override;
  int pack_forward_comm(int, int *, double *, int, int *) override;
  void unpack_forward_comm(int, int, double *) override;
  int pack_reverse_comm(int, int, double *) override;
  void unpack_reverse_comm(int, int *, double *) override;

 private:
  struct FreePotential {
    void operator()(trimpot_potential *p) const { trimpot_free(p); }
  };
  struct FreeDomain {
    void operator()(trimpot_domain *d) const { trimpot_domain_free(d); }
  };

  bool mixed_ = true;
  int threads_ = 1;
  std::unique_ptr<trimpot_potential, FreePotential> potential_;
  std::unique_ptr<trimpot_domain, FreeDomain> domain_;
  std::vector<int> species_of_type_;     // -1: not of this potential
  bool all_types_ = false;               // whether every atom is of it
  std::vector<int> atoms_;               // those that are, local ones first; only if not all
  std::int64_t n_local_ = 0, n_all_ = 0; // of those
  std::vector<std::int32_t> species_;
  std::vector<double> energies_, positions_, forces_, virials_;
  std::vector<int> rows_;                // of each atom of LAMMPS, or -1; only if not all are of it
  trimpot_features features_ = {};       // of a network, while processes exchange them

  int species_named(const char *) const;
  void refuse_unsupported();
  void allocate();
  void take_atoms();
  const double *positions();
  double *force_target();
  void add_forces();
  void evaluate();
  void evaluate_atoms(bool by_receiver);
  void finish_energies(const double *);
  void check(int status, std::int64_t atom);
  void prepare_exchange();
  int size_of_features() const;
  char *features_of(int atom) const;
  static int spread(void *, const trimpot_features *);
  static int gather(void *, const trimpot_features *);
  int atom_at(std::int64_t k) const { return all_types_ ? static_cast<int>(k) : atoms_[k]; }
};

} // namespace LAMMPS_NS

#endif

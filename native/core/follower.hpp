// Energies, forces and virial of a structure that moves: lists in patches, kept from call to
// call, and evaluated by threads with the same result for any number of them.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels.hpp"
#include "memory.hpp"
#include "patches.hpp"

namespace trimpot {

class Follower {
 public:
  static constexpr int ages = 4;

  // mixed: single arithmetic on positions relative to a patch, sums over atoms in double.
  // skin: angstrom, beyond the largest cutoff of the terms. threads: 0 means all cores.
  // Throws std::invalid_argument for a term that has no coefficients.
  Follower(std::vector<TermPointer> terms, double cutoff, double skin, bool mixed, int threads);

  // Builds the lists of these atoms. Throws as build_patches.
  void build(std::int64_t n, const double* positions, const std::int32_t* species,
             const double* cell9, const bool* pbc);

  // The same of one process of a simulation: all n_all atoms lie where they are, the first n_local
  // have energies, all have forces. A cell is then of no account.
  void build(std::int64_t n_local, std::int64_t n_all, const double* positions, const std::int32_t* species);

  // How old the lists are, 0 .. ages - 1, after the atoms have moved and the cell rows have become
  // cell . deformation, whose smallest singular value is given (see largest_displacement). The
  // older, the more of the skin must be searched for pairs within the cutoff. -1: they may lack
  // such a pair, or positions are not numbers.
  int age(const double* positions, const double* deformation9, double smallest) const;

  // energies: n_local, forces: n x 3, virial: 9 (-dE/d(strain), eV), all written; without energies and
  // virial (both null) forces only, which is faster. age: of these positions (0 right after a
  // build). Returns whether all of them are finite. add: forces are added to instead.
  bool evaluate(const double* positions, const double* cell9, int age, double* energies,
                double* forces, double* virial, bool add = false);

  std::int64_t size() const { return n_; } // of all atoms
  std::int64_t n_local() const { return n_local_; }
  std::int64_t bytes() const; // held by lists and buffers

 private:
  // What other patches say of an atom: rows of their results.
  struct Halo {
    std::vector<std::int64_t> first; // n + 1, in the order of atoms_
    std::vector<std::int64_t> rows;
  };

  std::vector<double> reaches() const;
  std::int64_t patch_size(std::int64_t n) const;
  void prepare(std::int64_t n_local, std::int64_t n_all, const double* positions, const std::int32_t* species);
  template <class Real>
  void evaluate_patch(std::size_t p, int age, AlignedVector<Real>& rows, bool everything);
  double searched(int age) const;
  void place_images(const double* cell9);
  void place_atoms(std::size_t p, const double* positions, const double* cell9);
  void place_ghosts(std::int64_t block, const double* positions);
  double collect(std::size_t p, double* energies, double* forces, bool add) const;
  double collect_ghosts(std::int64_t block, double* forces, bool add) const;

  std::vector<TermPointer> terms_;
  double cutoff_, skin_;
  double near_ = 0.0; // reach of the terms that need near neighbours; 0: there are none
  bool mixed_, many_body_ = false;
  int threads_;
  std::int64_t n_local_ = 0, n_ = 0;
  std::int32_t species_ = -1;           // of all atoms, if they have the same
  std::vector<double> build_positions_; // n x 3, of the last build
  Patches patches_;
  AlignedVector<double> atoms_;         // n x 4: local ones in space order, ghosts: x, y, z, species
  AlignedVector<double> images_;        // x 4: shift of each image
  std::vector<std::int64_t> own_;       // first atom of each patch, and n
  std::vector<std::int64_t> results_of_; // first row of each patch in results_
  AlignedVector<double> results_;       // x 4: forces and energy of every table entry
  std::vector<double> virials_;         // 9 per patch
  Halo halo_;
};

} // namespace trimpot

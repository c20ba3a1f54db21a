// Neighbour lists for force loops: space in patches of 500 to 1000 atoms, each with a
// table of the atoms in and around it, so that a neighbour is a 16-bit number and everything
// that a patch reads and writes stays in a core's own cache.
//
// Memory per atom: 2 bytes per neighbour (each row is rounded up to 16 of them), 2 per reach, and
// about 8 bytes n_all / n_own + 24; for 64 neighbours and patches of 1000 atoms 0.2 kB.
#pragma once

#include <cstdint>
#include <vector>

#include "memory.hpp"

namespace trimpot {

struct Patch {
  std::int32_t n_own = 0, n_all = 0;    // own atoms come first in the table, then those around
  AlignedVector<std::int32_t> atoms;    // n_all: place in the space order, images too
  AlignedVector<std::int32_t> images;   // n_all: index into Patches::images
  // n_own + 1: row i of neighbors is [first[i], first[i + 1]), always a multiple of 16.
  std::vector<std::int64_t> first;
  // Indices into the table by ascending distance at the build (equal ones by index); behind
  // them up to the end of the row n_all, "no neighbour".
  AlignedVector<std::uint16_t> neighbors;
  // By reach, n_own each: how many of the first neighbours were closer at the build.
  std::vector<AlignedVector<std::uint16_t>> within;
  // Middle of the box around the own atoms at the build (angstrom): positions relative to it
  // are small numbers as long as the list is of use.
  double center[3] = {0.0, 0.0, 0.0};
};

struct Patches {
  double cutoff = 0.0;               // all pairs with r < cutoff are in the lists
  std::vector<std::int32_t> order;   // n: original index of the atom at each place; the own
                                     // atoms of patch 0 come first, then those of patch 1 ...
  std::vector<std::int32_t> wraps;   // n x 3, by place: whole periods that move it into the cell
  std::vector<std::int32_t> images;  // m x 3: whole periods of each image; the first is 0, 0, 0
  std::vector<Patch> patches;        // a table entry lies at
                                     //   x[atom] + (wraps[atom] + images[image]) . cell
};

// Atoms of a patch, where its table does not become too large for 16 bits: small ones have more
// atoms around them, few ones do not divide evenly among threads.
constexpr std::int64_t atoms_per_patch = 1000, fewest_atoms_per_patch = 500, enough_patches = 32;

// Returns the same pairs as build_neighbors, for the same arguments; reaches: distances
// (angstrom) within which neighbours are counted. The result is the same for any number of threads (0: all cores); an old
// one that is no longer needed lends its memory.
//
// Throws std::invalid_argument as build_neighbors does, for a reach that is negative or not
// a number, and for an atom with more than 65,000 neighbours.
Patches build_patches(std::int64_t n, const double* positions, const double* cell9,
                      const bool* pbc, double cutoff, const std::vector<double>& reaches, int threads,
                      std::int64_t patch_size = atoms_per_patch, Patches old = {});

// The same of atoms that lie where they are, of which the first n_local are local. The others keep their
// index: order and wraps are of local atoms, and there is one image.
Patches build_patches(std::int64_t n_local, std::int64_t n_all, const double* positions, double cutoff,
                      const std::vector<double>& reaches, int threads, std::int64_t patch_size = atoms_per_patch,
                      Patches old = {});

} // namespace trimpot

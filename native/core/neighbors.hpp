// Neighbour lists over local and ghost atoms, for any cell and any mix of periodic directions.
#pragma once

#include <cstdint>
#include <vector>

#include "memory.hpp"

namespace trimpot {

// A full neighbour list. Atoms 0 .. n_local-1 are the given atoms, each moved by whole periods
// into the (reduced) cell; the rest are ghosts: periodic images near them. Every position is
//   positions[a] = input[owners[a]] + shifts[a] . cell        (angstrom; cell rows are vectors)
// so that a kernel needs no cell, and r_ij = x_j - x_i + S . cell with
//   S = shifts[neighbour] - shifts[i].
struct NeighborList {
  std::vector<double> positions;       // n_all x 3
  std::vector<std::int32_t> owners;    // n_all
  std::vector<std::int32_t> shifts;    // n_all x 3, local atoms too
  std::vector<std::int64_t> first;     // n_local + 1
  AlignedVector<std::int32_t> neighbors; // neighbours of i: [first[i], first[i + 1])
};

// Returns all ordered pairs with r < cutoff (angstrom) as seen in the returned positions,
// except an atom with itself in the same image; coincident atoms (r = 0) are pairs.
//
// positions: n x 3, anywhere; cell9: rows are lattice vectors, rows of non-periodic directions
// are ignored; pbc: 3; threads: 0 means all cores. The list is the same for any number of
// threads. Time and memory are linear in the number of atoms and ghosts.
//
// Throws std::invalid_argument for a cutoff that is not positive and finite, a non-finite
// number, linearly dependent periodic vectors, an atom more than 2^31 periods away, and a cell
// so small beside the cutoff that the images do not fit into memory.
NeighborList build_neighbors(std::int64_t n, const double* positions, const double* cell9,
                             const bool* pbc, double cutoff, int threads = 1);

// The same of atoms that lie where they are: the first n_local of n_all, and ghosts that are their own
// owners. Ghosts that are nobody's neighbour may be left out: an atom of the list is owners[a] of those given.
NeighborList build_neighbors(std::int64_t n_local, std::int64_t n_all, const double* positions, double cutoff,
                             int threads = 1);

// Writes out[a] = positions[owners[a]] + shifts[a] . cell for n_all atoms.
void refresh_positions(std::int64_t n_all, const std::int32_t* owners,
                       const std::int32_t* shifts, const double* positions,
                       const double* cell9, double* out);

void refresh_positions(NeighborList& list, const double* positions, const double* cell9);

// Returns max_i |u_i - mean(u)|, u_i = x_i - y_i F: how far atoms moved from the positions y of
// a list's build (n x 3) beyond a common deformation F (deformation9, row vectors) and drift.
// A list built with cutoff + skin holds all pairs within the cutoff as long as
//   smin(F) (cutoff + skin) - 2 max|u - mean(u)| >= cutoff,   smin: smallest singular value,
// because an image vector r becomes r F + u_j - u_i when the cell rows become cell . F.
double largest_displacement(std::int64_t n, const double* positions,
                            const double* build_positions, const double* deformation9);

} // namespace trimpot

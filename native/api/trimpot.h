/* Trimpot for simulation programs, in plain C: local and ghost atoms in, energies and forces out.
 *
 * Units: eV, angstrom. A program gives the atoms of one process, the local ones first, with all
 * images and atoms of other processes within the cutoff around them (ghosts); energies are those
 * of local atoms, forces act on ghosts too and the program adds these to their owners.
 *
 * Functions that can fail return a null pointer or a number that is not 0; trimpot_error() then
 * says what was found, what was expected and what to do. A potential may be used by any number of
 * threads at a time, a domain by one.
 */
#ifndef TRIMPOT_H
#define TRIMPOT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRIMPOT_API_VERSION 1

typedef struct trimpot_potential trimpot_potential;
typedef struct trimpot_domain trimpot_domain;

/* Of this library; it fits if it is TRIMPOT_API_VERSION. */
int trimpot_api_version(void);
/* What went wrong in the calling thread's last call that failed. */
const char *trimpot_error(void);
/* Name of the kernels that were chosen for this processor, such as "avx512". */
const char *trimpot_instruction_set(void);

/* A potential file, NAME.trimpot. */
trimpot_potential *trimpot_read(const char *path);
void trimpot_free(trimpot_potential *potential);

/* How far a domain looks around its local atoms, angstrom: ghosts must reach so far. */
double trimpot_cutoff(const trimpot_potential *potential);
/* Beyond this distance nothing acts on the energy of an atom: the cutoff, but for networks with
 * more than one layer. */
double trimpot_influence_distance(const trimpot_potential *potential);
/* Species are numbered by ascending atomic number. */
int trimpot_n_species(const trimpot_potential *potential);
int trimpot_atomic_number(const trimpot_potential *potential, int species);
const char *trimpot_symbol(const trimpot_potential *potential, int species);
/* Layers of messages of a network; 0: a spline potential. */
int trimpot_n_layers(const trimpot_potential *potential);
/* Energy of an isolated atom of a species, eV; 0 where the potential has none. */
double trimpot_isolated_energy(const trimpot_potential *potential, int species);

/* mixed: 1 computes in single and adds up in double precision, 0 in double (networks: 1 as they
 * were trained, in single; 0 in double). skin: angstrom; lists last until atoms have moved by
 * half of it. threads: 0 means all cores. The potential must outlive the domain. */
trimpot_domain *trimpot_domain_new(const trimpot_potential *potential, double skin, int mixed, int threads);
void trimpot_domain_free(trimpot_domain *domain);

/* share 1: forces are the gradient of the local atoms' energy, on ghosts too. share 0, as at first:
 * only their sum over an atom and its ghosts in all processes is right, which is faster; pairs of a
 * local atom and a ghost act on the former alone. Programs that make virials of forces need 1. Takes
 * effect with the next build. */
void trimpot_domain_share_pairs(trimpot_domain *domain, int share);

/* For networks with more than one layer of messages. After each layer but the last a domain needs
 * what the owners of its ghosts have made of them, their features; on the way back, what ghosts
 * did to the energy is due to their owners. So evaluate calls, once per layer but the last each,
 *   spread: rows of ghosts become those of their owners;
 *   gather: rows of ghosts are added to those of their owners.
 * Images of local atoms are ghosts like others. All processes must evaluate together, those
 * without atoms too. A callback returns 0; otherwise evaluate fails. */
typedef struct {
  void *rows;      /* of all atoms in the order of the last build, ghosts too */
  int64_t numbers; /* of each atom */
  int bytes;       /* of each number: 4 (float) or 8 (double) */
} trimpot_features;

typedef struct {
  void *host; /* given to both */
  int (*spread)(void *host, const trimpot_features *features);
  int (*gather)(void *host, const trimpot_features *features);
} trimpot_exchange;

/* To be called before the first build; the domain keeps a copy. Potentials that need no exchange
 * never call it. */
void trimpot_domain_set_exchange(trimpot_domain *domain, const trimpot_exchange *exchange);
/* The bytes of one atom in each call; 0: there are none. */
int64_t trimpot_domain_exchanged_bytes(const trimpot_domain *domain);

/* Without an exchange: promises ghosts out to trimpot_influence_distance() instead of
 * trimpot_cutoff(). The domain works out their features itself, which costs more the smaller it
 * is. To be called before the first build. Without either, such a network with ghosts is refused. */
void trimpot_domain_set_wide_ghosts(trimpot_domain *domain, int wide);

/* Builds new lists. positions: n_all x 3, of the n_local local atoms, then of ghosts. species:
 * n_all. */
int trimpot_domain_build(trimpot_domain *domain, int64_t n_local, int64_t n_all, const double *positions,
                         const int32_t *species);

/* Energies (n_local) and virial (9, -dE/d(strain) of the local energies, rows xx xy xz yx ..) are
 * written, either may be null; forces (n_all x 3) are added to. The lists are built anew if atoms
 * have moved too far. Returns 1 on failure, 2 if a number is not finite: forces then hold what was
 * found, and *atom (may be null) is the first atom of which any number is not. */
int trimpot_domain_evaluate(trimpot_domain *domain, const double *positions, double *energies, double *forces,
                            double *virial, int64_t *atom);

/* The same with the virial by atoms (n_all x 9, added to): of energy E_i and neighbour j, r_ij
 * (x) -dE_i/dr_j goes to atom j if by_receiver, else to atom i. Slower, in double precision.
 * Of networks: r_ij (x) -dE/dr_ij goes to the atom i that gathers messages along r_ij, where E is
 * the energy of all; by_receiver is refused. */
int trimpot_domain_evaluate_atoms(trimpot_domain *domain, const double *positions, double *energies, double *forces,
                                  double *virial, double *atom_virials, int by_receiver, int64_t *atom);

/* Number of lists built so far, and bytes held by lists and buffers. */
int64_t trimpot_domain_builds(const trimpot_domain *domain);
int64_t trimpot_domain_bytes(const trimpot_domain *domain);

#ifdef __cplusplus
}
#endif

#endif

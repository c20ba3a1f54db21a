// What a term of a potential is: a function of one atom's environment.
//
// Every term writes the energy of a central atom and its gradient with respect to the
// displacements d_j = r_j - r_i of its neighbours. Hosts turn that into forces
//   f_j -= g_j,   f_i += sum_j g_j,   dE/d(strain) = sum_j d_j (x) g_j,
// so a new kind of term never touches forces, ghosts or the virial.
#pragma once

#include <cstdint>
#include <memory>

#include "memory.hpp"

namespace trimpot {

// Neighbours of one central atom within a cutoff, as separate arrays. Behind them stand
// entries far beyond every cutoff, so that loops may run over whole vectors.
template <class Real>
struct Environment {
  int center = 0;              // index of the central atom
  int species = 0;             // its species index
  int count = 0;               // number of neighbours
  const Real* x = nullptr;     // displacements r_j - r_i, angstrom
  const Real* y = nullptr;
  const Real* z = nullptr;
  const Real* r = nullptr;     // distances
  const int* neighbor_species = nullptr;
  const int* neighbor = nullptr; // indices of the atoms
  Arena* arena = nullptr;      // scratch memory of a term, until it returns
  // Factors of all that a neighbour contributes; null: all are 1. Only terms that say so know them.
  const Real* weight = nullptr;
};

// Gradient of the central atom's energy with respect to each displacement (added to), and to each
// weight where neighbours have weights.
template <class Real>
struct Gradient {
  Real* x = nullptr;
  Real* y = nullptr;
  Real* z = nullptr;
  Real* weight = nullptr;
};

// An atom to be evaluated.
template <class Real>
struct Task {
  Environment<Real> env;
  Gradient<Real> gradient;
  double energy = 0.0; // added to
  int touched = 0;     // raised to cover the first neighbours of whose gradients a term adds to any
};

// Atoms that are handed to a term at once. What depends on itself step by step is slow for one atom
// and fast for several.
constexpr int most_tasks = 8;

// Destination of design-matrix rows of one frame: row-major blocks of n_columns.
// A null pointer means that this quantity is not wanted.
struct RowSink {
  double* energy = nullptr;   // 1 row: dE/dc
  double* forces = nullptr;   // 3 n rows: force on atom owner*3 + axis
  double* strain = nullptr;   // 6 rows: dE/d(strain), xx yy zz yz xz xy
  std::int64_t n_columns = 0;
  int column_offset = 0;      // of the term that writes
  const std::int32_t* owners = nullptr;
  // n_neighbors x n_columns of the term: dE/dc by the weight of each neighbour; null where
  // neighbours have none.
  double* weights = nullptr;
  std::int64_t weight_columns = 0;

  bool wants_gradients() const { return forces || strain || weights; }
  double* weight_row(int j) const { return weights + weight_columns * j; }
  double* force_row(int atom, int axis) const {
    return forces + (std::int64_t{3} * owners[atom] + axis) * n_columns + column_offset;
  }
};

class Term {
 public:
  Term() = default;
  Term(const Term&) = delete;
  Term& operator=(const Term&) = delete;
  virtual ~Term() = default;

  virtual double cutoff() const = 0;
  virtual int n_columns() const = 0;     // linear coefficients
  virtual bool has_coefficients() const = 0;
  // E_i = sum_j e(r_ij), e the same seen from j: then an atom's own neighbours say all of its force.
  virtual bool pairwise() const { return false; }
  // Whether weights of neighbours are taken into account.
  virtual bool takes_weights() const { return false; }
  // What a term bounds its arguments by: n_limits() numbers per central species.
  virtual int n_limits() const { return 0; }
  // Raises numbers (n_species x n_limits) to what this environment has.
  virtual void add_to_range(const Environment<double>&, double*) const {}
  // In double precision, and with single arithmetic relative to the central atom.
  virtual double evaluate(const Environment<double>& env, Gradient<double> gradient) const = 0;
  virtual double evaluate(const Environment<float>& env, Gradient<float> gradient) const = 0;
  virtual void rows(const Environment<double>& env, const RowSink& sink) const = 0;

  // The same for up to most_tasks atoms that share an arena.
  virtual void evaluate(Task<double>* tasks, int n) const { one_by_one(tasks, n); }
  virtual void evaluate(Task<float>* tasks, int n) const { one_by_one(tasks, n); }

 protected:
  template <class Real>
  void one_by_one(Task<Real>* tasks, int n) const {
    for (int t = 0; t < n; ++t) {
      tasks[t].energy += evaluate(tasks[t].env, tasks[t].gradient);
      tasks[t].touched = tasks[t].env.count;
    }
  }
};

using TermPointer = std::shared_ptr<const Term>;

} // namespace trimpot

// Terms and their evaluation on one neighbourhood.
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <tuple>

#include "../core/density_couplings.hpp"
#include "../core/evaluate.hpp"
#include "../core/follower.hpp"
#include "../core/spec_checks.hpp"
#include "arrays.hpp"

namespace trimpot {

namespace {

std::vector<double> vector_of(const Doubles& a) { return {a.data(), a.data() + a.shape(0)}; }
std::vector<std::int32_t> vector_of(const Ints& a) { return {a.data(), a.data() + a.shape(0)}; }

template <class A>
auto vectors_of(const std::vector<A>& list) {
  std::vector<decltype(vector_of(list.front()))> out;
  for (const A& a : list) out.push_back(vector_of(a));
  return out;
}

TermPointer one_body(const Ints& columns, int n_columns, const Doubles& coefficients) {
  return kernels().one_body(checked(OneBodySpec{vector_of(columns), vector_of(coefficients), n_columns}));
}

TermPointer pair_spline(int n_species, const Ints& table, const std::vector<Doubles>& knots,
                        const std::vector<Ints>& columns, int n_columns,
                        const Doubles& coefficients) {
  return kernels().pair_spline(checked(PairSplineSpec{n_species, vector_of(table), vectors_of(knots),
                                                      vectors_of(columns), vector_of(coefficients), n_columns}));
}

TermPointer triplet_spline(int n_species, const Ints& table, const std::vector<Doubles>& knots_ij,
                           const std::vector<Doubles>& knots_ik, const std::vector<Doubles>& knots_jk,
                           const std::vector<Ints>& columns, int n_columns,
                           const Doubles& coefficients) {
  return kernels().triplet_spline(checked(TripletSplineSpec{
      n_species, vector_of(table), vectors_of(knots_ij), vectors_of(knots_ik), vectors_of(knots_jk),
      vectors_of(columns), vector_of(coefficients), n_columns}));
}

TermPointer zbl(const Ints& numbers, const Doubles& inner, const Doubles& outer) {
  return kernels().zbl(checked(ZblSpec{vector_of(numbers), vector_of(inner), vector_of(outer)}));
}

TermPointer density(int n_species, int order, int l_max, bool triples, bool mixed, int n_radial, const Doubles& low,
                    const Doubles& high, int n_angular, const Doubles& angular_low, const Doubles& angular_high,
                    const Doubles& limits, int n_columns, const Doubles& coefficients) {
  DensitySpec spec;
  spec.n_species = n_species;
  spec.order = order;
  spec.l_max = l_max;
  spec.mixed = mixed;
  spec.radial = {n_radial, vector_of(low), vector_of(high)};
  spec.angular = {n_angular, vector_of(angular_low), vector_of(angular_high)};
  if (triples) spec.couplings = density_couplings(std::min(l_max, 3));
  spec.limits = vector_of(limits);
  spec.coefficients = vector_of(coefficients);
  spec.n_columns = n_columns;
  return kernels().density(checked(std::move(spec)));
}

using Couplings = std::vector<std::tuple<std::vector<int>, std::vector<double>, std::vector<int>>>;

Couplings couplings(int l_max) {
  require(0 <= l_max && l_max <= 3, "l_max: 0 to 3 expected");
  Couplings all;
  for (const auto& c : density_couplings(l_max)) all.emplace_back(c.degrees, c.factors, c.components);
  return all;
}

ScreeningSpec screening(int n_species, const Doubles& c_min, const Doubles& c_max, int kind, bool softmin,
                        double inner, double outer) {
  return checked(ScreeningSpec{n_species, vector_of(c_min), vector_of(c_max), static_cast<ScreeningSpec::Switch>(kind),
                               softmin, inner, outer});
}

TermPointer screened(const ScreeningSpec& spec, TermPointer term) {
  require(term->takes_weights(), "this kind of term knows no weights");
  return kernels().screened(spec, std::move(term));
}

// Forces on ghosts are folded back onto the local atoms that own them.
void evaluate_into(const std::vector<TermPointer>& terms, const Vectors& positions,
                   const Ints& species, const Ints& owners, const Longs& first,
                   const Ints& neighbors, const DoublesOut& energies, const VectorsOut& forces,
                   const DoublesOut& virial, int threads) {
  const NeighborhoodView hood{length(first) - 1, length(positions), positions.data(),
                              species.data(), first.data(), neighbors.data()};
  require(hood.n_local >= 0 && hood.n_local <= hood.n_all, "first: needs 1 to n_all + 1 entries");
  require(length(species) == hood.n_all && length(owners) == hood.n_all,
          "species and owners need one entry per atom");
  require(length(energies) == hood.n_local && length(forces) == hood.n_local && length(virial) == 9,
          "outputs: need energies (n_local), forces (n_local, 3), virial (9)");
  require(first.data()[hood.n_local] <= length(neighbors), "first: points beyond the neighbours");
  const nb::gil_scoped_release release;
  std::vector<double> all(3 * static_cast<std::size_t>(hood.n_all));
  evaluate(terms, hood, energies.data(), all.data(), virial.data(), threads);
  std::copy(all.begin(), all.begin() + 3 * hood.n_local, forces.data());
  for (std::int64_t a = hood.n_local; a < hood.n_all; ++a)
    for (std::int64_t x = 0; x < 3; ++x)
      forces.data()[3 * owners.data()[a] + x] += all[static_cast<std::size_t>(3 * a + x)];
}

void atom_rows_into(const std::vector<TermPointer>& terms, const Vectors& positions, const Ints& species,
                    const Longs& first, const Ints& neighbors, std::int64_t begin, const MatrixOut& rows, int threads) {
  const NeighborhoodView hood{length(first) - 1, length(positions), positions.data(),
                              species.data(), first.data(), neighbors.data()};
  require(hood.n_local >= 0 && hood.n_local <= hood.n_all, "first: needs 1 to n_all + 1 entries");
  require(length(species) == hood.n_all, "species: needs one entry per atom");
  require(first.data()[hood.n_local] <= length(neighbors), "first: points beyond the neighbours");
  std::size_t n_columns = 0;
  for (const auto& term : terms) n_columns += static_cast<std::size_t>(term->n_columns());
  require(rows.shape(1) == n_columns, "rows: need one column per coefficient");
  require(0 <= begin && begin + length(rows) <= hood.n_local, "rows: more than local atoms from begin");
  const nb::gil_scoped_release release;
  atom_rows(terms, hood, begin, begin + length(rows), rows.data(), threads);
}

using Cell = Array<const double, nb::shape<3, 3>>;
using Pbc = Array<const bool, nb::shape<3>>;

void follower_build(Follower& follower, const Vectors& positions, const Ints& species, const Cell& cell,
                    const Pbc& pbc) {
  require(length(positions) == length(species), "species: need one per atom");
  const nb::gil_scoped_release release;
  follower.build(length(positions), positions.data(), species.data(), cell.data(), pbc.data());
}

int follower_age(const Follower& follower, const Vectors& positions, const Cell& deformation, double smallest) {
  require(length(positions) == follower.size(), "positions: build a list of as many atoms first");
  const nb::gil_scoped_release release;
  return follower.age(positions.data(), deformation.data(), smallest);
}

void check_age(int age) {
  require(0 <= age && age < Follower::ages, "age is " + std::to_string(age) + "; build new lists");
}

bool follower_evaluate(Follower& follower, const Vectors& positions, const Cell& cell, int age,
                       const DoublesOut& energies, const VectorsOut& forces, const DoublesOut& virial) {
  require(length(positions) == follower.size() && length(energies) == follower.size() &&
              length(forces) == follower.size() && length(virial) == 9,
          "need positions, energies and forces of the atoms of the list, and virial (9)");
  check_age(age);
  const nb::gil_scoped_release release;
  return follower.evaluate(positions.data(), cell.data(), age, energies.data(), forces.data(), virial.data());
}

bool follower_forces(Follower& follower, const Vectors& positions, const Cell& cell, int age,
                     const VectorsOut& forces) {
  require(length(positions) == follower.size() && length(forces) == follower.size(),
          "need positions and forces of the atoms of the list");
  check_age(age);
  const nb::gil_scoped_release release;
  return follower.evaluate(positions.data(), cell.data(), age, nullptr, forces.data(), nullptr);
}

} // namespace

void bind_terms(nb::module_& m) {
  using namespace nb::literals;
  nb::class_<Term>(m, "Term", "One term of a potential; see native/core/term.hpp.")
      .def_prop_ro("cutoff", &Term::cutoff)
      .def_prop_ro("n_columns", &Term::n_columns)
      .def_prop_ro("n_limits", &Term::n_limits);

  m.def("one_body", &one_body, "columns"_a.noconvert(), "n_columns"_a, "coefficients"_a.noconvert());
  m.def("pair_spline", &pair_spline, "n_species"_a, "table"_a.noconvert(), "knots"_a, "columns"_a,
        "n_columns"_a, "coefficients"_a.noconvert());
  m.def("triplet_spline", &triplet_spline, "n_species"_a, "table"_a.noconvert(), "knots_ij"_a,
        "knots_ik"_a, "knots_jk"_a, "columns"_a, "n_columns"_a, "coefficients"_a.noconvert());
  m.def("zbl", &zbl, "numbers"_a.noconvert(), "inner"_a.noconvert(), "outer"_a.noconvert());
  m.def("density", &density, "n_species"_a, "order"_a, "l_max"_a, "triples"_a, "mixed"_a, "n_radial"_a,
        "low"_a.noconvert(), "high"_a.noconvert(), "n_angular"_a, "angular_low"_a.noconvert(),
        "angular_high"_a.noconvert(), "limits"_a.noconvert(), "n_columns"_a, "coefficients"_a.noconvert());
  m.def("density_couplings", &couplings, "l_max"_a,
        "Return (degrees, factors, components) of each coupling of three components of densities.");
  nb::class_<ScreeningSpec>(m, "Screening", "Weights of neighbours from third atoms; see native/core/specs.hpp.")
      .def("__init__",
           [](ScreeningSpec* self, int n_species, const Doubles& c_min, const Doubles& c_max, int kind, bool softmin,
              double inner, double outer) {
             new (self) ScreeningSpec(screening(n_species, c_min, c_max, kind, softmin, inner, outer));
           },
           "n_species"_a, "c_min"_a.noconvert(), "c_max"_a.noconvert(), "kind"_a, "softmin"_a, "inner"_a, "outer"_a);
  m.def("screened", &screened, "screening"_a, "term"_a);
  m.def("evaluate", &evaluate_into, "terms"_a, "positions"_a.noconvert(), "species"_a.noconvert(),
        "owners"_a.noconvert(), "first"_a.noconvert(), "neighbors"_a.noconvert(),
        "energies"_a.noconvert(), "forces"_a.noconvert(), "virial"_a.noconvert(), "threads"_a);
  m.def("atom_rows", &atom_rows_into, "terms"_a, "positions"_a.noconvert(), "species"_a.noconvert(),
        "first"_a.noconvert(), "neighbors"_a.noconvert(), "begin"_a, "rows"_a.noconvert(), "threads"_a,
        "Write the energies of local atoms from begin on by each coefficient.");
  nb::class_<Follower>(m, "Follower", "Evaluates a structure that moves; see native/core/follower.hpp.")
      .def(nb::init<std::vector<TermPointer>, double, double, bool, int>(), "terms"_a, "cutoff"_a,
           "skin"_a, "mixed"_a, "threads"_a)
      .def("build", &follower_build, "positions"_a.noconvert(), "species"_a.noconvert(),
           "cell"_a.noconvert(), "pbc"_a.noconvert())
      .def("age", &follower_age, "positions"_a.noconvert(), "deformation"_a.noconvert(), "smallest"_a)
      .def("evaluate", &follower_evaluate, "positions"_a.noconvert(), "cell"_a.noconvert(), "age"_a,
           "energies"_a.noconvert(), "forces"_a.noconvert(), "virial"_a.noconvert())
      .def("forces", &follower_forces, "positions"_a.noconvert(), "cell"_a.noconvert(), "age"_a,
           "forces"_a.noconvert())
      .def_prop_ro("bytes", &Follower::bytes);
  m.def("instruction_sets", &available_instruction_sets,
        "Instruction sets that this processor can run, best first.");
  m.def("instruction_set", [] { return kernels().name; }, "Instruction set in use.");
}

} // namespace trimpot

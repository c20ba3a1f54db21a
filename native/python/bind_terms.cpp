// Terms and their evaluation on one neighbourhood.
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "../core/evaluate.hpp"
#include "../core/follower.hpp"
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

void check_columns(const std::vector<std::int32_t>& columns, int n_columns) {
  for (const std::int32_t c : columns)
    require(c >= -1 && c < n_columns, "column " + std::to_string(c) + " is outside -1 .. " +
                                          std::to_string(n_columns - 1));
}

void check_coefficients(const std::vector<double>& coefficients, int n_columns) {
  require(coefficients.empty() || static_cast<int>(coefficients.size()) == n_columns,
          "found " + std::to_string(coefficients.size()) + " coefficients, expected " +
              std::to_string(n_columns));
}

void check_table(const std::vector<std::int32_t>& table, std::size_t size, std::size_t n_tables) {
  require(table.size() == size, "table has " + std::to_string(table.size()) +
                                    " entries, expected " + std::to_string(size));
  for (const std::int32_t t : table)
    require(t >= -1 && t < static_cast<std::int32_t>(n_tables), "table entry out of range");
}

TermPointer one_body(const Ints& columns, int n_columns, const Doubles& coefficients) {
  OneBodySpec spec{vector_of(columns), vector_of(coefficients), n_columns};
  check_columns(spec.columns, n_columns);
  check_coefficients(spec.coefficients, n_columns);
  return kernels().one_body(std::move(spec));
}

TermPointer pair_spline(int n_species, const Ints& table, const std::vector<Doubles>& knots,
                        const std::vector<Ints>& columns, int n_columns,
                        const Doubles& coefficients) {
  PairSplineSpec spec{n_species, vector_of(table), vectors_of(knots), vectors_of(columns),
                      vector_of(coefficients), n_columns};
  check_table(spec.table, static_cast<std::size_t>(n_species * n_species), spec.knots.size());
  check_coefficients(spec.coefficients, n_columns);
  require(spec.columns.size() == spec.knots.size(), "one column map per knot vector is needed");
  for (std::size_t t = 0; t < spec.knots.size(); ++t) {
    require(spec.columns[t].size() + 4 == spec.knots[t].size(),
            "a column map needs one entry per basis function (knots - 4)");
    check_columns(spec.columns[t], n_columns);
  }
  return kernels().pair_spline(std::move(spec));
}

TermPointer triplet_spline(int n_species, const Ints& table, const std::vector<Doubles>& knots_ij,
                           const std::vector<Doubles>& knots_ik, const std::vector<Doubles>& knots_jk,
                           const std::vector<Ints>& columns, int n_columns,
                           const Doubles& coefficients) {
  TripletSplineSpec spec{n_species, vector_of(table), vectors_of(knots_ij), vectors_of(knots_ik),
                         vectors_of(knots_jk), vectors_of(columns), vector_of(coefficients), n_columns};
  const std::size_t n = spec.columns.size();
  check_table(spec.table, static_cast<std::size_t>(n_species * n_species * n_species), n);
  check_coefficients(spec.coefficients, n_columns);
  require(spec.knots_ij.size() == n && spec.knots_ik.size() == n && spec.knots_jk.size() == n,
          "one column map per set of knots is needed");
  for (std::size_t t = 0; t < n; ++t) {
    const std::size_t basis[3] = {spec.knots_ij[t].size(), spec.knots_ik[t].size(), spec.knots_jk[t].size()};
    require(basis[0] > 4 && basis[1] > 4 && basis[2] > 4 &&
                spec.columns[t].size() == (basis[0] - 4) * (basis[1] - 4) * (basis[2] - 4),
            "a column map needs one entry per product of basis functions");
    check_columns(spec.columns[t], n_columns);
  }
  return kernels().triplet_spline(std::move(spec));
}

TermPointer zbl(const Ints& numbers, const Doubles& inner, const Doubles& outer) {
  ZblSpec spec{vector_of(numbers), vector_of(inner), vector_of(outer)};
  const std::size_t n = spec.numbers.size() * spec.numbers.size();
  require(spec.inner.size() == n && spec.outer.size() == n, "inner and outer need n_species^2 entries");
  for (std::size_t p = 0; p < n; ++p)
    require(0.0 < spec.inner[p] && spec.inner[p] < spec.outer[p], "need 0 < inner < outer");
  return kernels().zbl(std::move(spec));
}

TermPointer density(int n_species, int order, int l_max, bool mixed, int n_radial, const Doubles& low, const Doubles& high,
                    int n_angular, const Doubles& angular_low, const Doubles& angular_high,
                    const std::vector<Ints>& degrees, const std::vector<Doubles>& factors, const std::vector<Ints>& components, const Doubles& limits,
                    int n_columns, const Doubles& coefficients) {
  DensitySpec spec;
  spec.n_species = n_species;
  spec.order = order;
  spec.l_max = l_max;
  spec.mixed = mixed;
  spec.radial = {n_radial, vector_of(low), vector_of(high)};
  spec.angular = {n_angular, vector_of(angular_low), vector_of(angular_high)};
  spec.limits = vector_of(limits);
  spec.coefficients = vector_of(coefficients);
  spec.n_columns = n_columns;
  require(n_species > 0 && n_radial > 0 && n_angular >= 0, "need at least one species and one density");
  require(2 <= order && order <= 4 && 0 <= l_max && l_max <= 3 && (l_max == 0) == (n_angular == 0),
          "need order 2 to 4, l_max 0 to 3, and angular functions where l_max is not 0");
  const auto n_pairs = static_cast<std::size_t>(n_species * n_species);
  for (const auto* radial : {&spec.radial, &spec.angular}) {
    require(radial->low.size() == n_pairs && radial->high.size() == n_pairs, "low and high need n_species^2 entries");
    for (std::size_t p = 0; p < n_pairs; ++p) require(radial->low[p] < radial->high[p], "need low < high");
  }
  require(factors.size() == components.size() && factors.size() == degrees.size(), "couplings need degrees, factors and components");
  for (std::size_t f = 0; f < factors.size(); ++f) {
    const auto& coupling = spec.couplings.emplace_back(
        DensitySpec::Coupling{vector_of(degrees[f]), vector_of(factors[f]), vector_of(components[f])});
    const auto& l = coupling.degrees;
    require(l.size() == 3 && 1 <= l[0] && l[0] <= l[1] && l[1] <= l[2] && l[2] <= l_max, "degrees: need three ascending, 1 to l_max");
    require(coupling.components.size() == 3 * coupling.factors.size(), "a coupling needs three components per factor");
    for (std::size_t c = 0; c < coupling.components.size(); ++c)
      require(l[c % 3] * l[c % 3] - 1 <= coupling.components[c] && coupling.components[c] < (l[c % 3] + 1) * (l[c % 3] + 1) - 1,
              "component is not one of its degree");
  }
  require(static_cast<int>(spec.limits.size()) == n_species * spec.n_limits(), "limits need one entry per species and number");
  require(n_species * spec.columns_of_species() == n_columns, "n_columns: " + std::to_string(n_species * spec.columns_of_species()) + " are needed");
  check_coefficients(spec.coefficients, n_columns);
  return kernels().density(std::move(spec));
}

ScreeningSpec screening(int n_species, const Doubles& c_min, const Doubles& c_max, int kind, bool softmin,
                        double inner, double outer) {
  ScreeningSpec spec{n_species, vector_of(c_min), vector_of(c_max), static_cast<ScreeningSpec::Switch>(kind), softmin,
                     inner, outer};
  require(n_species > 0, "n_species: must be at least 1");
  const auto n = static_cast<std::size_t>(n_species);
  require(spec.c_min.size() == n * n * n && spec.c_max.size() == n * n * n, "c_min and c_max need n_species^3 entries");
  for (std::size_t t = 0; t < spec.c_min.size(); ++t)
    require(spec.c_min[t] < spec.c_max[t], "need c_min < c_max");
  require(0 <= kind && kind <= 3, "switch: smooth 0, bump 1, quintic 2, meam 3");
  require((inner == 0.0 && outer == 0.0) || (0.0 <= inner && inner < outer), "need 0 <= inner < outer, or both 0");
  return spec;
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
  m.def("density", &density, "n_species"_a, "order"_a, "l_max"_a, "mixed"_a, "n_radial"_a, "low"_a.noconvert(),
        "high"_a.noconvert(), "n_angular"_a, "angular_low"_a.noconvert(), "angular_high"_a.noconvert(), "degrees"_a, "factors"_a,
        "components"_a, "limits"_a.noconvert(), "n_columns"_a, "coefficients"_a.noconvert());
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

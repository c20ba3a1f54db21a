#include "term_specs.hpp"

#include <algorithm>

#include "../core/density_couplings.hpp"
#include "grids.hpp"

namespace trimpot {

namespace {

constexpr int frozen = -1, absent = -2; // grid points frozen at zero, and those that no triangle can touch
constexpr int most_functions = 40;
constexpr double largest_c = 10.0;

std::int64_t n_basis(const std::vector<double>& knots) { return static_cast<std::int64_t>(knots.size()) - 4; }

// Two neighbours of one species must be exchangeable.
void require_symmetric(const TripletSplineSpec& spec, std::size_t t, const Node& grid) {
  const auto& columns = spec.columns[t];
  bool same = spec.knots_ij[t] == spec.knots_ik[t];
  const auto n = static_cast<std::size_t>(n_basis(spec.knots_ij[t]));
  const auto depth = static_cast<std::size_t>(n_basis(spec.knots_jk[t]));
  for (std::size_t l = 0; same && l < n; ++l)
    for (std::size_t m = 0; m < l; ++m) {
      const auto *const one = columns.data() + (l * n + m) * depth, *const other = columns.data() + (m * n + l) * depth;
      same = same && std::equal(one, one + depth, other);
    }
  grid.require(same, "V3 that is the same when equal neighbours are exchanged");
}

void add_trios(TripletSplineSpec& spec, const Node& grid, const Species& species) {
  const std::size_t t = spec.columns.size() - 1, n = species.size();
  const auto trios = grid.at("trios").items();
  grid.at("trios").require(!trios.empty(), "one trio or more");
  for (const Node& trio : trios) {
    const auto place = elements_of(trio, 3, species);
    trio.require(place[1] <= place[2], "neighbours in ascending order");
    std::int32_t& entry = spec.table[(place[0] * n + place[1]) * n + place[2]];
    trio.require(entry < 0, "a trio that no other grid has");
    entry = static_cast<std::int32_t>(t);
    if (place[1] == place[2]) require_symmetric(spec, t, grid);
  }
}

DensitySpec::Radial radial_of(const Node& state, std::size_t n_species, int fewest) {
  state.expect_fields({"n", "low", "high"});
  DensitySpec::Radial radial{state.at("n").integer(fewest, most_functions),
                             symmetric_matrix(state.at("low"), n_species),
                             symmetric_matrix(state.at("high"), n_species)};
  for (std::size_t p = 0; p < radial.low.size(); ++p)
    state.require(0.0 <= radial.low[p] && radial.low[p] < radial.high[p] && radial.high[p] <= longest_cutoff,
                  "0 <= low < high <= 100 A");
  return radial;
}

template <class Values>
void require_same_ends(const Values& values, std::size_t n, const Node& node) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j)
      for (std::size_t k = 0; k < n; ++k)
        node.require(values[(i * n + j) * n + k] == values[(j * n + i) * n + k], "the same for both ends of a pair");
}

} // namespace

PairSplineSpec pair_spec(const Node& state, const Species& species) {
  state.expect_fields({"curves"});
  const std::size_t n = species.size();
  PairSplineSpec spec;
  spec.n_species = static_cast<int>(n);
  spec.table.assign(n * n, -1);
  for (const Node& curve : state.at("curves").items()) {
    curve.expect_fields({"pair", "knots", "columns", "wall"});
    const auto pair = elements_of(curve.at("pair"), 2, species);
    curve.at("pair").require(pair[0] <= pair[1], "a pair in ascending order");
    curve.at("pair").require(spec.table[pair[0] * n + pair[1]] < 0, "a pair that no other curve has");
    for (const std::size_t entry : {pair[0] * n + pair[1], pair[1] * n + pair[0]})
      spec.table[entry] = static_cast<std::int32_t>(spec.knots.size());
    spec.knots.push_back(knots_of(curve.at("knots")));
    spec.columns.push_back(columns_of(curve.at("columns"), {n_basis(spec.knots.back())}, frozen));
    auto free = spec.columns.back();
    std::sort(free.begin(), free.end());
    const auto first = std::lower_bound(free.begin(), free.end(), 0);
    curve.at("columns").require(std::adjacent_find(first, free.end()) == free.end(),
                                "splines that share no coefficient");
    curve.at("wall").distance();
  }
  spec.n_columns = count_columns(spec.columns, state);
  return spec;
}

TripletSplineSpec triplet_spec(const Node& state, const Species& species) {
  state.expect_fields({"grids"});
  const std::size_t n = species.size();
  TripletSplineSpec spec;
  spec.n_species = static_cast<int>(n);
  spec.table.assign(n * n * n, -1);
  for (const Node& grid : state.at("grids").items()) {
    grid.expect_fields({"trios", "knots_ij", "knots_ik", "knots_jk", "columns"});
    spec.knots_ij.push_back(knots_of(grid.at("knots_ij")));
    spec.knots_ik.push_back(knots_of(grid.at("knots_ik")));
    spec.knots_jk.push_back(knots_of(grid.at("knots_jk")));
    spec.columns.push_back(columns_of(
        grid.at("columns"),
        {n_basis(spec.knots_ij.back()), n_basis(spec.knots_ik.back()), n_basis(spec.knots_jk.back())}, absent));
    add_trios(spec, grid, species);
  }
  spec.n_columns = count_columns(spec.columns, state);
  return spec;
}

ZblSpec zbl_spec(const Node& state, const Species& species) {
  state.expect_fields({"inner", "outer"});
  ZblSpec spec{{species.begin(), species.end()}, symmetric_matrix(state.at("inner"), species.size()),
               symmetric_matrix(state.at("outer"), species.size())};
  for (std::size_t p = 0; p < spec.inner.size(); ++p)
    state.require(0.0 < spec.inner[p] && spec.inner[p] < spec.outer[p] && spec.outer[p] <= longest_cutoff,
                  "0 < inner < outer <= 100 A for every pair");
  return spec;
}

DensitySpec density_spec(const Node& state, const Species& species) {
  state.expect_fields({"radial", "order", "angular", "l_max", "triples", "mixed", "limits"});
  DensitySpec spec;
  spec.n_species = static_cast<int>(species.size());
  spec.radial = radial_of(state.at("radial"), species.size(), 1);
  spec.angular = radial_of(state.at("angular"), species.size(), 0);
  spec.order = state.at("order").integer(2, 4);
  const int some = std::min(spec.angular.n, 1);
  spec.l_max = state.at("l_max").integer(some, 3 * some);
  if (state.at("triples").flag()) spec.couplings = density_couplings(spec.l_max);
  spec.mixed = state.at("mixed").flag();
  spec.limits = state.at("limits").doubles({spec.n_species, spec.n_limits()});
  for (const double limit : spec.limits) state.at("limits").require(limit >= 0.0, "numbers from 0");
  return spec;
}

ScreeningSpec envelope_spec(const Node& state, const Species& species) {
  state.expect_fields({"c_min", "c_max", "screens", "switch", "combine", "inner", "outer"});
  const std::size_t n = species.size();
  const auto size = static_cast<std::int64_t>(n);
  ScreeningSpec spec;
  spec.n_species = static_cast<int>(n);
  spec.c_min = state.at("c_min").doubles({size, size, size});
  spec.c_max = state.at("c_max").doubles({size, size, size});
  const auto screens = state.at("screens").integers({size, size, size});
  require_same_ends(spec.c_min, n, state.at("c_min"));
  require_same_ends(spec.c_max, n, state.at("c_max"));
  require_same_ends(screens, n, state.at("screens"));
  for (std::size_t t = 0; t < screens.size(); ++t) {
    state.require(0.0 <= spec.c_min[t] && spec.c_min[t] < spec.c_max[t] && spec.c_max[t] <= largest_c,
                  "0 <= c_min < c_max <= 10");
    if (screens[t] == 0) spec.c_min[t] = -2.0, spec.c_max[t] = -1.0; // C lies above both, always
  }
  spec.kind = static_cast<ScreeningSpec::Switch>(state.at("switch").choice({"smooth", "bump", "quintic", "meam"}));
  spec.softmin = state.at("combine").choice({"product", "softmin"}) == 1;
  spec.inner = state.at("inner").distance();
  spec.outer = state.at("outer").distance();
  state.require((spec.inner == 0.0 && spec.outer == 0.0) || spec.inner < spec.outer, "inner < outer, or both 0");
  return spec;
}

} // namespace trimpot

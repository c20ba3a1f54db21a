#include "spec_checks.hpp"

#include <algorithm>
#include <string>

#include "require.hpp"

namespace trimpot {

namespace {

constexpr int widest_network = 1024; // channels, knots, hidden features

void check_columns(const std::vector<std::int32_t>& columns, int n_columns) {
  for (const std::int32_t c : columns)
    if (c < -1 || c >= n_columns)
      throw std::invalid_argument("column " + std::to_string(c) + " is outside -1 .. " + std::to_string(n_columns - 1));
}

void check_coefficients(const std::vector<double>& coefficients, int n_columns) {
  require(coefficients.empty() || static_cast<int>(coefficients.size()) == n_columns,
          "found " + std::to_string(coefficients.size()) + " coefficients, expected " + std::to_string(n_columns));
}

void check_table(const std::vector<std::int32_t>& table, int n_species, int order, std::size_t n_tables) {
  require(n_species > 0, "n_species: must be at least 1");
  std::size_t size = 1;
  for (int i = 0; i < order; ++i) size *= static_cast<std::size_t>(n_species);
  require(table.size() == size,
          "table has " + std::to_string(table.size()) + " entries, expected " + std::to_string(size));
  for (const std::int32_t t : table)
    require(t >= -1 && t < static_cast<std::int32_t>(n_tables), "table entry out of range");
}

std::size_t n_basis(const std::vector<double>& knots) { return knots.size() > 4 ? knots.size() - 4 : 0; }

void check_radial(const DensitySpec::Radial& radial, std::size_t n_pairs) {
  require(radial.low.size() == n_pairs && radial.high.size() == n_pairs, "low and high need n_species^2 entries");
  for (std::size_t p = 0; p < n_pairs; ++p) require(radial.low[p] < radial.high[p], "need low < high");
}

void check_coupling(const DensitySpec::Coupling& coupling, int l_max) {
  const auto& l = coupling.degrees;
  require(l.size() == 3 && 1 <= l[0] && l[0] <= l[1] && l[1] <= l[2] && l[2] <= l_max,
          "degrees: need three ascending, 1 to l_max");
  require(coupling.components.size() == 3 * coupling.factors.size(), "a coupling needs three components per factor");
  for (std::size_t c = 0; c < coupling.components.size(); ++c)
    require(l[c % 3] * l[c % 3] - 1 <= coupling.components[c] &&
                coupling.components[c] < (l[c % 3] + 1) * (l[c % 3] + 1) - 1,
            "component is not one of its degree");
}

// Of all central species. Counts first what might be more than can be counted one by one.
void check_number_of_columns(const DensitySpec& spec) {
  const std::int64_t n_rho = spec.n_rho(), n_a = spec.n_a(), n_p = spec.n_p();
  const std::int64_t fewest_triples = spec.couplings.empty() ? 0 : n_a * n_a * n_a / 6;
  const std::int64_t most = std::max({spec.n_products(), spec.mixed ? n_rho * n_p : 0, fewest_triples});
  require(most <= spec.n_columns, "n_columns: found " + std::to_string(spec.n_columns) + ", " + std::to_string(most) +
                                      " or more are needed");
  const std::int64_t needed = spec.n_species * spec.columns_of_species();
  require(needed == spec.n_columns,
          "n_columns: found " + std::to_string(spec.n_columns) + ", " + std::to_string(needed) + " are needed");
}

bool is_width(int width) { return width % 16 == 0 && 0 <= width && width <= widest_network; }

} // namespace

void check(const OneBodySpec& spec) {
  check_columns(spec.columns, spec.n_columns);
  check_coefficients(spec.coefficients, spec.n_columns);
}

void check(const PairSplineSpec& spec) {
  check_table(spec.table, spec.n_species, 2, spec.knots.size());
  check_coefficients(spec.coefficients, spec.n_columns);
  require(spec.columns.size() == spec.knots.size(), "one column map per knot vector is needed");
  for (std::size_t t = 0; t < spec.knots.size(); ++t) {
    require(spec.columns[t].size() + 4 == spec.knots[t].size(),
            "a column map needs one entry per basis function (knots - 4)");
    check_columns(spec.columns[t], spec.n_columns);
  }
}

void check(const TripletSplineSpec& spec) {
  const std::size_t n = spec.columns.size();
  check_table(spec.table, spec.n_species, 3, n);
  check_coefficients(spec.coefficients, spec.n_columns);
  require(spec.knots_ij.size() == n && spec.knots_ik.size() == n && spec.knots_jk.size() == n,
          "one column map per set of knots is needed");
  for (std::size_t t = 0; t < n; ++t) {
    const std::size_t products = n_basis(spec.knots_ij[t]) * n_basis(spec.knots_ik[t]) * n_basis(spec.knots_jk[t]);
    require(products > 0 && spec.columns[t].size() == products,
            "a column map needs one entry per product of basis functions");
    check_columns(spec.columns[t], spec.n_columns);
  }
}

void check(const ZblSpec& spec) {
  const std::size_t n = spec.numbers.size() * spec.numbers.size();
  require(spec.inner.size() == n && spec.outer.size() == n, "inner and outer need n_species^2 entries");
  for (std::size_t p = 0; p < n; ++p)
    require(0.0 < spec.inner[p] && spec.inner[p] < spec.outer[p], "need 0 < inner < outer");
}

void check(const DensitySpec& spec) {
  require(0 < spec.n_species && spec.n_species <= 1000 && 0 < spec.radial.n && spec.radial.n <= 1000 &&
              0 <= spec.angular.n && spec.angular.n <= 1000,
          "need at least one species and one density, and at most 1000");
  require(2 <= spec.order && spec.order <= 4 && 0 <= spec.l_max && spec.l_max <= 3 &&
              (spec.l_max == 0) == (spec.angular.n == 0),
          "need order 2 to 4, l_max 0 to 3, and angular functions where l_max is not 0");
  require(std::max(spec.n_rho(), spec.n_a()) <= 10000, "need at most 10000 densities around an atom");
  const auto n_pairs = static_cast<std::size_t>(spec.n_species * spec.n_species);
  check_radial(spec.radial, n_pairs);
  check_radial(spec.angular, n_pairs);
  for (const auto& coupling : spec.couplings) check_coupling(coupling, spec.l_max);
  require(spec.limits.size() == static_cast<std::size_t>(spec.n_species) * static_cast<std::size_t>(spec.n_limits()),
          "limits need one entry per species and number");
  check_number_of_columns(spec);
  check_coefficients(spec.coefficients, spec.n_columns);
}

void check(const ScreeningSpec& spec) {
  require(spec.n_species > 0, "n_species: must be at least 1");
  const auto n = static_cast<std::size_t>(spec.n_species);
  require(spec.c_min.size() == n * n * n && spec.c_max.size() == n * n * n, "c_min and c_max need n_species^3 entries");
  for (std::size_t t = 0; t < spec.c_min.size(); ++t) require(spec.c_min[t] < spec.c_max[t], "need c_min < c_max");
  require(ScreeningSpec::Switch::smooth <= spec.kind && spec.kind <= ScreeningSpec::Switch::meam,
          "switch: smooth 0, bump 1, quintic 2, meam 3");
  require((spec.inner == 0.0 && spec.outer == 0.0) || (0.0 <= spec.inner && spec.inner < spec.outer),
          "need 0 <= inner < outer, or both 0");
}

void check(const EdgeWeightSpec& spec) {
  require(RadialSpec::Kind::cosine <= spec.radial.kind && spec.radial.kind <= RadialSpec::Kind::bump,
          "kind: 0, 1 or 2 expected");
  require(0.0 < spec.radial.cutoff && spec.radial.cutoff < 1e3, "cutoff: must be above 0 and below 1000 A");
  require(2 <= spec.radial.power && spec.radial.power <= 1000, "power: must be 2 to 1000");
  if (spec.screened) check(spec.screening);
}

void check(const NetworkShape& s) {
  require(s.n_species >= 1 && s.layers >= 1 && s.layers <= 16, "network: n_species and layers must be 1 or more");
  require(is_width(s.channels) && s.channels > 0 && is_width(s.readout_hidden) && s.readout_hidden > 0 &&
              is_width(s.gate_hidden),
          "network: channels, readout_hidden and gate_hidden must be multiples of 16, up to " +
              std::to_string(widest_network));
  require(0 <= s.l_max && s.l_max <= 3 && 1 <= s.correlation && s.correlation <= 3 && 1 <= s.knots &&
              s.knots <= widest_network,
          "network: l_max, correlation or knots out of range");
  require(0 <= s.heads && s.heads <= most_attention_heads && !s.pooling.empty() && s.pooling.size() <= most_poolings,
          "network: found too many heads or poolings");
  for (const int kind : s.pooling) require(0 <= kind && kind < 2 + s.heads, "network: pooling out of range");
  require(static_cast<int>(s.pooling_of_channel.size()) == s.channels, "network: pooling of every channel expected");
  for (const int pool : s.pooling_of_channel)
    require(-1 <= pool && pool < static_cast<int>(s.pooling.size()), "network: pooling of a channel out of range");
  const int n = s.components();
  require(0 <= s.n_paths && s.n_paths <= n * n * n, "network: number of paths out of range");
  for (const auto& c : s.couplings)
    require(0 <= c.path && c.path < s.n_paths && 0 <= c.a && c.a < n && 0 <= c.b && c.b < n && 0 <= c.c && c.c < n,
            "network: coupling out of range");
  require(s.cutoff > 0.0 && s.mean_weight > 0.0, "network: cutoff and mean weight must be positive");
}

} // namespace trimpot

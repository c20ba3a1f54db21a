// Compiled once per instruction set, with TRIMPOT_ISA naming its namespace.
#ifndef TRIMPOT_ISA
#error "define TRIMPOT_ISA"
#endif

#include "edge_weights.hpp"

namespace trimpot::TRIMPOT_ISA {

void weigh_edges(const EdgeWeightSpec& spec, const PairsView& pairs, std::int64_t begin, std::int64_t end,
                 WeightedEdges& edges) {
  std::int64_t most = 0;
  for (std::int64_t i = begin; i < end; ++i) most = std::max(most, pairs.first[i + 1] - pairs.first[i]);
  EdgeWeighing weighing(spec, pairs, most);
  for (std::int64_t i = begin; i < end; ++i) weighing.run(i, edges);
}

namespace {

struct Pull {
  double x, y, z;
};

// Sums of what the edges of an atom pull, and of r (x) pull.
struct Sums {
  double pull[3] = {}, strain[9] = {};

  TRIMPOT_INLINE void add(const double* r, Pull g) {
    pull[0] += g.x, pull[1] += g.y, pull[2] += g.z;
    for (int a = 0; a < 3; ++a) {
      double* const row = strain + 3 * a;
      row[0] += r[a] * g.x, row[1] += r[a] * g.y, row[2] += r[a] * g.z;
    }
  }
};

TRIMPOT_INLINE void subtract(double* force, Pull g) { force[0] -= g.x, force[1] -= g.y, force[2] -= g.z; }

} // namespace

void pull_back(const WeightedEdges& edges, const EdgeTangents& by, std::int64_t begin, std::int64_t end, double* forces,
               double* strains) {
  const std::int64_t *const first = edges.first.data(), *const screened = edges.screened.data();
  const auto n_triplets = static_cast<std::int64_t>(edges.screened.size());
  const std::int32_t *const neighbors = edges.neighbors.data(), *const screening = edges.screening.data();
  const double *const vectors = edges.vectors.data(), *const slopes = edges.slopes.data();
  const double *const to_k = edges.to_screening.data(), *const k_slopes = edges.screening_slopes.data();
  const std::int64_t first_edge = first[begin];
  const auto before = [&](std::int64_t e) { return e < first_edge; };
  std::int64_t t = std::partition_point(screened, screened + n_triplets, before) - screened;
  for (std::int64_t i = begin; i < end; ++i) {
    Sums sums;
    for (std::int64_t e = first[i]; e < first[i + 1]; ++e) {
      const double w = by.weights[e];
      const double *const s = slopes + 3 * e, *const v = by.vectors + 3 * e;
      const Pull g{v[0] + w * s[0], v[1] + w * s[1], v[2] + w * s[2]};
      sums.add(vectors + 3 * e, g);
      subtract(forces + 3 * std::int64_t{neighbors[e]}, g);
    }
    for (; t < n_triplets && screened[t] < first[i + 1]; ++t) {
      const double w = by.weights[screened[t]];
      const double* const s = k_slopes + 3 * t;
      const Pull g{w * s[0], w * s[1], w * s[2]};
      sums.add(to_k + 3 * t, g);
      subtract(forces + 3 * std::int64_t{screening[t]}, g);
    }
    for (int c = 0; c < 3; ++c) forces[3 * i + c] += sums.pull[c];
    std::copy_n(sums.strain, 9, strains + 9 * i);
  }
}

} // namespace trimpot::TRIMPOT_ISA

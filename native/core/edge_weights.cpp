#include "edge_weights.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "kernels.hpp"
#include "threads.hpp"

namespace trimpot {

namespace {

constexpr std::int64_t atoms_per_thread = 50; // below that a thread costs more than it saves

template <class T>
void place(const AlignedVector<T>& part, AlignedVector<T>& all, std::int64_t at) {
  std::copy(part.begin(), part.end(), all.begin() + at);
}

void place(const AlignedVector<std::int64_t>& part, AlignedVector<std::int64_t>& all, std::int64_t at,
           std::int64_t added) {
  std::transform(part.begin(), part.end(), all.begin() + at, [added](std::int64_t e) { return e + added; });
}

template <class T>
void resize(AlignedVector<T>& a, std::int64_t n) {
  a.resize(static_cast<std::size_t>(n));
}

// Where the numbers of a part go.
struct Start {
  std::int64_t atoms = 0, edges = 0, triplets = 0;
};

void place(const WeightedEdges& part, const Start& start, WeightedEdges& all) {
  place(part.first, all.first, start.atoms, start.edges);
  place(part.index, all.index, start.edges);
  place(part.neighbors, all.neighbors, start.edges);
  place(part.vectors, all.vectors, 3 * start.edges);
  place(part.weights, all.weights, start.edges);
  place(part.slopes, all.slopes, 3 * start.edges);
  place(part.screened, all.screened, start.triplets, start.edges);
  place(part.screening, all.screening, start.triplets);
  place(part.to_screening, all.to_screening, 3 * start.triplets);
  place(part.screening_slopes, all.screening_slopes, 3 * start.triplets);
}

void clear(WeightedEdges& e) {
  for (auto* a : {&e.first, &e.index, &e.screened}) a->clear();
  for (auto* a : {&e.neighbors, &e.screening}) a->clear();
  for (auto* a : {&e.vectors, &e.weights, &e.slopes, &e.to_screening, &e.screening_slopes}) a->clear();
}

WeightedEdges joined(const std::vector<WeightedEdges>& parts) {
  std::vector<Start> starts(1);
  for (const auto& part : parts) {
    const Start& last = starts.back();
    starts.push_back({last.atoms + static_cast<std::int64_t>(part.first.size()),
                      last.edges + static_cast<std::int64_t>(part.weights.size()),
                      last.triplets + static_cast<std::int64_t>(part.screened.size())});
  }
  const auto [atoms, edges, triplets] = starts.back();
  WeightedEdges all;
  resize(all.first, atoms);
  resize(all.index, edges);
  resize(all.neighbors, edges);
  resize(all.vectors, 3 * edges);
  resize(all.weights, edges);
  resize(all.slopes, 3 * edges);
  resize(all.screened, triplets);
  resize(all.screening, triplets);
  resize(all.to_screening, 3 * triplets);
  resize(all.screening_slopes, 3 * triplets);
  on_threads(static_cast<int>(parts.size()), [&](int t) {
    const auto k = static_cast<std::size_t>(t);
    place(parts[k], starts[k], all);
  });
  return all;
}

} // namespace

WeightedEdges weigh_edges(const EdgeWeightSpec& spec, const PairsView& pairs, int threads, WeightedEdges memory) {
  const int n = thread_count(threads, pairs.n_atoms / atoms_per_thread);
  std::vector<WeightedEdges> parts(static_cast<std::size_t>(n));
  parts[0] = std::move(memory);
  clear(parts[0]);
  on_threads(n, [&](int t) {
    kernels().weigh_edges(spec, pairs, pairs.n_atoms * t / n, pairs.n_atoms * (t + 1) / n,
                          parts[static_cast<std::size_t>(t)]);
  });
  WeightedEdges all = n == 1 ? std::move(parts[0]) : joined(parts);
  all.first.push_back(static_cast<std::int64_t>(all.weights.size()));
  return all;
}

// The atoms are divided in a way that does not depend on the number of threads.
void pull_back(const WeightedEdges& edges, const double* by_vectors, const double* by_weights, std::int64_t n_all,
               double* forces, double* strains, int threads) {
  const auto n = static_cast<std::int64_t>(edges.first.size()) - 1;
  constexpr std::int64_t most_parts = 16, atoms_per_part = 500;
  const std::int64_t parts = std::clamp<std::int64_t>(n / atoms_per_part, 1, most_parts);
  AlignedVector<double> others(static_cast<std::size_t>((parts - 1) * 3 * n_all));
  const auto of_part = [&](std::int64_t p) { return p == 0 ? forces : others.data() + (p - 1) * 3 * n_all; };
  for_each_item(parts, threads, [&](std::int64_t p) {
    std::fill_n(of_part(p), 3 * n_all, 0.0);
    const std::int64_t begin = n * p / parts, end = n * (p + 1) / parts;
    kernels().pull_back(edges, {by_vectors, by_weights}, begin, end, of_part(p), strains);
  });
  for_each_item(parts, threads, [&](std::int64_t piece) {
    for (std::int64_t p = 1; p < parts; ++p)
      for (std::int64_t k = 3 * (n_all * piece / parts); k < 3 * (n_all * (piece + 1) / parts); ++k)
        forces[k] += of_part(p)[k];
  });
}

namespace {

// The positions of pairs, or nothing.
AlignedVector<double> rows_of_four(const PairsView& pairs) {
  const std::int64_t n = pairs.positions == nullptr ? 0 : pairs.n_all;
  AlignedVector<double> rows(static_cast<std::size_t>(4 * n));
  for (std::int64_t a = 0; a < n; ++a) {
    double* const row = rows.data() + 4 * a;
    std::copy_n(pairs.positions + 3 * a, 3, row);
    row[3] = 0.0;
  }
  return rows;
}

void add_up_virials(const StructuresView& structures, const double* strains, double* virials) {
  std::fill_n(virials, 9 * structures.n, 0.0);
  for (std::int64_t s = 0; s < structures.n; ++s)
    for (std::int64_t i = structures.first[s]; i < structures.first[s + 1]; ++i)
      for (int c = 0; c < 9; ++c) virials[9 * s + c] -= strains[9 * i + c];
}

} // namespace

void evaluate_network(const Network& network, const EdgeWeightSpec& spec, const PairsView& pairs,
                      const StructuresView& structures, const NetworkResults& results, int threads) {
  const AlignedVector<double> rows = rows_of_four(pairs);
  PairsView from = pairs;
  if (!rows.empty()) from.rows = rows.data();
  const WeightedEdges edges = weigh_edges(spec, from, threads);
  AlignedVector<double> by_vectors(edges.vectors.size()), by_weights(edges.weights.size());
  network.evaluate({pairs.n_atoms, pairs.species, edges.first.data(), edges.neighbors.data(), edges.vectors.data(),
                    edges.weights.data()},
                   results.energies, {by_vectors.data(), by_weights.data()}, threads);
  AlignedVector<double> strains(static_cast<std::size_t>(9 * pairs.n_atoms));
  pull_back(edges, by_vectors.data(), by_weights.data(), pairs.n_atoms, results.forces, strains.data(), threads);
  add_up_virials(structures, strains.data(), results.virials);
}

} // namespace trimpot

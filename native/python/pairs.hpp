// Pairs of atoms as arrays, checked.
#pragma once

#include <algorithm>
#include <string>

#include "../core/edge_weights.hpp"
#include "arrays.hpp"

namespace trimpot {

inline bool inside(const Ints& indices, std::int64_t end) {
  bool all = true; // no early end: whole vectors
  for (const std::int32_t *i = indices.data(), *last = i + length(indices); i != last; ++i)
    all &= static_cast<std::uint32_t>(*i) < static_cast<std::uint64_t>(end);
  return all;
}

inline void check_pairs(const EdgeWeightSpec& spec, const Ints& species, const Longs& first, const Ints& neighbors) {
  const std::int64_t n = length(species), m = length(neighbors);
  require(length(first) == n + 1 && first.data()[0] == 0 && first.data()[n] == m &&
              std::is_sorted(first.data(), first.data() + n + 1),
          "first: must ascend from 0 to the number of pairs, " + std::to_string(m) +
              ", with one entry more than atoms");
  require(!spec.screened || inside(species, spec.screening.n_species), "species: outside those of the screening");
}

// Pairs of atoms whose vectors are given.
inline PairsView pairs_view(const EdgeWeightSpec& spec, const Ints& species, const Longs& first, const Ints& neighbors,
                            const Vectors& vectors) {
  check_pairs(spec, species, first, neighbors);
  require(length(vectors) == length(neighbors) && inside(neighbors, length(species)),
          "neighbors, vectors: lengths differ, or neighbors are no atoms");
  const std::int64_t n = length(species);
  return {n, n, species.data(), first.data(), neighbors.data(), nullptr, vectors.data(), nullptr, nullptr};
}

// Atoms and their images, the atoms first.
inline PairsView pairs_view(const EdgeWeightSpec& spec, const Ints& species, const Longs& first, const Ints& neighbors,
                            const Ints& owners, const Vectors& positions) {
  check_pairs(spec, species, first, neighbors);
  require(length(owners) == length(positions) && length(positions) >= length(species) &&
              inside(owners, length(species)) && inside(neighbors, length(positions)),
          "owners, positions, neighbors: lengths differ, or they point beyond the atoms");
  return {length(species), length(positions), species.data(), first.data(), neighbors.data(), owners.data(), nullptr,
          positions.data(), nullptr};
}

} // namespace trimpot

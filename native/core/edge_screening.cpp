#include "edge_screening.hpp"

#include "threads.hpp"

namespace trimpot {

namespace {

template <class T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

} // namespace

ScreenedEdges screen_edges(const EdgeScreeningSpec& spec, const EdgesView& edges, int threads) {
  constexpr std::int64_t atoms_per_thread = 100; // below that a thread costs more than it saves
  const int n = thread_count(threads, edges.n_atoms / atoms_per_thread);
  ScreenedEdges found;
  found.alive.resize(static_cast<std::size_t>(edges.first[edges.n_atoms]));
  std::vector<PartialScreenings> parts(static_cast<std::size_t>(n));
  on_threads(n, [&](int t) {
    kernels().screening_partials(spec, edges, edges.n_atoms * t / n, edges.n_atoms * (t + 1) / n, found.alive.data(),
                                 parts[static_cast<std::size_t>(t)]);
  });
  found.partials = std::move(parts[0]);
  for (std::size_t t = 1; t < parts.size(); ++t) { // in the order of atoms
    append(found.partials.screened, parts[t].screened);
    append(found.partials.screening, parts[t].screening);
    append(found.partials.x, parts[t].x);
  }
  return found;
}

} // namespace trimpot

#include "frames.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "evaluate.hpp"
#include "neighbors.hpp"
#include "threads.hpp"

namespace trimpot {

namespace {

// One frame of a batch with its neighbour list.
struct Frame {
  NeighborList list;
  std::vector<std::int32_t> species;
  std::int64_t n_atoms = 0;

  Frame(const FrameBatch& batch, std::int64_t f, double cutoff) {
    const std::int64_t begin = batch.offsets[f];
    n_atoms = batch.offsets[f + 1] - begin;
    list = build_neighbors(n_atoms, batch.positions + 3 * begin, batch.cells + 9 * f,
                           batch.pbc + 3 * f, cutoff);
    species.resize(list.owners.size());
    for (std::size_t a = 0; a < species.size(); ++a)
      species[a] = batch.species[begin + list.owners[a]];
  }

  NeighborhoodView view() const {
    return {n_atoms, static_cast<std::int64_t>(species.size()), list.positions.data(),
            species.data(), list.first.data(), list.neighbors.data()};
  }
};

double largest_cutoff(const std::vector<TermPointer>& terms) {
  double cutoff = 1e-3; // a list needs a positive cutoff, also for one-body terms alone
  for (const auto& term : terms) cutoff = std::max(cutoff, term->cutoff());
  return cutoff;
}

double volume(const double* c) {
  return std::abs(c[0] * (c[4] * c[8] - c[5] * c[7]) - c[1] * (c[3] * c[8] - c[5] * c[6]) +
                  c[2] * (c[3] * c[7] - c[4] * c[6]));
}

void prepare(double* rows, std::int64_t n) { std::fill(rows, rows + n, 0.0); }

void scale(double* rows, std::int64_t n, double factor) {
  for (std::int64_t i = 0; i < n; ++i) rows[i] *= factor;
}

} // namespace

int total_columns(const std::vector<TermPointer>& terms) {
  int n = 0;
  for (const auto& term : terms) n += term->n_columns();
  return n;
}

void design_rows(const std::vector<TermPointer>& terms, const FrameBatch& batch,
                 const RowPlan& plan, int threads) {
  const double cutoff = largest_cutoff(terms);
  const std::int64_t n = total_columns(terms);
  for_each_item(batch.n_frames, threads, [&](std::int64_t f) {
    const Frame frame(batch, f, cutoff);
    RowSink sink;
    sink.n_columns = n;
    sink.owners = frame.list.owners.data();
    if (plan.energy_row[f] >= 0) prepare(sink.energy = plan.energy + n * plan.energy_row[f], n);
    if (plan.force_row[f] >= 0)
      prepare(sink.forces = plan.forces + n * plan.force_row[f], 3 * frame.n_atoms * n);
    if (plan.stress_row[f] >= 0) prepare(sink.strain = plan.stress + n * plan.stress_row[f], 6 * n);
    kernels().rows(terms, frame.view(), sink);
    if (sink.energy) scale(sink.energy, n, plan.energy_scale[f]);
    if (sink.forces) scale(sink.forces, 3 * frame.n_atoms * n, plan.force_scale[f]);
    if (sink.strain) scale(sink.strain, 6 * n, plan.stress_scale[f] / volume(batch.cells + 9 * f));
  });
}

void evaluate_frames(const std::vector<TermPointer>& terms, const FrameBatch& batch,
                     double* energies, double* forces, double* virials, int threads) {
  const double cutoff = largest_cutoff(terms);
  for_each_item(batch.n_frames, threads, [&](std::int64_t f) {
    const Frame frame(batch, f, cutoff);
    const std::int64_t begin = batch.offsets[f];
    std::vector<double> all(frame.list.positions.size(), 0.0);
    double* virial = virials + 9 * f;
    evaluate(terms, frame.view(), energies + begin, all.data(), virial, 1);
    double* mine = forces + 3 * begin;
    std::fill(mine, mine + 3 * frame.n_atoms, 0.0);
    for (std::size_t a = 0; a < frame.list.owners.size(); ++a)
      for (std::size_t x = 0; x < 3; ++x)
        mine[3 * frame.list.owners[a] + static_cast<std::int64_t>(x)] += all[3 * a + x];
  });
}

void pair_statistics(const FrameBatch& batch, int n_species, double cutoff, std::int64_t n_bins,
                     double* smallest, double* histogram, int threads) {
  const std::int64_t n_pairs = std::int64_t{n_species} * n_species;
  std::fill(smallest, smallest + n_pairs, std::numeric_limits<double>::infinity());
  std::fill(histogram, histogram + n_pairs * n_bins, 0.0);
  std::mutex mutex;
  for_each_item(batch.n_frames, threads, [&](std::int64_t f) {
    const Frame frame(batch, f, cutoff);
    const double* p = frame.list.positions.data();
    std::vector<double> least(static_cast<std::size_t>(n_pairs), std::numeric_limits<double>::infinity());
    std::vector<double> counts(static_cast<std::size_t>(n_pairs * n_bins), 0.0);
    for (std::int64_t i = 0; i < frame.n_atoms; ++i)
      for (std::int64_t s = frame.list.first[static_cast<std::size_t>(i)];
           s < frame.list.first[static_cast<std::size_t>(i) + 1]; ++s) {
        const std::int64_t j = frame.list.neighbors[static_cast<std::size_t>(s)];
        const double r = std::hypot(p[3 * j] - p[3 * i], p[3 * j + 1] - p[3 * i + 1],
                                    p[3 * j + 2] - p[3 * i + 2]);
        const std::size_t pair = static_cast<std::size_t>(
            frame.species[static_cast<std::size_t>(i)] * n_species +
            frame.species[static_cast<std::size_t>(j)]);
        least[pair] = std::min(least[pair], r);
        const auto bin = std::min<std::int64_t>(n_bins - 1, static_cast<std::int64_t>(r / cutoff * static_cast<double>(n_bins)));
        counts[pair * static_cast<std::size_t>(n_bins) + static_cast<std::size_t>(bin)] += 1.0;
      }
    const std::lock_guard<std::mutex> lock(mutex);
    for (std::size_t k = 0; k < least.size(); ++k) smallest[k] = std::min(smallest[k], least[k]);
    for (std::size_t k = 0; k < counts.size(); ++k) histogram[k] += counts[k];
  });
}

void ranges(const Term& term, const FrameBatch& batch, std::vector<double>& largest, int threads) {
  std::mutex mutex;
  for_each_item(batch.n_frames, threads, [&](std::int64_t f) {
    const Frame frame(batch, f, std::max(1e-3, term.cutoff()));
    std::vector<double> mine(largest.size(), 0.0);
    kernels().add_to_range(term, frame.view(), mine.data());
    const std::lock_guard<std::mutex> lock(mutex);
    for (std::size_t k = 0; k < mine.size(); ++k) largest[k] = std::max(largest[k], mine[k]);
  });
}

} // namespace trimpot

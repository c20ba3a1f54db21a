// Arrays of a pass over a network, kept for the next one: fresh memory costs a fifth of a small pass.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "messages.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class N>
struct PassMemory {
  using R = typename N::Scalar;
  using L = typename N::Lanes;

  std::vector<Arena> arenas;            // of threads
  std::vector<LayerState<L>> states;    // of layers
  AlignedVector<L> last;                // features behind the last layer
  std::vector<R> degrees, energies;
  std::vector<R> over;                  // layers x atoms x groups of channels: 1 / (1 + sum of shares)
  AlignedVector<EdgeState<N>> kept;     // of edges
  std::vector<std::uint8_t> used;       // which atoms are at the end of an edge; only if there are ghosts
  AlignedVector<L> above, below, sum_bar, query_bar, center_bar; // of one layer, on the way back
  std::vector<R> degree_bar;
  std::vector<SentBack<L>> sent;        // of threads
  std::int64_t atoms = 0, most_atoms = 0; // of the last pass and the largest
};

// Memory for as many passes as run at a time.
template <class N>
class MemoryPool {
 public:
  // Of one pass, as long as this lives.
  class Lease {
   public:
    explicit Lease(MemoryPool& pool) : pool_(pool), memory_(pool.take()) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give(std::move(memory_)); }
    PassMemory<N>& operator*() const { return *memory_; }

   private:
    MemoryPool& pool_;
    std::unique_ptr<PassMemory<N>> memory_;
  };

 private:
  std::unique_ptr<PassMemory<N>> take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return std::make_unique<PassMemory<N>>();
    auto found = std::move(free_.back());
    free_.pop_back();
    return found;
  }

  // What was large once and is used for little now is not kept.
  void give(std::unique_ptr<PassMemory<N>> memory) {
    if (memory->most_atoms > 1000 && memory->atoms < memory->most_atoms / 4) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(memory));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<PassMemory<N>>> free_;
};

} // namespace trimpot::TRIMPOT_ISA

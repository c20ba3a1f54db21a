// The atoms of one bin and all atoms that can be within the cutoff of them.
#pragma once

#include <cstdint>
#include <vector>

#include "../memory.hpp"
#include "bins.hpp"
#include "search_kernels.hpp"

namespace trimpot::neighbors_detail {

// A space of sorted atoms, of which neighbours are wanted.
struct Space {
  Bins bins;
  double cutoff;
  double margin; // for the roundoff of positions and bins, in angstrom

  // The first n_local atoms are those whose neighbours are wanted. `roundoff` bounds the error
  // of any position, in angstrom.
  Space(const std::vector<double>& positions, std::int64_t n_local, double cutoff,
        double roundoff, int threads);

  Points points() const { return {bins.x.data(), bins.y.data(), bins.z.data()}; }
};

// The local atoms of a bin, or some of them: one contiguous run of slots.
struct Home {
  Range own;
  std::int32_t bin[3];
};

// The homes of all local atoms (numbers below n_local), in the order of the slots.
std::vector<Home> homes_of(const Bins& bins, std::int64_t n_local);

class Candidates : public CandidateArrays {
public:
  Candidates();

  // Collects the candidates of a home, its own atoms first.
  void collect(const Space& space, const Home& home);

private:
  void (*collect_run_)(CandidateArrays&, std::int64_t begin, std::int64_t end);
  AlignedVector<float> coordinates_;
  AlignedVector<std::int32_t> numbers_;
  std::int64_t capacity_ = 0;

  void surround(const Space& space, Range own);
  void append(Range run);
  void close();
};

} // namespace trimpot::neighbors_detail

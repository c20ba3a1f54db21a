// The inner loops of the search, compiled once per instruction set (see ../kernels.hpp).
//
// A search takes the atoms of one bin at a time ("own" atoms) and collects their candidates:
// all atoms that can be within the cutoff of the box around the own atoms. Single precision
// decides which of them are; where it cannot, the exact positions do.
#pragma once

#include <cstdint>

namespace trimpot::neighbors_detail {

// Atoms sorted in space, separate coordinates (angstrom).
struct Points {
  const double* x;
  const double* y;
  const double* z;
};

// Square of the distance from a to b, in the order of operations that defines the list.
double square_distance(const Points& points, std::int32_t a, std::int32_t b);

constexpr std::int64_t group = 16; // candidates whose marks are one number

// Candidates of the own atoms, which are the first of them. The last are followed by a group
// of points far away.
struct CandidateArrays {
  float* x; // relative to the centre of the box, in units of the cutoff
  float* y;
  float* z;
  std::int32_t* slots;
  std::int64_t n_own, size;
  Points points;    // by slot
  double center[3]; // of the box around the own atoms
  double half[3];   // edges of the box, in units of the cutoff
  double cutoff;
  // Squares in units of the cutoff: below the inner one a pair is surely within the cutoff,
  // from the outer one on surely not. An outer square of 0: single precision says nothing.
  float inner, outer;

  std::int64_t n_groups() const { return (size + group - 1) / group; }
  std::int64_t keys_per_row() const { return group * (n_groups() + 2); }
};

// How rows of one home are sorted: by integer keys, the square of the distance in units of
// 2^(shift - 31) cutoffs in the upper bits, the place among the candidates in the lower ones.
struct RowOrder {
  const std::uint16_t* numbers; // of the candidates, for the row
  int shift;                    // 2^shift > size
  std::int32_t step;            // keys that differ by less may be in the wrong order
};

struct SearchKernels {
  // Appends the slots begin .. end - 1 as far as they can be within the cutoff of the box.
  // There is room for all of them and one group more.
  void (*collect)(CandidateArrays&, std::int64_t begin, std::int64_t end);
  // marks (n_own x n_groups): bit l of number g of row i is set where candidate 16 g + l is
  // a neighbour of own atom i; counts (n_own): their number.
  void (*mark)(const CandidateArrays&, std::uint16_t* marks, std::int32_t* counts);
  // Writes the atoms that are marked, one behind the other and none beyond; scratch has room
  // for all of them and one group more.
  void (*write)(const std::uint16_t* marks, std::int64_t n_groups, const std::int32_t* atoms,
                std::int32_t* scratch, std::int32_t* out);
  // The same, and the keys of the neighbours of own atom i from keys[i * keys_per_row()] on.
  void (*mark_keys)(const CandidateArrays&, std::uint16_t* marks, std::int32_t* counts, int shift,
                    std::int32_t* keys);
  // Sorts the `count` keys of a row, behind which there is room for two groups, and writes the
  // numbers of the neighbours in that order. Returns whether some keys are closer than the step.
  bool (*sort)(const RowOrder&, std::int32_t* keys, std::int64_t count, std::uint16_t* row);
};

} // namespace trimpot::neighbors_detail

#include "images.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "../threads.hpp"
#include "lattice.hpp"
#include "limits.hpp"
#include "vectors.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace trimpot::neighbors_detail {
namespace {

Vector fractional_of(const Lattice& lattice, const double* x) {
  Vector fractional{};
  for (int d = 0; d < 3; ++d) {
    if (!lattice.periodic[d]) continue;
    const Vector& column = lattice.inverse[d];
    fractional[d] = x[0] * column[0] + x[1] * column[1] + x[2] * column[2];
  }
  return fractional;
}

void require_coordinate(double value, std::int64_t atom) {
  if (!(std::abs(value) <= largest_coordinate)) {
    refuse("position ", value, " of atom ", atom,
           " is not a finite number below 1e100 A: repair or remove the atom");
  }
}

// Inclusive range of images of one atom along each reduced vector: those whose distance from
// the planes around the local atoms is at most the reach.
struct ImageRange {
  Integers low, high;

  double count() const {
    double product = 1.0;
    for (int d = 0; d < 3; ++d) product *= static_cast<double>(high[d] - low[d] + 1);
    return product;
  }
};

struct ImageRegion {
  Vector low{}, high{}; // in fractional coordinates
  std::array<bool, 3> periodic{};

  // Whether an atom has no image in the region but itself: most atoms of a large cell.
  bool only_home(const double* fractional) const {
    bool inside = true;
    for (int d = 0; d < 3; ++d) {
      inside &= !periodic[d] ||
                (low[d] - fractional[d] > -1.0 && high[d] - fractional[d] < 1.0);
    }
    return inside;
  }

  ImageRange range(const double* fractional) const {
    ImageRange images{};
    for (int d = 0; d < 3; ++d) {
      if (!periodic[d]) continue;
      images.low[d] = ceil_integer(low[d] - fractional[d]);
      images.high[d] = floor_integer(high[d] - fractional[d]);
    }
    return images;
  }
};

double physical_memory() {
#if defined(_SC_PHYS_PAGES) && defined(_SC_PAGESIZE)
  const double pages = static_cast<double>(sysconf(_SC_PHYS_PAGES));
  const double size = static_cast<double>(sysconf(_SC_PAGESIZE));
  if (pages > 0.0 && size > 0.0) return pages * size;
#endif
  return std::numeric_limits<double>::infinity();
}

void require_memory(double n_local, double n_all, double cutoff, const Box& box) {
  double volume = 1.0;
  for (int k = 0; k < 3; ++k) volume *= box.high[k] - box.low[k] + 2.0 * cutoff;
  const double sphere = 4.0 / 3.0 * 3.141592653589793 * cutoff * cutoff * cutoff;
  const double n_pairs = n_local * n_all * std::min(1.0, sphere / volume);
  const double bytes = 80.0 * n_all + 8.0 * n_pairs;
  if (n_all > static_cast<double>(largest_index) || bytes > physical_memory()) {
    refuse("a cutoff of ", cutoff, " A needs about ", n_all - n_local, " periodic images and ",
           bytes / 1e9, " GB for the neighbour list, more than fits: the cell is too small "
           "beside the cutoff; check the units of cell, positions and cutoff");
  }
}

void require_arguments(std::int64_t n, double cutoff, int threads) {
  if (!(cutoff > 0.0) || !std::isfinite(cutoff)) {
    refuse("cutoff is ", cutoff, " A, expected a positive finite number");
  }
  if (threads < 0) refuse("threads is ", threads, ", expected 0 (all cores) or more");
  if (n < 0 || n > largest_index) {
    refuse("found ", n, " atoms, expected 0 to 2^31 - 1");
  }
}

void require_cell(const double* cell) {
  for (int k = 0; k < 9; ++k) {
    if (!(std::abs(cell[k]) <= largest_coordinate)) {
      refuse("cell[", k / 3, "][", k % 3, "] is ", cell[k],
             ", expected a finite number below 1e100 A: repair the cell");
    }
  }
}

constexpr std::int64_t block = 4096; // atoms that a thread takes at a time
constexpr std::int64_t atoms_worth_a_thread = 2000;

struct Locals {
  std::vector<double> fractional; // n x 3, only of periodic systems
  Box fractional_box;
  Box box;
  double roundoff = 0.0; // bound on the error of any position, in angstrom
};

// Moves atoms by whole periods into the cell.
class Wrapping {
public:
  Wrapping(const double* input, const Lattice& lattice, NeighborList& list, Locals& locals)
      : input_(input), lattice_(lattice), list_(list), locals_(locals) {
    for (int d = 0; d < 3; ++d) {
      for (int k = 0; k < 3; ++k) {
        rows_[d] = std::max(rows_[d], std::abs(lattice.cell[3 * d + k]));
      }
    }
  }

  void wrap(std::int64_t begin, std::int64_t end) {
    Box box, fractional_box;
    double reach = 0.0;
    for (std::int64_t i = begin; i < end; ++i) {
      const double* x = input_ + 3 * i;
      for (int k = 0; k < 3; ++k) require_coordinate(x[k], i);
      double size = std::max({std::abs(x[0]), std::abs(x[1]), std::abs(x[2])});
      double* wrapped = list_.positions.data() + 3 * i;
      list_.owners[i] = static_cast<std::int32_t>(i);
      std::copy_n(x, 3, wrapped);
      if (!locals_.fractional.empty()) {
        Vector f = fractional_of(lattice_, x);
        size += move(i, wrapped, f);
        std::copy(f.begin(), f.end(), locals_.fractional.begin() + 3 * i);
        fractional_box.include(f.data());
      }
      reach = std::max(reach, size);
      box.include(wrapped);
    }
    box_.include(box);
    fractional_box_.include(fractional_box);
    reach_ = std::max(reach_, reach);
  }

  // Adds what this object has seen to the boxes and the bound on the error.
  void report() {
    locals_.box.include(box_);
    locals_.fractional_box.include(fractional_box_);
    locals_.roundoff = std::max(locals_.roundoff, 16.0 * epsilon * reach_);
  }

private:
  const double* input_;
  const Lattice& lattice_;
  NeighborList& list_;
  Locals& locals_;
  double rows_[3] = {0.0, 0.0, 0.0};
  Box box_, fractional_box_;
  double reach_ = 0.0;

  // Moves an atom and its fractional coordinates; returns a bound on the length of the move.
  double move(std::int64_t i, double* wrapped, Vector& fractional) {
    Integers whole{};
    for (int d = 0; d < 3; ++d) {
      if (!(std::abs(fractional[d]) <= largest_multiple)) {
        refuse("atom ", i, " lies ", fractional[d], " periods outside the cell, at most 2^30 can "
               "be counted: wrap the positions into the cell");
      }
      whole[d] = -floor_integer(fractional[d]);
    }
    if (whole[0] == 0 && whole[1] == 0 && whole[2] == 0) return 0.0;
    std::int32_t* shift = list_.shifts.data() + 3 * i;
    add_shift(lattice_, whole, i, shift);
    image_position(input_ + 3 * i, shift, lattice_.cell, wrapped);
    fractional = fractional_of(lattice_, wrapped);
    double size = 0.0;
    for (int d = 0; d < 3; ++d) size += std::abs(static_cast<double>(shift[d])) * rows_[d];
    return size;
  }
};

// Writes the local atoms, each moved by whole periods into the cell, into the first n places.
Locals wrap_locals(std::int64_t n, const double* input, const Lattice& lattice, int threads,
                   NeighborList& list) {
  Locals locals;
  const bool any = lattice.periodic[0] || lattice.periodic[1] || lattice.periodic[2];
  if (any) locals.fractional.resize(3 * n);
  std::vector<Wrapping> wrappings(threads, Wrapping(input, lattice, list, locals));
  for_blocks(n, block, threads, [&](std::int64_t begin, std::int64_t end, int thread) {
    wrappings[thread].wrap(begin, end);
  });
  for (Wrapping& wrapping : wrappings) wrapping.report();
  return locals;
}

// The part of space whose images can be within the cutoff of a local atom.
ImageRegion region_around(const Lattice& lattice, const Locals& locals, double cutoff) {
  ImageRegion region;
  region.periodic = lattice.periodic;
  for (int d = 0; d < 3; ++d) {
    if (!lattice.periodic[d]) continue;
    const double reach = cutoff / lattice.heights[d];
    const double extent =
        std::abs(locals.fractional_box.low[d]) + std::abs(locals.fractional_box.high[d]);
    const double margin = 1e-12 + 64.0 * epsilon * (reach + extent) +
                          4.0 * locals.roundoff / lattice.heights[d];
    region.low[d] = locals.fractional_box.low[d] - reach - margin;
    region.high[d] = locals.fractional_box.high[d] + reach + margin;
    if (!(reach < 1e9)) require_memory(1.0, 1e300, cutoff, locals.box);
  }
  return region;
}

// The images of a block of local atoms.
struct Ghosts {
  std::vector<std::int32_t> near_faces; // atoms that have images
  double most = 0.0;                    // images at most
  std::vector<double> positions;
  std::vector<std::int32_t> owners, shifts;

  void count(const ImageRegion& region, const Locals& locals, std::int64_t begin,
             std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (region.only_home(&locals.fractional[3 * i])) continue;
      near_faces.push_back(static_cast<std::int32_t>(i));
      most += region.range(&locals.fractional[3 * i]).count() - 1.0;
    }
  }

  // `margin`: of the box around the local atoms that images must lie in.
  void make(const Lattice& lattice, const ImageRegion& region, const Locals& locals,
            const double* input, const NeighborList& list, double margin) {
    const auto capacity = static_cast<std::size_t>(most);
    positions.resize(3 * capacity);
    owners.resize(capacity);
    shifts.resize(3 * capacity);
    std::int64_t ghost = 0;
    for (const std::int64_t i : near_faces) {
      const ImageRange range = region.range(&locals.fractional[3 * i]);
      Integers step{};
      for (step[0] = range.low[0]; step[0] <= range.high[0]; ++step[0]) {
        for (step[1] = range.low[1]; step[1] <= range.high[1]; ++step[1]) {
          for (step[2] = range.low[2]; step[2] <= range.high[2]; ++step[2]) {
            if (step[0] == 0 && step[1] == 0 && step[2] == 0) continue;
            std::int32_t* const shift = shifts.data() + 3 * ghost;
            double* const x = positions.data() + 3 * ghost;
            std::copy_n(list.shifts.data() + 3 * i, 3, shift);
            add_shift(lattice, step, i, shift);
            image_position(input + 3 * i, shift, lattice.cell, x);
            if (!locals.box.holds(x, margin)) continue;
            owners[ghost++] = static_cast<std::int32_t>(i);
          }
        }
      }
    }
    owners.resize(ghost);
  }

  void copy_to(NeighborList& list, std::int64_t place) const {
    const auto n = static_cast<std::int64_t>(owners.size());
    std::copy_n(positions.data(), 3 * n, list.positions.data() + 3 * place);
    std::copy_n(owners.data(), n, list.owners.data() + place);
    std::copy_n(shifts.data(), 3 * n, list.shifts.data() + 3 * place);
  }
};

// Appends the images within the cutoff of the box around the local atoms.
void add_ghosts(const Lattice& lattice, const double* input, const Locals& locals,
                double cutoff, int threads, NeighborList& list) {
  const auto n = static_cast<std::int64_t>(list.owners.size());
  const ImageRegion region = region_around(lattice, locals, cutoff);
  std::vector<Ghosts> ghosts((n + block - 1) / block);
  for_blocks(n, block, threads, [&](std::int64_t begin, std::int64_t end, int) {
    ghosts[begin / block].count(region, locals, begin, end);
  });
  double images = static_cast<double>(n);
  for (const Ghosts& some : ghosts) images += some.most;
  require_memory(static_cast<double>(n), images, cutoff, locals.box);
  const double margin = cutoff * (1.0 + 1e-12) + 4.0 * locals.roundoff;
  const auto n_blocks = static_cast<std::int64_t>(ghosts.size());
  for_blocks(n_blocks, 1, threads, [&](std::int64_t b, std::int64_t, int) {
    ghosts[b].make(lattice, region, locals, input, list, margin);
  });
  std::vector<std::int64_t> places = {n};
  for (const Ghosts& some : ghosts) {
    places.push_back(places.back() + static_cast<std::int64_t>(some.owners.size()));
  }
  list.positions.resize(3 * places.back());
  list.owners.resize(places.back());
  list.shifts.resize(3 * places.back());
  for_blocks(n_blocks, 1, threads, [&](std::int64_t b, std::int64_t, int) {
    ghosts[b].copy_to(list, places[b]);
  });
}

} // namespace

Surroundings surround_atoms(std::int64_t n, const double* positions, const double* cell9,
                            const bool* pbc, double cutoff, int threads) {
  require_arguments(n, cutoff, threads);
  require_cell(cell9);
  const Lattice lattice = make_lattice(cell9, pbc);
  Surroundings atoms;
  NeighborList& list = atoms.list;
  list.positions.resize(3 * n);
  list.owners.resize(n);
  list.shifts.resize(3 * n, 0);
  if (n == 0) return atoms;
  atoms.threads = thread_count(threads, n / atoms_worth_a_thread);
  const Locals locals = wrap_locals(n, positions, lattice, atoms.threads, list);
  atoms.roundoff = locals.roundoff;
  if (!locals.fractional.empty()) {
    add_ghosts(lattice, positions, locals, cutoff, atoms.threads, list);
  }
  return atoms;
}

Surroundings given_atoms(std::int64_t n_local, std::int64_t n_all, const double* positions, double cutoff,
                         int threads) {
  require_arguments(n_all, cutoff, threads);
  if (n_local < 0 || n_local > n_all) refuse("found ", n_local, " local atoms among ", n_all);
  Surroundings atoms;
  atoms.threads = thread_count(threads, n_local / atoms_worth_a_thread);
  NeighborList& list = atoms.list;
  list.positions.assign(positions, positions + 3 * n_all);
  list.owners.resize(n_all);
  std::iota(list.owners.begin(), list.owners.end(), 0);
  list.shifts.resize(3 * n_all, 0);
  double reach = 0.0;
  for (std::int64_t a = 0; a < n_all; ++a) {
    const double* x = positions + 3 * a;
    for (int k = 0; k < 3; ++k) require_coordinate(x[k], a);
    reach = std::max({reach, std::abs(x[0]), std::abs(x[1]), std::abs(x[2])});
  }
  atoms.roundoff = 16.0 * epsilon * reach;
  return atoms;
}

std::vector<std::int32_t> drop_unused_ghosts(NeighborList& list, std::int64_t n_local,
                                             const std::vector<std::uint8_t>& used) {
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  std::vector<std::int32_t> renamed(n_all, 0);
  std::int64_t kept = n_local;
  for (std::int64_t i = 0; i < n_local; ++i) renamed[i] = static_cast<std::int32_t>(i);
  for (std::int64_t ghost = n_local; ghost < n_all; ++ghost) {
    if (used[ghost] == 0) continue;
    renamed[ghost] = static_cast<std::int32_t>(kept);
    list.owners[kept] = list.owners[ghost];
    for (int k = 0; k < 3; ++k) {
      list.shifts[3 * kept + k] = list.shifts[3 * ghost + k];
      list.positions[3 * kept + k] = list.positions[3 * ghost + k];
    }
    ++kept;
  }
  list.owners.resize(kept);
  list.shifts.resize(3 * kept);
  list.positions.resize(3 * kept);
  return renamed;
}

} // namespace trimpot::neighbors_detail

#include "images.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

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

void require_arguments(std::int64_t n, const double* cell, double cutoff, int threads) {
  if (!(cutoff > 0.0) || !std::isfinite(cutoff)) {
    refuse("cutoff is ", cutoff, " A, expected a positive finite number");
  }
  if (threads < 0) refuse("threads is ", threads, ", expected 0 (all cores) or more");
  if (n < 0 || n > largest_index) {
    refuse("found ", n, " atoms, expected 0 to 2^31 - 1");
  }
  for (int k = 0; k < 9; ++k) {
    if (!(std::abs(cell[k]) <= largest_coordinate)) {
      refuse("cell[", k / 3, "][", k % 3, "] is ", cell[k],
             ", expected a finite number below 1e100 A: repair the cell");
    }
  }
}

struct Locals {
  std::vector<double> fractional; // n x 3, only of periodic systems
  Box fractional_box;
  Box box;
  double roundoff = 0.0; // bound on the error of any position, in angstrom
};

// Writes the local atoms, each moved by whole periods into the cell, into the first n places.
Locals wrap_locals(std::int64_t n, const double* input, const Lattice& lattice,
                   NeighborList& list) {
  Locals locals;
  const bool any = lattice.periodic[0] || lattice.periodic[1] || lattice.periodic[2];
  if (any) locals.fractional.resize(3 * n);
  double reach = 0.0;
  double rows[3] = {0.0, 0.0, 0.0};
  for (int d = 0; d < 3; ++d) {
    for (int k = 0; k < 3; ++k) rows[d] = std::max(rows[d], std::abs(lattice.cell[3 * d + k]));
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const double* x = input + 3 * i;
    for (int k = 0; k < 3; ++k) require_coordinate(x[k], i);
    std::int32_t* shift = list.shifts.data() + 3 * i;
    double* wrapped = list.positions.data() + 3 * i;
    list.owners[i] = static_cast<std::int32_t>(i);
    double size = std::max({std::abs(x[0]), std::abs(x[1]), std::abs(x[2])});
    std::copy_n(x, 3, wrapped);
    if (any) {
      Vector f = fractional_of(lattice, x);
      Integers whole{};
      for (int d = 0; d < 3; ++d) {
        if (!(std::abs(f[d]) <= largest_multiple)) {
          refuse("atom ", i, " lies ", f[d], " periods outside the cell, at most 2^30 can be "
                 "counted: wrap the positions into the cell");
        }
        whole[d] = -floor_integer(f[d]);
      }
      if (whole[0] != 0 || whole[1] != 0 || whole[2] != 0) {
        add_shift(lattice, whole, i, shift);
        for (int d = 0; d < 3; ++d) size += std::abs(static_cast<double>(shift[d])) * rows[d];
        image_position(x, shift, lattice.cell, wrapped);
        f = fractional_of(lattice, wrapped);
      }
      std::copy(f.begin(), f.end(), locals.fractional.begin() + 3 * i);
      locals.fractional_box.include(f.data());
    }
    reach = std::max(reach, size);
    locals.box.include(wrapped);
  }
  locals.roundoff = 16.0 * epsilon * reach;
  return locals;
}

// Appends the images within the cutoff of the box around the local atoms.
void add_ghosts(const Lattice& lattice, const double* input, const Locals& locals,
                double cutoff, NeighborList& list) {
  const auto n = static_cast<std::int64_t>(list.owners.size());
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
  double images = 0.0;
  std::vector<std::int32_t> near_faces;
  for (std::int64_t i = 0; i < n; ++i) {
    if (region.only_home(&locals.fractional[3 * i])) continue;
    near_faces.push_back(static_cast<std::int32_t>(i));
    images += region.range(&locals.fractional[3 * i]).count() - 1.0;
  }
  require_memory(static_cast<double>(n), static_cast<double>(n) + images, cutoff, locals.box);
  const std::int64_t capacity = n + static_cast<std::int64_t>(images);
  list.positions.resize(3 * capacity);
  list.shifts.resize(3 * capacity);
  list.owners.resize(capacity);

  const double margin = cutoff * (1.0 + 1e-12) + 4.0 * locals.roundoff;
  std::int64_t ghost = n;
  for (const std::int64_t i : near_faces) {
    const ImageRange range = region.range(&locals.fractional[3 * i]);
    const std::int32_t* const home = list.shifts.data() + 3 * i;
    Integers step{};
    for (step[0] = range.low[0]; step[0] <= range.high[0]; ++step[0]) {
      for (step[1] = range.low[1]; step[1] <= range.high[1]; ++step[1]) {
        for (step[2] = range.low[2]; step[2] <= range.high[2]; ++step[2]) {
          if (step[0] == 0 && step[1] == 0 && step[2] == 0) continue;
          std::int32_t* const shift = list.shifts.data() + 3 * ghost;
          double* const x = list.positions.data() + 3 * ghost;
          std::copy_n(home, 3, shift);
          add_shift(lattice, step, i, shift);
          image_position(input + 3 * i, shift, lattice.cell, x);
          if (!locals.box.holds(x, margin)) continue;
          list.owners[ghost++] = static_cast<std::int32_t>(i);
        }
      }
    }
  }
  list.positions.resize(3 * ghost);
  list.shifts.resize(3 * ghost);
  list.owners.resize(ghost);
}

} // namespace

Surroundings surround_atoms(std::int64_t n, const double* positions, const double* cell9,
                            const bool* pbc, double cutoff, int threads) {
  require_arguments(n, cell9, cutoff, threads);
  const Lattice lattice = make_lattice(cell9, pbc);
  Surroundings atoms;
  NeighborList& list = atoms.list;
  list.positions.resize(3 * n);
  list.owners.resize(n);
  list.shifts.resize(3 * n, 0);
  if (n == 0) return atoms;
  const Locals locals = wrap_locals(n, positions, lattice, list);
  atoms.roundoff = locals.roundoff;
  if (!locals.fractional.empty()) add_ghosts(lattice, positions, locals, cutoff, list);
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

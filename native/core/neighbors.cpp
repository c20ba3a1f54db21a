#include "neighbors.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "threads.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace trimpot {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;
using Integers = std::array<std::int64_t, 3>;

constexpr double epsilon = std::numeric_limits<double>::epsilon();
constexpr std::int64_t largest_index = 2147483647;
constexpr double largest_multiple = 1073741824.0; // products with an index fit into 64 bits
constexpr double largest_coordinate = 1e100; // squares of differences stay finite

double dot(const Vector& a, const Vector& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

double length(const Vector& a) { return std::sqrt(dot(a, a)); }

Vector cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

Vector scaled(const Vector& a, double factor) {
  return {factor * a[0], factor * a[1], factor * a[2]};
}

// Without SSE4.1 std::floor is a library call.
std::int64_t floor_integer(double value) {
  const auto truncated = static_cast<std::int64_t>(value);
  return truncated - (value < static_cast<double>(truncated) ? 1 : 0);
}

std::int64_t ceil_integer(double value) { return -floor_integer(-value); }

template <class... Parts> [[noreturn]] void refuse(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw std::invalid_argument(message.str());
}

// The one place that says where an image lies: build and refresh agree to the last bit.
inline void image_position(const double* x, const std::int32_t* shift, const double* cell,
                           double* out) {
  const double a = shift[0], b = shift[1], c = shift[2];
  for (int k = 0; k < 3; ++k) {
    out[k] = x[k] + (a * cell[k] + b * cell[3 + k] + c * cell[6 + k]);
  }
}

// ---------------------------------------------------------------------------------------------
// Lattice: periodic vectors reduced to short ones, so that skewed cells cost no extra images.

struct Lattice {
  std::array<bool, 3> periodic{};
  const double* cell = nullptr;        // as given; defines positions
  std::array<Integers, 3> combination; // reduced vector d = sum_k combination[d][k] cell row k
  Matrix inverse;                      // fractional coordinate d = x . inverse[d]
  Vector heights;                      // distance of the faces of the reduced cell
};

struct Reduction {
  Matrix vectors;
  std::array<Integers, 3> combination;
};

void subtract(Reduction& basis, int target, int source, double multiple) {
  const auto whole = static_cast<std::int64_t>(multiple);
  for (int k = 0; k < 3; ++k) {
    basis.vectors[target][k] -= multiple * basis.vectors[source][k];
    basis.combination[target][k] -= whole * basis.combination[source][k];
  }
}

// Shortens one vector by another (Gauss); true when something changed. The threshold leaves
// cells with angles of 60 and 120 degrees as they are.
bool shorten_by_pairs(Reduction& basis, const std::array<bool, 3>& periodic) {
  bool changed = false;
  for (int target = 0; target < 3; ++target) {
    for (int source = 0; source < 3; ++source) {
      if (target == source || !periodic[target] || !periodic[source]) continue;
      const double square = dot(basis.vectors[source], basis.vectors[source]);
      const double ratio = dot(basis.vectors[target], basis.vectors[source]) / square;
      if (!(std::abs(ratio) > 0.5 + 1e-9) || std::abs(ratio) > 1e15) continue;
      subtract(basis, target, source, std::nearbyint(ratio));
      changed = true;
    }
  }
  return changed;
}

// Shortens the longest vector by a sum of the two others (the remaining Minkowski condition).
bool shorten_by_sums(Reduction& basis) {
  int target = 0;
  for (int d = 1; d < 3; ++d) {
    if (length(basis.vectors[d]) > length(basis.vectors[target])) target = d;
  }
  const int one = (target + 1) % 3, two = (target + 2) % 3;
  for (const double sign_one : {-1.0, 1.0}) {
    for (const double sign_two : {-1.0, 1.0}) {
      Reduction trial = basis;
      subtract(trial, target, one, sign_one);
      subtract(trial, target, two, sign_two);
      if (length(trial.vectors[target]) < (1.0 - 1e-9) * length(basis.vectors[target])) {
        basis = trial;
        return true;
      }
    }
  }
  return false;
}

Reduction reduced(const double* cell, const std::array<bool, 3>& periodic) {
  Reduction basis{};
  double longest = 0.0;
  for (int d = 0; d < 3; ++d) {
    basis.combination[d][d] = 1;
    for (int k = 0; k < 3; ++k) basis.vectors[d][k] = cell[3 * d + k];
    if (periodic[d]) longest = std::max(longest, length(basis.vectors[d]));
  }
  const bool bulk = periodic[0] && periodic[1] && periodic[2];
  auto singular = [&] {
    for (int d = 0; d < 3; ++d) {
      if (periodic[d] && !(length(basis.vectors[d]) > 1e-12 * longest)) {
        refuse("the periodic lattice vectors are linearly dependent or zero (found after "
               "reduction: vector ", d, " of length ", length(basis.vectors[d]),
               " A): give independent cell vectors or switch off pbc along that direction");
      }
    }
  };
  singular();
  for (int round = 0; round < 1000; ++round) {
    const bool pairs = shorten_by_pairs(basis, periodic);
    singular();
    if (!pairs && !(bulk && shorten_by_sums(basis))) break;
    singular();
  }
  for (const Integers& multiples : basis.combination) {
    for (const std::int64_t multiple : multiples) {
      if (std::abs(static_cast<double>(multiple)) > largest_multiple) {
        refuse("the periodic lattice vectors are nearly parallel (a short one is a sum of ",
               multiple, " times a row): reduce the cell first");
      }
    }
  }
  return basis;
}

// Non-periodic directions become unit vectors normal to the periodic ones.
Matrix completed(Matrix vectors, const std::array<bool, 3>& periodic) {
  for (int d = 0; d < 3; ++d) {
    if (!periodic[d]) vectors[d] = {0.0, 0.0, 0.0};
  }
  for (int d = 0; d < 3; ++d) {
    if (periodic[d]) continue;
    const Vector& one = vectors[(d + 1) % 3];
    const Vector& two = vectors[(d + 2) % 3];
    if (length(one) > 0.0 && length(two) > 0.0) {
      const Vector normal = cross(one, two);
      vectors[d] = scaled(normal, 1.0 / length(normal));
      continue;
    }
    const Vector& known = length(one) > 0.0 ? one : two;
    int axis = 0; // the axis least along the known vector
    for (int k = 1; k < 3; ++k) {
      if (std::abs(known[k]) < std::abs(known[axis])) axis = k;
    }
    Vector unit{};
    unit[axis] = 1.0;
    if (length(known) > 0.0) unit = cross(known, unit);
    vectors[d] = scaled(unit, 1.0 / length(unit));
  }
  return vectors;
}

Lattice make_lattice(const double* cell, const bool* pbc) {
  Lattice lattice;
  lattice.cell = cell;
  for (int d = 0; d < 3; ++d) lattice.periodic[d] = pbc[d];
  const Reduction basis = reduced(cell, lattice.periodic);
  lattice.combination = basis.combination;
  const Matrix m = completed(basis.vectors, lattice.periodic);
  const double volume = dot(m[0], cross(m[1], m[2]));
  if (!(std::abs(volume) > 1e-12 * length(m[0]) * length(m[1]) * length(m[2]))) {
    refuse("the periodic lattice vectors are linearly dependent (reduced volume ", volume,
           " A^3): give independent cell vectors or switch off pbc along one direction");
  }
  for (int d = 0; d < 3; ++d) {
    lattice.inverse[d] = scaled(cross(m[(d + 1) % 3], m[(d + 2) % 3]), 1.0 / volume);
    lattice.heights[d] = 1.0 / length(lattice.inverse[d]);
  }
  return lattice;
}

// Adds a shift in reduced vectors to a shift in cell rows. The factors are below 2^31 and
// 2^30, so that the sums fit into 64 bits.
void add_shift(const Lattice& lattice, const Integers& reduced_shift, std::int64_t atom,
               std::int32_t* shift) {
  for (int k = 0; k < 3; ++k) {
    std::int64_t sum = shift[k];
    for (int d = 0; d < 3; ++d) sum += reduced_shift[d] * lattice.combination[d][k];
    if (sum < -largest_index || sum > largest_index) {
      refuse("an image of atom ", atom, " lies ", sum, " periods outside the cell, at most "
             "2^31 - 1 can be counted: wrap the positions into the cell");
    }
    shift[k] = static_cast<std::int32_t>(sum);
  }
}

// ---------------------------------------------------------------------------------------------
// Atoms: local ones wrapped into the cell, and the images that can touch them.

struct Box {
  Vector low{largest_coordinate, largest_coordinate, largest_coordinate};
  Vector high{-largest_coordinate, -largest_coordinate, -largest_coordinate};

  void include(const double* x) {
    for (int k = 0; k < 3; ++k) {
      low[k] = std::min(low[k], x[k]);
      high[k] = std::max(high[k], x[k]);
    }
  }

  bool holds(const double* x, double margin) const {
    return x[0] >= low[0] - margin && x[0] <= high[0] + margin && x[1] >= low[1] - margin &&
           x[1] <= high[1] + margin && x[2] >= low[2] - margin && x[2] <= high[2] + margin;
  }
};

struct Locals {
  std::vector<double> fractional; // n x 3, only of periodic systems
  Box fractional_box;
  Box box;
  double roundoff = 0.0; // bound on the error of any position, in angstrom
};

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
    if (any) {
      const Vector f = fractional_of(lattice, x);
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
      }
    }
    image_position(x, shift, lattice.cell, wrapped);
    reach = std::max(reach, size);
    locals.box.include(wrapped);
    if (any) {
      const Vector f = fractional_of(lattice, wrapped);
      std::copy(f.begin(), f.end(), locals.fractional.begin() + 3 * i);
      locals.fractional_box.include(f.data());
    }
  }
  locals.roundoff = 16.0 * epsilon * reach;
  return locals;
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
  for (std::int64_t i = 0; i < n; ++i) images += region.range(&locals.fractional[3 * i]).count();
  require_memory(static_cast<double>(n), images, cutoff, locals.box);
  const std::int64_t capacity = n + static_cast<std::int64_t>(images);
  list.positions.resize(3 * capacity);
  list.shifts.resize(3 * capacity);
  list.owners.resize(capacity);

  const double margin = cutoff * (1.0 + 1e-12) + 4.0 * locals.roundoff;
  std::int64_t ghost = n;
  for (std::int64_t i = 0; i < n; ++i) {
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

// ---------------------------------------------------------------------------------------------
// Few atoms: all against all.

void drop_unused_ghosts(NeighborList& list, std::int64_t n_local) {
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  std::vector<std::int32_t> renamed(n_all, 0);
  for (const std::int32_t j : list.neighbors) renamed[j] = 1;
  std::int64_t kept = n_local;
  for (std::int64_t i = 0; i < n_local; ++i) renamed[i] = static_cast<std::int32_t>(i);
  for (std::int64_t ghost = n_local; ghost < n_all; ++ghost) {
    if (renamed[ghost] == 0) continue;
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
  for (std::int32_t& j : list.neighbors) j = renamed[j];
}

void search_all(std::int64_t n_local, double cutoff, NeighborList& list) {
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  const double square = cutoff * cutoff;
  std::vector<double> coordinates(4 * n_all);
  double* const x = coordinates.data();
  double* const y = x + n_all;
  double* const z = y + n_all;
  double* const distances = z + n_all;
  for (std::int64_t j = 0; j < n_all; ++j) {
    x[j] = list.positions[3 * j];
    y[j] = list.positions[3 * j + 1];
    z[j] = list.positions[3 * j + 2];
  }
  std::vector<std::int32_t> row(n_all);
  for (std::int64_t i = 0; i < n_local; ++i) {
    const double xi = x[i], yi = y[i], zi = z[i];
    for (std::int64_t j = 0; j < n_all; ++j) {
      const double dx = x[j] - xi, dy = y[j] - yi, dz = z[j] - zi;
      distances[j] = dx * dx + dy * dy + dz * dz;
    }
    distances[i] = std::numeric_limits<double>::infinity();
    std::int64_t count = 0;
    for (std::int64_t j = 0; j < n_all; ++j) {
      row[count] = static_cast<std::int32_t>(j);
      count += distances[j] < square ? 1 : 0;
    }
    list.neighbors.insert(list.neighbors.end(), row.begin(), row.begin() + count);
    list.first[i + 1] = static_cast<std::int64_t>(list.neighbors.size());
  }
}

// ---------------------------------------------------------------------------------------------
// Many atoms: atoms sorted into columns of bins along z, so that all candidates of one column
// are one contiguous run.

struct Grid {
  Vector low{};
  double edge_xy = 1.0, edge_z = 1.0;
  Integers size{1, 1, 1};

  std::int64_t index(double value, int axis) const {
    const double edge = axis == 2 ? edge_z : edge_xy;
    const double position = (value - low[axis]) / edge;
    const double top = static_cast<double>(size[axis] - 1);
    return static_cast<std::int64_t>(std::min(std::max(position, 0.0), top));
  }

  double count() const {
    return static_cast<double>(size[0]) * static_cast<double>(size[1]) *
           static_cast<double>(size[2]);
  }
};

Grid make_grid(const Box& box, double edge_xy, double edge_z) {
  constexpr double most = 1048576.0; // 2^20 bins per axis: three indices fit into 64 bits
  Grid grid;
  grid.low = box.low;
  grid.edge_xy = std::max({edge_xy, (box.high[0] - box.low[0]) / most,
                           (box.high[1] - box.low[1]) / most});
  grid.edge_z = std::max(edge_z, (box.high[2] - box.low[2]) / most);
  for (int k = 0; k < 3; ++k) {
    const double edge = k == 2 ? grid.edge_z : grid.edge_xy;
    grid.size[k] = static_cast<std::int64_t>((box.high[k] - box.low[k]) / edge) + 1;
  }
  return grid;
}

struct Range {
  std::int64_t begin, end;
};

// Atoms in the order of their bins, as separate coordinate arrays for vector units.
struct Sorted {
  std::vector<double> x, y, z;
  std::vector<std::int32_t> atoms;

  explicit Sorted(std::int64_t n) : x(n), y(n), z(n), atoms(n) {}

  void place(std::int64_t slot, std::int64_t atom, const double* position) {
    x[slot] = position[0];
    y[slot] = position[1];
    z[slot] = position[2];
    atoms[slot] = static_cast<std::int32_t>(atom);
  }
};

// Bins as an array of starts: where there are not many more bins than atoms.
struct DenseBins {
  Grid grid;
  std::vector<std::int32_t> start;
  Sorted sorted;

  DenseBins(const Grid& bins, const std::vector<double>& positions)
      : grid(bins), start(static_cast<std::size_t>(bins.count()) + 2, 0),
        sorted(static_cast<std::int64_t>(positions.size() / 3)) {
    const auto n = static_cast<std::int64_t>(positions.size() / 3);
    std::vector<std::int32_t> keys(n);
    for (std::int64_t i = 0; i < n; ++i) {
      const double* x = positions.data() + 3 * i;
      const std::int64_t column = grid.index(x[0], 0) * grid.size[1] + grid.index(x[1], 1);
      keys[i] = static_cast<std::int32_t>(column * grid.size[2] + grid.index(x[2], 2));
      ++start[keys[i] + 2];
    }
    for (std::size_t bin = 2; bin < start.size(); ++bin) start[bin] += start[bin - 1];
    for (std::int64_t i = 0; i < n; ++i) {
      sorted.place(start[keys[i] + 1]++, i, positions.data() + 3 * i);
    }
  }

  Range run(std::int64_t ix, std::int64_t iy, std::int64_t low, std::int64_t high) const {
    const std::int64_t column = (ix * grid.size[1] + iy) * grid.size[2];
    return {start[column + low], start[column + high + 1]};
  }
};

// Bins as sorted keys: where the atoms are spread so thinly or unevenly (a cluster and one
// atom far away) that an array of bins would be mostly empty.
struct SparseBins {
  Grid grid;
  std::vector<std::int64_t> keys;
  Sorted sorted;

  std::int64_t key(std::int64_t ix, std::int64_t iy, std::int64_t iz) const {
    return (ix * (std::int64_t{1} << 21) + iy) * (std::int64_t{1} << 21) + iz;
  }

  SparseBins(const Grid& bins, const std::vector<double>& positions)
      : grid(bins), keys(positions.size() / 3),
        sorted(static_cast<std::int64_t>(positions.size() / 3)) {
    const auto n = static_cast<std::int64_t>(positions.size() / 3);
    std::vector<std::pair<std::int64_t, std::int64_t>> order(n);
    for (std::int64_t i = 0; i < n; ++i) {
      const double* x = positions.data() + 3 * i;
      order[i] = {key(grid.index(x[0], 0), grid.index(x[1], 1), grid.index(x[2], 2)), i};
    }
    std::sort(order.begin(), order.end());
    for (std::int64_t slot = 0; slot < n; ++slot) {
      keys[slot] = order[slot].first;
      sorted.place(slot, order[slot].second, positions.data() + 3 * order[slot].second);
    }
  }

  Range run(std::int64_t ix, std::int64_t iy, std::int64_t low, std::int64_t high) const {
    const auto begin = std::lower_bound(keys.begin(), keys.end(), key(ix, iy, low));
    const auto end = std::upper_bound(begin, keys.end(), key(ix, iy, high));
    return {begin - keys.begin(), end - keys.begin()};
  }
};

// Rows of the list in blocks that never move, until the size of each row is known.
class RowStore {
public:
  // Room for at least `size` more entries behind the current end.
  std::int32_t* reserve(std::int64_t size) {
    if (left_ < size) {
      const std::int64_t block = std::max<std::int64_t>(size, std::int64_t{1} << 18);
      blocks_.emplace_back(new std::int32_t[static_cast<std::size_t>(block)]);
      next_ = blocks_.back().get();
      left_ = block;
    }
    return next_;
  }

  void commit(std::int64_t size) {
    next_ += size;
    left_ -= size;
  }

private:
  std::vector<std::unique_ptr<std::int32_t[]>> blocks_;
  std::int32_t* next_ = nullptr;
  std::int64_t left_ = 0;
};

// Calls work(begin, end, thread) for blocks of [0, n).
template <class Work>
void for_blocks(std::int64_t n, std::int64_t block, int threads, const Work& work) {
  std::atomic<std::int64_t> next{0};
  on_threads(threads, [&](int thread) {
    for (std::int64_t begin = next.fetch_add(block); begin < n; begin = next.fetch_add(block)) {
      work(begin, std::min(begin + block, n), thread);
    }
  });
}

// Distance from a coordinate to bin `index`, less the roundoff of binning.
double gap(double value, double low, double edge, std::int64_t index, double margin) {
  const double left = low + static_cast<double>(index) * edge;
  return std::max(0.0, std::max(left - value, value - (left + edge)) - margin);
}

struct Search {
  double square; // of the cutoff
  double reach;  // cutoff with a margin for roundoff
  double margin;
};

// The runs of candidates of one atom: columns within reach, cut to the chord of the sphere.
template <class Bins>
std::int64_t candidate_runs(const Bins& bins, const Search& search, std::int64_t slot,
                            std::vector<Range>& runs) {
  const Grid& grid = bins.grid;
  const double x = bins.sorted.x[slot], y = bins.sorted.y[slot], z = bins.sorted.z[slot];
  const std::int64_t x_high = grid.index(x + search.reach, 0);
  const std::int64_t y_low = grid.index(y - search.reach, 1);
  const std::int64_t y_high = grid.index(y + search.reach, 1);
  runs.clear();
  std::int64_t total = 0;
  for (std::int64_t ix = grid.index(x - search.reach, 0); ix <= x_high; ++ix) {
    const double dx = gap(x, grid.low[0], grid.edge_xy, ix, search.margin);
    for (std::int64_t iy = y_low; iy <= y_high; ++iy) {
      const double dy = gap(y, grid.low[1], grid.edge_xy, iy, search.margin);
      const double left = search.reach * search.reach - dx * dx - dy * dy;
      if (left < 0.0) continue;
      const double half = std::sqrt(left) + search.margin;
      const Range run = bins.run(ix, iy, grid.index(z - half, 2), grid.index(z + half, 2));
      if (run.begin == run.end) continue;
      runs.push_back(run);
      total += run.end - run.begin;
    }
  }
  return total;
}

template <class Bins>
std::int64_t write_row(const Bins& bins, double square, std::int64_t slot,
                       const std::vector<Range>& runs, std::int32_t* row) {
  const Sorted& sorted = bins.sorted;
  const double* const x = sorted.x.data();
  const double* const y = sorted.y.data();
  const double* const z = sorted.z.data();
  const double xi = x[slot], yi = y[slot], zi = z[slot];
  std::int64_t count = 0;
  for (const Range& run : runs) {
    for (std::int64_t j = run.begin; j < run.end; ++j) {
      const double dx = x[j] - xi, dy = y[j] - yi, dz = z[j] - zi;
      row[count] = sorted.atoms[j]; // kept only if the count moves on: no branch to mispredict
      count += (dx * dx + dy * dy + dz * dz < square && j != slot) ? 1 : 0;
    }
  }
  return count;
}

template <class Bins>
void search_bins(const Bins& bins, std::int64_t n_local, const Search& search, int threads,
                 NeighborList& list) {
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  std::vector<RowStore> stores(threads);
  std::vector<std::vector<Range>> runs(threads);
  std::vector<const std::int32_t*> rows(n_local);
  for_blocks(n_all, 1024, threads, [&](std::int64_t begin, std::int64_t end, int worker) {
    for (std::int64_t slot = begin; slot < end; ++slot) {
      const std::int64_t atom = bins.sorted.atoms[slot];
      if (atom >= n_local) continue;
      const std::int64_t most = candidate_runs(bins, search, slot, runs[worker]);
      std::int32_t* const row = stores[worker].reserve(most);
      const std::int64_t count = write_row(bins, search.square, slot, runs[worker], row);
      stores[worker].commit(count);
      rows[atom] = row;
      list.first[atom + 1] = count;
    }
  });
  for (std::int64_t i = 0; i < n_local; ++i) list.first[i + 1] += list.first[i];
  list.neighbors.resize(list.first[n_local]);
  for_blocks(n_local, 4096, threads, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::copy_n(rows[i], list.first[i + 1] - list.first[i],
                  list.neighbors.data() + list.first[i]);
    }
  });
}

void search_space(std::int64_t n_local, double cutoff, double roundoff, int threads,
                  NeighborList& list) {
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  Box box;
  double largest = 0.0;
  for (std::int64_t i = 0; i < n_all; ++i) box.include(list.positions.data() + 3 * i);
  for (int k = 0; k < 3; ++k) {
    largest = std::max({largest, std::abs(box.low[k]), std::abs(box.high[k])});
  }
  Search search{};
  search.square = cutoff * cutoff;
  search.margin = 1e-12 * cutoff + 32.0 * epsilon * largest + roundoff;
  search.reach = cutoff + search.margin;
  const double most = std::min(16.0 * static_cast<double>(n_all) + 64.0, 2e9);
  for (const auto& [edge_xy, edge_z] : {std::pair{0.5, 0.25}, {0.5, 0.5}, {1.0, 1.0}}) {
    const Grid grid = make_grid(box, edge_xy * cutoff, edge_z * cutoff);
    if (grid.count() > most) continue;
    search_bins(DenseBins(grid, list.positions), n_local, search, threads, list);
    return;
  }
  const Grid grid = make_grid(box, cutoff, cutoff);
  search_bins(SparseBins(grid, list.positions), n_local, search, threads, list);
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

} // namespace

NeighborList build_neighbors(std::int64_t n, const double* positions, const double* cell9,
                             const bool* pbc, double cutoff, int threads) {
  require_arguments(n, cell9, cutoff, threads);
  const Lattice lattice = make_lattice(cell9, pbc);
  NeighborList list;
  list.positions.resize(3 * n);
  list.owners.resize(n);
  list.shifts.resize(3 * n, 0);
  list.first.resize(n + 1, 0);
  if (n == 0) return list;
  const Locals locals = wrap_locals(n, positions, lattice, list);
  if (!locals.fractional.empty()) add_ghosts(lattice, positions, locals, cutoff, list);
  const auto n_all = static_cast<std::int64_t>(list.owners.size());
  constexpr std::int64_t atoms_worth_a_thread = 2000;
  constexpr std::int64_t few = 6000; // comparisons that cost less than sorting into bins
  if (n * n_all <= few) {
    search_all(n, cutoff, list);
  } else {
    search_space(n, cutoff, locals.roundoff, thread_count(threads, n / atoms_worth_a_thread), list);
  }
  // In a small cell a good part of the images near its box is beyond the reach of its atoms.
  if (n_all > 2 * n) drop_unused_ghosts(list, n);
  return list;
}

void refresh_positions(std::int64_t n_all, const std::int32_t* owners,
                       const std::int32_t* shifts, const double* positions,
                       const double* cell9, double* out) {
  for (std::int64_t a = 0; a < n_all; ++a) {
    image_position(positions + 3 * static_cast<std::int64_t>(owners[a]), shifts + 3 * a, cell9,
                   out + 3 * a);
  }
}

void refresh_positions(NeighborList& list, const double* positions, const double* cell9) {
  refresh_positions(static_cast<std::int64_t>(list.owners.size()), list.owners.data(),
                    list.shifts.data(), positions, cell9, list.positions.data());
}

double largest_displacement(std::int64_t n, const double* positions,
                            const double* build_positions, const double* deformation9) {
  if (n == 0) return 0.0;
  const double* f = deformation9;
  auto moved = [&](std::int64_t i) {
    const double* x = positions + 3 * i;
    const double* y = build_positions + 3 * i;
    Vector u;
    for (int k = 0; k < 3; ++k) {
      u[k] = x[k] - (y[0] * f[k] + y[1] * f[3 + k] + y[2] * f[6 + k]);
    }
    return u;
  };
  Vector mean{};
  for (std::int64_t i = 0; i < n; ++i) {
    const Vector u = moved(i);
    for (int k = 0; k < 3; ++k) mean[k] += u[k] / static_cast<double>(n);
  }
  double largest = 0.0;
  for (std::int64_t i = 0; i < n; ++i) {
    const Vector u = moved(i);
    const Vector v = {u[0] - mean[0], u[1] - mean[1], u[2] - mean[2]};
    const double square = dot(v, v);
    // A comparison with NaN is false: a lost atom must not look like one that rests.
    if (!(square <= largest)) largest = square;
    if (std::isnan(square)) return square;
  }
  return std::sqrt(largest);
}

} // namespace trimpot

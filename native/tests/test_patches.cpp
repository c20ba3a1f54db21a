// Patches hold the pairs of the neighbour list, sorted, for any cell and number of threads.
#include "patches.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "neighbors.hpp"

namespace {

int failures = 0;

void check(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "FAILED: %s\n", what.c_str());
  ++failures;
}

struct Sample {
  std::string name;
  std::vector<double> x;
  std::array<double, 9> cell;
  std::array<bool, 3> pbc;
  double cutoff;

  std::int64_t n() const { return static_cast<std::int64_t>(x.size() / 3); }
  trimpot::Patches patches(const std::vector<double>& reaches, int threads, std::int64_t size) const {
    return trimpot::build_patches(n(), x.data(), cell.data(), pbc.data(), cutoff, reaches, threads, size);
  }
};

// Two original atoms and the periods between their images as they were given.
using Pair = std::array<std::int64_t, 5>;

std::vector<Pair> pairs_of_list(const Sample& s) {
  const auto list = trimpot::build_neighbors(s.n(), s.x.data(), s.cell.data(), s.pbc.data(), s.cutoff);
  std::vector<Pair> pairs;
  for (std::int64_t i = 0; i < s.n(); ++i) {
    for (std::int64_t k = list.first[i]; k < list.first[i + 1]; ++k) {
      const std::int64_t j = list.neighbors[k];
      Pair pair{i, list.owners[j], 0, 0, 0};
      for (int c = 0; c < 3; ++c) pair[2 + c] = list.shifts[3 * j + c] - list.shifts[3 * i + c];
      pairs.push_back(pair);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

// A table entry: original atom, whole periods, position.
struct Entry {
  std::int64_t atom;
  std::array<std::int64_t, 3> shift;
  std::array<double, 3> x;
};

Entry entry_of(const Sample& s, const trimpot::Patches& all, const trimpot::Patch& patch, std::int64_t k) {
  const std::int64_t place = patch.atoms[k], image = patch.images[k];
  Entry entry{all.order[place], {}, {}};
  for (int c = 0; c < 3; ++c) entry.shift[c] = std::int64_t{all.wraps[3 * place + c]} + all.images[3 * image + c];
  for (int c = 0; c < 3; ++c) {
    double shift = 0.0;
    for (int d = 0; d < 3; ++d) shift += static_cast<double>(entry.shift[d]) * s.cell[3 * d + c];
    entry.x[c] = s.x[3 * entry.atom + c] + shift;
  }
  return entry;
}

double square(const Entry& a, const Entry& b) {
  double sum = 0.0;
  for (int c = 0; c < 3; ++c) sum += (b.x[c] - a.x[c]) * (b.x[c] - a.x[c]);
  return sum;
}

std::vector<Pair> pairs_of_patches(const Sample& s, const trimpot::Patches& all, const std::vector<double>& reaches) {
  std::vector<Pair> pairs;
  std::int64_t own = 0;
  for (const auto& patch : all.patches) {
    std::vector<bool> used(static_cast<std::size_t>(patch.n_all), false);
    for (std::int64_t i = 0; i < patch.n_own; ++i, ++own) {
      check(patch.atoms[i] == own && patch.images[i] == 0, s.name + ": own atoms in space order");
      used[i] = true;
      const Entry center = entry_of(s, all, patch, i);
      std::int64_t count = 0;
      std::vector<std::int64_t> within(reaches.size(), 0);
      std::pair<double, std::int64_t> last{-1.0, 0};
      check((patch.first[i + 1] - patch.first[i]) % 16 == 0, s.name + ": rows of whole vectors");
      for (std::int64_t k = patch.first[i]; k < patch.first[i + 1]; ++k) {
        const std::int64_t number = patch.neighbors[k];
        check(number <= patch.n_all, s.name + ": numbers of the table");
        if (number == patch.n_all) continue;
        check(k == patch.first[i] + count++, s.name + ": padding only behind neighbours");
        used[number] = true;
        const Entry other = entry_of(s, all, patch, number);
        const double r2 = square(center, other);
        check(last < std::pair{r2, number}, s.name + ": ascending distances, ties by index");
        last = {r2, number};
        for (std::size_t q = 0; q < reaches.size(); ++q)
          if (r2 < reaches[q] * reaches[q]) ++within[q];
        Pair pair{center.atom, other.atom, 0, 0, 0};
        for (int c = 0; c < 3; ++c) pair[2 + c] = other.shift[c] - center.shift[c];
        pairs.push_back(pair);
      }
      for (std::size_t q = 0; q < reaches.size(); ++q)
        check(patch.within[q][i] == within[q], s.name + ": neighbours within a reach");
      check((patch.first[i + 1] - patch.first[i]) - count < 16, s.name + ": no empty vectors");
    }
    check(std::find(used.begin(), used.end(), false) == used.end(), s.name + ": only neighbours in the table");
  }
  std::sort(pairs.begin(), pairs.end());
  check(own == s.n(), s.name + ": every atom has a patch");
  std::vector<std::int32_t> order = all.order;
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < s.n(); ++i) check(order[i] == i, s.name + ": a permutation of the atoms");
  return pairs;
}

bool same(const trimpot::Patches& a, const trimpot::Patches& b) {
  if (a.order != b.order || a.wraps != b.wraps || a.images != b.images || a.patches.size() != b.patches.size())
    return false;
  for (std::size_t p = 0; p < a.patches.size(); ++p) {
    const auto &one = a.patches[p], &two = b.patches[p];
    if (one.atoms != two.atoms || one.images != two.images || one.first != two.first ||
        one.neighbors != two.neighbors || one.within != two.within || one.n_own != two.n_own ||
        !std::equal(one.center, one.center + 3, two.center))
      return false;
  }
  return true;
}

void examine(const Sample& s) {
  const auto expected = pairs_of_list(s);
  const std::vector<double> reaches = {0.6 * s.cutoff, 0.93 * s.cutoff, 0.0, s.cutoff};
  for (const std::int64_t size : {1, 7, 60, 1000}) {
    const auto one = s.patches(reaches, 1, size), three = s.patches(reaches, 3, size);
    check(same(one, three), s.name + ": the same for three threads");
    check(pairs_of_patches(s, one, reaches) == expected, s.name + ": the pairs of the list");
    check(static_cast<std::int64_t>(one.patches.size()) >= s.n() / (2 * size), s.name + ": several patches");
  }
}

std::vector<double> uniform(std::int64_t n, double low, double high, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> numbers(low, high);
  std::vector<double> x(static_cast<std::size_t>(3 * n));
  for (double& value : x) value = numbers(engine);
  return x;
}

constexpr std::array<bool, 3> bulk = {true, true, true}, slab = {true, true, false},
                              wire = {false, true, false}, cluster = {false, false, false};

std::vector<double> crystal(std::int64_t repeats, double edge) {
  std::vector<double> x;
  for (const double offset : {0.0, 0.5})
    for (std::int64_t i = 0; i < repeats; ++i)
      for (std::int64_t j = 0; j < repeats; ++j)
        for (std::int64_t k = 0; k < repeats; ++k)
          for (const std::int64_t cell : {i, j, k}) x.push_back(edge * (static_cast<double>(cell) + offset));
  return x;
}

std::vector<Sample> samples() {
  std::vector<double> gas = uniform(300, 0.0, 20.0, 3);
  gas.insert(gas.end(), {1e12, -1e6, 4.0});
  std::vector<double> heap = uniform(40, 0.0, 4.0, 9);
  for (int copy = 0; copy < 40; ++copy) heap.insert(heap.end(), {1.0, 2.0, 3.0}); // coincident
  const std::array<double, 9> none = {};
  return {
      {"bulk", uniform(900, -30.0, 60.0, 1), {24, 0, 0, 0, 22, 0, 0, 0, 26}, bulk, 4.0},
      {"perfect crystal", crystal(6, 3.165), {18.99, 0, 0, 0, 18.99, 0, 0, 0, 18.99}, bulk, 6.5},
      {"shell at the cutoff", crystal(5, 3.0), {15, 0, 0, 0, 15, 0, 0, 0, 15}, bulk, 6.0},
      {"triclinic", uniform(200, -9.0, 9.0, 2), {9, 0.5, 0, -4, 10, 1, 3, -6, 11}, bulk, 4.5},
      {"very skewed", uniform(30, 0.0, 9.0, 2), {9, 0, 0, 900, 9, 0, -3000, 90, 9}, bulk, 4.0},
      {"small", uniform(3, 0.0, 3.0, 4), {3, 0, 0, 1, 3, 0, 0, 1, 3}, bulk, 7.0},
      {"one atom", {0.3, -7.0, 21.0}, {0, 2, 2, 2, 0, 2, 2, 2, 0}, bulk, 6.5},
      {"slab", uniform(150, 0.0, 12.0, 5), {12, 0, 0, 2, 12, 0, 0, 0, 0}, slab, 5.0},
      {"wire", uniform(150, 0.0, 12.0, 6), {0, 0, 0, 1, 5, 0, 0, 0, 0}, wire, 6.0},
      {"cluster", uniform(200, 0.0, 12.0, 7), none, cluster, 5.0},
      {"one far atom", gas, none, cluster, 3.0},
      {"thin gas", uniform(300, 0.0, 4000.0, 8), none, cluster, 40.0},
      {"coincident atoms", heap, none, cluster, 3.0},
      {"lonely atom", {1.0, 2.0, 3.0}, none, cluster, 5.0},
      {"no atoms", {}, {5, 0, 0, 0, 5, 0, 0, 0, 5}, bulk, 5.0},
  };
}

void old_patches_only_lend_memory() {
  trimpot::Patches patches;
  for (const Sample& s : samples()) {
    patches = trimpot::build_patches(s.n(), s.x.data(), s.cell.data(), s.pbc.data(), s.cutoff, {2.0}, 1, 50,
                                     std::move(patches));
    check(same(patches, s.patches({2.0}, 1, 50)), s.name + ": in the memory of another system");
  }
}

// Tables of more atoms than 16 bits can count are divided.
void large_tables() {
  const std::vector<double> x = uniform(70000, 0.0, 60.0, 11);
  const std::array<double, 9> none = {};
  const Sample s{"large tables", x, none, cluster, 1.0};
  const auto patches = s.patches({}, 1, 70000);
  check(patches.patches.size() > 1, "a patch of 70000 atoms is divided");
  std::int64_t entries = 0;
  for (const auto& patch : patches.patches)
    for (const auto number : patch.neighbors) entries += number != patch.n_all ? 1 : 0;
  check(entries == static_cast<std::int64_t>(pairs_of_list(s).size()), "no pair is lost by division");
}

template <class Call>
void refuses(const char* what, Call&& call) {
  try {
    call();
    check(false, what);
  } catch (const std::invalid_argument&) {
  }
}

void errors() {
  const std::array<double, 9> cube = {3, 0, 0, 0, 3, 0, 0, 0, 3};
  Sample s{"errors", {0, 0, 0}, cube, bulk, 5.0};
  refuses("a negative reach", [&] { s.patches({-1.0}, 1, 10); });
  refuses("patches of no atoms", [&] { s.patches({1.0}, 1, 0); });
  s.cutoff = 80.0; // 79,000 neighbours
  refuses("more neighbours than 16 bits count", [&] { s.patches({}, 1, 10); });
}

} // namespace

int main() {
  for (const Sample& sample : samples()) examine(sample);
  old_patches_only_lend_memory();
  large_tables();
  errors();
  return failures == 0 ? 0 : 1;
}

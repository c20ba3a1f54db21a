#include "patches.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "kernels.hpp"
#include "neighbors/candidates.hpp"
#include "neighbors/division.hpp"
#include "neighbors/images.hpp"
#include "neighbors/limits.hpp"
#include "threads.hpp"

namespace trimpot {

using namespace neighbors_detail;

namespace {

constexpr std::int64_t largest_table = 65535, largest_row = 65000;

struct Neighbor {
  double square;
  std::uint16_t number;
  friend bool operator<(const Neighbor& a, const Neighbor& b) {
    return a.square < b.square || (a.square == b.square && a.number < b.number);
  }
};

// Builds patches one after the other; one per thread.
class Builder {
public:
  Builder(const Space& space, const std::vector<double>& reaches)
      : space_(space), reaches_(reaches), within_(reaches.size()),
        table_index_(static_cast<std::size_t>(space.bins.size()), none) {}

  // Appends the patch of these homes, or several if its table would be too large. The atoms
  // of their tables are slots. A patch that is there already lends its memory.
  void build(std::vector<Home> homes, std::vector<Patch>& patches) {
    Patch spare;
    if (!patches.empty()) spare = std::move(patches.front());
    patches.clear();
    add(std::move(homes), std::move(spare), patches);
  }

private:
  static constexpr std::int32_t none = -1;

  const Space& space_;
  const std::vector<double>& reaches_;
  std::vector<AlignedVector<std::uint16_t>> within_; // by reach
  const SearchKernels& search_ = kernels().search;
  Candidates candidates_;
  std::vector<std::int32_t> table_index_; // of each slot
  AlignedVector<std::int32_t> table_;     // slots
  std::int64_t n_own_ = 0;
  std::vector<std::int64_t> first_;
  AlignedVector<std::uint16_t> neighbors_;
  std::vector<std::int32_t> lengths_; // of the rows, without padding
  AlignedVector<std::uint16_t> marks_;
  std::vector<std::int32_t> counts_;
  AlignedVector<std::int32_t> keys_;
  std::vector<std::int32_t> surely_;
  std::vector<std::uint16_t> used_; // marks of candidates that are any own atom's neighbour
  std::vector<std::uint16_t> numbers_; // of the candidates in the table
  std::vector<Neighbor> exact_;

  void add(std::vector<Home> homes, Patch spare, std::vector<Patch>& patches) {
    line_up(homes);
    const bool fits = fill(homes);
    if (fits) patches.push_back(take(std::move(spare)));
    clear();
    if (fits) return;
    for (auto& half : halves(homes)) add(std::move(half), {}, patches);
  }

  bool fill(const std::vector<Home>& homes) {
    for (const Home& home : homes)
      for (std::int64_t slot = home.own.begin; slot < home.own.end; ++slot) enter(slot);
    n_own_ = static_cast<std::int64_t>(table_.size());
    if (n_own_ > largest_table) return false;
    first_.assign(1, 0);
    for (const Home& home : homes) {
      candidates_.collect(space_, home);
      marks_.resize(candidates_.n_own * candidates_.n_groups());
      counts_.resize(candidates_.n_own);
      const auto shift = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(candidates_.size)));
      keys_.resize(candidates_.n_own * candidates_.keys_per_row());
      search_.mark_keys(candidates_, marks_.data(), counts_.data(), shift, keys_.data());
      for (const std::int32_t count : counts_) {
        if (count > largest_row) {
          refuse("an atom has ", count, " neighbours within ", space_.cutoff,
                 " A, at most 65,000 can be listed: check the units of cell, positions and "
                 "cutoff");
        }
      }
      if (!enter_neighbors()) return false;
      const RowOrder order = row_order(shift);
      for (std::int64_t i = 0; i < candidates_.n_own; ++i) add_row(i, order);
    }
    return true;
  }

  void enter(std::int64_t slot) {
    table_index_[slot] = static_cast<std::int32_t>(table_.size());
    table_.push_back(static_cast<std::int32_t>(slot));
  }

  // Gives each candidate that is a neighbour a number in the table.
  bool enter_neighbors() {
    const std::int64_t n_groups = candidates_.n_groups();
    numbers_.resize(group * n_groups);
    used_.assign(n_groups, 0);
    for (std::int64_t i = 0; i < candidates_.n_own; ++i) {
      const std::uint16_t* const marks = marks_.data() + i * n_groups;
      for (std::int64_t g = 0; g < n_groups; ++g) used_[g] |= marks[g];
    }
    auto size = static_cast<std::int64_t>(table_.size());
    table_.resize(size + candidates_.size + 1);
    std::int32_t* const table = table_.data();
    std::int32_t* const index_of = table_index_.data();
    std::uint16_t* const numbers = numbers_.data();
    for (std::int64_t g = 0; g < n_groups; ++g) {
      for (unsigned left = used_[g]; left != 0; left &= left - 1) {
        const std::int64_t c = group * g + std::countr_zero(left);
        const std::int32_t slot = candidates_.slots[c], known = index_of[slot];
        const std::int32_t index = known == none ? static_cast<std::int32_t>(size) : known;
        table[size] = slot; // kept only if the size moves on: no branch to mispredict
        size += known == none ? 1 : 0;
        index_of[slot] = index;
        numbers[c] = static_cast<std::uint16_t>(index);
      }
    }
    table_.resize(size);
    return size <= largest_table;
  }

  double square_to(std::int64_t i, std::uint16_t number) const {
    return square_distance(candidates_.points, candidates_.slots[i], table_[number]);
  }

  void add_row(std::int64_t i, const RowOrder& order) {
    const std::int64_t count = counts_[i], begin = first_.back();
    first_.push_back(begin + (count + 15) / 16 * 16);
    lengths_.push_back(static_cast<std::int32_t>(count));
    neighbors_.resize(first_.back());
    std::uint16_t* const row = neighbors_.data() + begin;
    std::int32_t* keys = nullptr;
    if (candidates_.outer > 0.0f) {
      keys = keys_.data() + i * candidates_.keys_per_row();
      if (search_.sort(order, keys, count, row)) settle_order(i, keys, count, order.step, row);
    } else {
      sort_exactly(i, marks_.data() + i * candidates_.n_groups(), row);
    }
    for (std::size_t q = 0; q < reaches_.size(); ++q) {
      std::int64_t within = keys == nullptr ? 0 : std::count_if(keys, keys + count, [&](std::int32_t key) { return key < surely_[q]; });
      while (within < count && square_to(i, row[within]) < reaches_[q] * reaches_[q]) ++within;
      within_[q].push_back(static_cast<std::uint16_t>(within));
    }
  }

  // How to sort the rows of the current home, and the keys below which a neighbour surely lies within
  // each reach.
  RowOrder row_order(int shift) {
    const double levels = std::ldexp(1.0, 31 - shift), unit = std::ldexp(1.0, shift);
    const double doubt = std::floor(levels * (candidates_.outer - candidates_.inner)) + 2.0;
    auto key = [unit](double level) {
      return static_cast<std::int32_t>(std::clamp(level * unit, 0.0, 2147483647.0));
    };
    surely_.clear();
    for (const double reach : reaches_) surely_.push_back(key(reach * reach / (space_.cutoff * space_.cutoff) * levels - doubt));
    return {numbers_.data(), shift, key(doubt + 1.0)};
  }

  // Sorts neighbours whose keys are closer than `step` by their exact distances.
  void settle_order(std::int64_t i, const std::int32_t* keys, std::int64_t count,
                    std::int32_t step, std::uint16_t* row) {
    for (std::int64_t begin = 0; begin < count;) {
      std::int64_t end = begin + 1;
      while (end < count && keys[end] - keys[end - 1] < step) ++end;
      if (end - begin > 1) {
        exact_.clear();
        for (std::int64_t k = begin; k < end; ++k) exact_.push_back({square_to(i, row[k]), row[k]});
        write_sorted(row + begin);
      }
      begin = end;
    }
  }

  void sort_exactly(std::int64_t i, const std::uint16_t* marks, std::uint16_t* row) {
    exact_.clear();
    for (std::int64_t g = 0; g < candidates_.n_groups(); ++g) {
      for (unsigned left = marks[g]; left != 0; left &= left - 1) {
        const std::uint16_t number = numbers_[group * g + std::countr_zero(left)];
        exact_.push_back({square_to(i, number), number});
      }
    }
    write_sorted(row);
  }

  void write_sorted(std::uint16_t* row) {
    std::sort(exact_.begin(), exact_.end());
    for (const Neighbor& neighbor : exact_) *row++ = neighbor.number;
  }

  // The finished patch, in the memory of another one.
  Patch take(Patch patch) {
    patch.n_own = static_cast<std::int32_t>(n_own_);
    patch.n_all = static_cast<std::int32_t>(table_.size());
    for (std::int64_t i = 0; i < n_own_; ++i) {
      std::fill(neighbors_.begin() + first_[i] + lengths_[i], neighbors_.begin() + first_[i + 1],
                static_cast<std::uint16_t>(patch.n_all));
    }
    patch.atoms = table_;
    patch.first = first_;
    patch.neighbors = neighbors_;
    patch.within = within_;
    const Points points = space_.points();
    Box box;
    for (std::int64_t i = 0; i < n_own_; ++i) {
      const double x[3] = {points.x[table_[i]], points.y[table_[i]], points.z[table_[i]]};
      box.include(x);
    }
    for (int k = 0; k < 3; ++k) patch.center[k] = 0.5 * (box.low[k] + box.high[k]);
    return patch;
  }

  void clear() {
    for (const std::int32_t slot : table_) table_index_[slot] = none;
    table_.clear();
    neighbors_.clear();
    for (auto& within : within_) within.clear();
    lengths_.clear();
  }
};

// Replaces the patches, reusing their memory.
void build_all(const Space& space, std::int64_t n, const std::vector<double>& reaches, int threads,
               std::int64_t patch_size, std::vector<Patch>& patches) {
  const auto parts = divide(homes_of(space.bins, n), patch_size);
  const auto n_parts = static_cast<std::int64_t>(parts.size());
  const auto n_old = static_cast<std::int64_t>(patches.size());
  const int n_threads = thread_count(threads, n_parts);
  std::vector<std::vector<Patch>> built(parts.size());
  std::vector<std::unique_ptr<Builder>> builders(static_cast<std::size_t>(n_threads));
  for_blocks(n_parts, 1, n_threads, [&](std::int64_t part, std::int64_t, int thread) {
    if (!builders[thread]) builders[thread] = std::make_unique<Builder>(space, reaches);
    if (part < n_old) built[part].push_back(std::move(patches[part]));
    builders[thread]->build(parts[part], built[part]);
  });
  patches.clear();
  for (auto& some : built)
    for (Patch& patch : some) patches.push_back(std::move(patch));
}

// Numbers the images that atoms (local ones and ghosts) lie in, beginning with 0 for none;
// appends them to `images`.
std::vector<std::int32_t> number_images(const NeighborList& atoms, std::int64_t n,
                                        std::vector<std::int32_t>& images) {
  using Image = std::array<std::int64_t, 3>;
  std::map<Image, std::int32_t> known = {{Image{0, 0, 0}, 0}};
  std::array<std::int32_t, 125> nearby; // the same of up to two periods along each row
  nearby.fill(-1);
  images.assign(3, 0);
  std::vector<std::int32_t> numbers(atoms.owners.size(), 0);
  for (std::size_t a = static_cast<std::size_t>(n); a < numbers.size(); ++a) {
    const std::int64_t owner = atoms.owners[a];
    Image image;
    for (std::size_t k = 0; k < 3; ++k) {
      image[k] = std::int64_t{atoms.shifts[3 * a + k]} - atoms.shifts[3 * owner + k];
      if (std::abs(image[k]) > largest_index) {
        refuse("an image of atom ", owner, " lies ", image[k], " periods from it, at most "
               "2^31 - 1 can be counted: reduce the cell first");
      }
    }
    const bool is_nearby = std::all_of(image.begin(), image.end(),
                                       [](std::int64_t whole) { return std::abs(whole) <= 2; });
    const std::int64_t key = is_nearby ? 25 * image[0] + 5 * image[1] + image[2] + 62 : 0;
    if (is_nearby && nearby[key] >= 0) {
      numbers[a] = nearby[key];
      continue;
    }
    const auto [place, is_new] = known.try_emplace(image, static_cast<std::int32_t>(known.size()));
    if (is_new)
      for (const std::int64_t whole : image) images.push_back(static_cast<std::int32_t>(whole));
    numbers[a] = place->second;
    if (is_nearby) nearby[key] = place->second;
  }
  return numbers;
}

// The order of the own atoms of all patches, and their wraps.
void set_order(const Bins& bins, const NeighborList& atoms, Patches& result) {
  for (const Patch& patch : result.patches) {
    for (std::int32_t i = 0; i < patch.n_own; ++i) {
      const std::int32_t atom = bins.atoms[patch.atoms[i]];
      result.order.push_back(atom);
      for (std::int64_t k = 0; k < 3; ++k) result.wraps.push_back(atoms.shifts[3 * std::int64_t{atom} + k]);
    }
  }
}

void require_arguments(const std::vector<double>& reaches, std::int64_t patch_size) {
  for (const double reach : reaches)
    if (!(reach >= 0.0)) refuse("a reach is ", reach, " A, expected 0 or a distance");
  if (patch_size < 1) refuse("patch_size is ", patch_size, ", expected a number of atoms");
}

struct Wanted {
  double cutoff;
  const std::vector<double>& reaches;
  int threads;
  std::int64_t patch_size;
};

Patches patches_of(const Surroundings& atoms, std::int64_t n, const Wanted& wanted, Patches old) {
  const double cutoff = wanted.cutoff;
  Patches result = std::move(old);
  result.cutoff = cutoff;
  result.order.clear();
  result.wraps.clear();
  const auto image_numbers = number_images(atoms.list, n, result.images);
  if (n == 0) result.patches.clear();
  if (n == 0) return result;
  const Space space(atoms.list.positions, n, cutoff, atoms.roundoff, atoms.threads);
  build_all(space, n, wanted.reaches, wanted.threads, wanted.patch_size, result.patches);
  result.order.reserve(static_cast<std::size_t>(n));
  result.wraps.reserve(static_cast<std::size_t>(3 * n));
  set_order(space.bins, atoms.list, result);
  std::vector<std::int32_t> places(atoms.list.owners); // a ghost that is its own owner stays where it is
  for (std::int64_t place = 0; place < n; ++place) {
    places[result.order[place]] = static_cast<std::int32_t>(place);
  }
  for_each_item(static_cast<std::int64_t>(result.patches.size()), wanted.threads, [&](std::int64_t p) {
    Patch& patch = result.patches[p];
    patch.images.resize(patch.n_all);
    for (std::int64_t k = 0; k < patch.n_all; ++k) {
      const std::int32_t atom = space.bins.atoms[patch.atoms[k]];
      patch.atoms[k] = places[atoms.list.owners[atom]];
      patch.images[k] = image_numbers[atom];
    }
  });
  return result;
}

} // namespace

Patches build_patches(std::int64_t n, const double* positions, const double* cell9,
                      const bool* pbc, double cutoff, const std::vector<double>& reaches, int threads,
                      std::int64_t patch_size, Patches old) {
  require_arguments(reaches, patch_size);
  return patches_of(surround_atoms(n, positions, cell9, pbc, cutoff, threads), n,
                    {cutoff, reaches, threads, patch_size}, std::move(old));
}

Patches build_patches(std::int64_t n_local, std::int64_t n_all, const double* positions, double cutoff,
                      const std::vector<double>& reaches, int threads, std::int64_t patch_size, Patches old) {
  require_arguments(reaches, patch_size);
  return patches_of(given_atoms(n_local, n_all, positions, cutoff, threads), n_local,
                    {cutoff, reaches, threads, patch_size}, std::move(old));
}

} // namespace trimpot

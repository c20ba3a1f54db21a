#include "division.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace trimpot::neighbors_detail {
namespace {

using Iterator = std::vector<Home>::iterator;

std::int64_t count_atoms(Iterator begin, Iterator end) {
  std::int64_t n = 0;
  for (Iterator home = begin; home != end; ++home) n += home->own.end - home->own.begin;
  return n;
}

int longest_axis(Iterator begin, Iterator end) {
  std::array<std::int64_t, 3> extent{};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto [low, high] = std::minmax_element(
        begin, end, [k](const Home& a, const Home& b) { return a.bin[k] < b.bin[k]; });
    extent[k] = high->bin[k] - low->bin[k];
  }
  return static_cast<int>(std::max_element(extent.begin(), extent.end()) - extent.begin());
}

// Reorders homes so that those before the returned place lie lower along the axis and have
// about `wanted` atoms.
Iterator cut(Iterator begin, Iterator end, int axis, std::int64_t wanted) {
  const int second = (axis + 1) % 3, third = (axis + 2) % 3;
  auto lower = [=](const Home& a, const Home& b) {
    return std::tie(a.bin[axis], a.bin[second], a.bin[third], a.own.begin) <
           std::tie(b.bin[axis], b.bin[second], b.bin[third], b.own.begin);
  };
  Iterator low = begin, high = end;
  while (high - low > 1) {
    const Iterator middle = low + (high - low) / 2;
    std::nth_element(low, middle, high, lower);
    const std::int64_t below = count_atoms(low, middle);
    if (below <= wanted) {
      wanted -= below;
      low = middle;
    } else {
      high = middle;
    }
  }
  const bool rather_before = 2 * wanted > low->own.end - low->own.begin;
  return std::clamp(low + (rather_before ? 1 : 0), begin + 1, end - 1);
}

using Parts = std::vector<std::vector<Home>>;

void divide_home(Home home, std::int64_t n_parts, Parts& parts) {
  const Range all = home.own;
  for (std::int64_t p = 0; p < n_parts; ++p) {
    home.own = {all.begin + (all.end - all.begin) * p / n_parts,
                all.begin + (all.end - all.begin) * (p + 1) / n_parts};
    parts.push_back({home});
  }
}

void divide_range(Iterator begin, Iterator end, std::int64_t n_parts, Parts& parts) {
  const std::int64_t n = count_atoms(begin, end);
  n_parts = std::min(n_parts, n);
  if (n_parts <= 1) {
    parts.emplace_back(begin, end);
  } else if (end - begin == 1) {
    divide_home(*begin, n_parts, parts);
  } else {
    const Iterator middle = cut(begin, end, longest_axis(begin, end), n * (n_parts / 2) / n_parts);
    const std::int64_t below = count_atoms(begin, middle);
    // Where homes are uneven, the numbers of parts follow the atoms.
    const std::int64_t share = std::clamp((below * n_parts + n / 2) / n, std::int64_t{1}, n_parts - 1);
    divide_range(begin, middle, share, parts);
    divide_range(middle, end, n_parts - share, parts);
  }
}

} // namespace

std::int64_t count_atoms(const std::vector<Home>& homes) {
  std::int64_t n = 0;
  for (const Home& home : homes) n += home.own.end - home.own.begin;
  return n;
}

Parts divide(const std::vector<Home>& homes, std::int64_t size) {
  Parts parts;
  if (homes.empty()) return parts;
  std::vector<Home> order = homes;
  const std::int64_t n = count_atoms(homes);
  divide_range(order.begin(), order.end(), (n + size - 1) / size, parts);
  return parts;
}

Parts halves(const std::vector<Home>& homes) {
  Parts parts;
  std::vector<Home> order = homes;
  divide_range(order.begin(), order.end(), 2, parts);
  return parts;
}

void line_up(std::vector<Home>& homes) {
  auto key = [](const Home& home) {
    const auto [ix, iy, iz] = home.bin;
    return std::tuple(ix, ix % 2 == 0 ? iy : -iy, (ix + iy) % 2 == 0 ? iz : -iz, home.own.begin);
  };
  std::sort(homes.begin(), homes.end(),
            [&](const Home& a, const Home& b) { return key(a) < key(b); });
}

} // namespace trimpot::neighbors_detail

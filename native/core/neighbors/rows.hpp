// Storage for pieces of unknown number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace trimpot::neighbors_detail {

// Numbers in blocks that never move.
template <class T>
class RowStore {
public:
  // Room for `size` numbers.
  T* add(std::int64_t size) {
    if (left_ < size) {
      const std::int64_t block = std::max(size, next_block_);
      next_block_ = std::min<std::int64_t>(2 * next_block_, std::int64_t{1} << 17);
      blocks_.emplace_back(new T[static_cast<std::size_t>(block)]);
      next_ = blocks_.back().get();
      left_ = block;
    }
    T* const row = next_;
    next_ += size;
    left_ -= size;
    return row;
  }

private:
  std::vector<std::unique_ptr<T[]>> blocks_;
  T* next_ = nullptr;
  std::int64_t left_ = 0, next_block_ = 4096;
};

} // namespace trimpot::neighbors_detail

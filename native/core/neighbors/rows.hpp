// Storage for rows of unknown size.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

namespace trimpot::neighbors_detail {

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

} // namespace trimpot::neighbors_detail

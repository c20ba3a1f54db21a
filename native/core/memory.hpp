// Memory in cache lines: vectors that are not cleared when they grow, and scratch arenas.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace trimpot {

// Aligns to cache lines and leaves new numbers as they are: whoever resizes a vector writes it.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}

  T* allocate(std::size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64}));
  }
  void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{64}); }

  template <class U>
  void construct(U* p) { ::new (static_cast<void*>(p)) U; }
  template <class U, class... Args>
  void construct(U* p, Args&&... args) { ::new (static_cast<void*>(p)) U(std::forward<Args>(args)...); }

  friend bool operator==(AlignedAllocator, AlignedAllocator) { return true; }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

// Gives a vector another size; its numbers are whatever they were. It takes no more memory than that.
template <class T>
void set_size(AlignedVector<T>& a, std::int64_t n) {
  if (static_cast<std::size_t>(n) > a.capacity()) AlignedVector<T>().swap(a);
  a.resize(static_cast<std::size_t>(n));
}

// Scratch memory of one thread, handed out in cache lines, and freed where a scope ends.
class Arena {
 public:
  // Frees what was taken since it began.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), block_(arena.block_), used_(arena.used_) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      arena_.block_ = block_;
      arena_.used_ = used_;
    }

   private:
    Arena& arena_;
    std::size_t block_, used_;
  };

  template <class T>
  T* take(std::int64_t n) {
    const std::size_t bytes = (static_cast<std::size_t>(n) * sizeof(T) + 63) / 64 * 64;
    while (block_ < blocks_.size() && used_ + bytes > blocks_[block_].size()) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) blocks_.emplace_back(std::max(bytes, std::size_t{1} << 16));
    T* p = reinterpret_cast<T*>(blocks_[block_].data() + used_);
    used_ += bytes;
#ifdef TRIMPOT_POISON // tests: whoever reads what it has not written gets NaN
    std::fill(reinterpret_cast<unsigned char*>(p), reinterpret_cast<unsigned char*>(p) + bytes, 0xff);
#endif
    return p;
  }

 private:
  std::vector<AlignedVector<std::byte>> blocks_;
  std::size_t block_ = 0, used_ = 0;
};

} // namespace trimpot

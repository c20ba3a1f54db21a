// Arithmetic on denormal numbers is slow and means nothing here: within the life of this
// object, results too small to be normal are zero.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif
#include <cstdint>

namespace trimpot {

class FlushDenormals {
 public:
  FlushDenormals() : before_(get()) { set(before_ | flags); }
  ~FlushDenormals() { set(before_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr std::uint64_t flags = 0x8040; // flush to zero, denormals are zero
  static std::uint64_t get() { return _mm_getcsr(); }
  static void set(std::uint64_t state) { _mm_setcsr(static_cast<unsigned>(state)); }
#elif defined(__aarch64__)
  static constexpr std::uint64_t flags = std::uint64_t{1} << 24;
  static std::uint64_t get() {
    std::uint64_t state;
    asm volatile("mrs %0, fpcr" : "=r"(state));
    return state;
  }
  static void set(std::uint64_t state) { asm volatile("msr fpcr, %0" : : "r"(state)); }
#else
  static constexpr std::uint64_t flags = 0;
  static std::uint64_t get() { return 0; }
  static void set(std::uint64_t) {}
#endif
  std::uint64_t before_;
};

} // namespace trimpot

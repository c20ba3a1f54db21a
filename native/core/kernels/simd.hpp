// Four doubles as one value, by the vector extensions of GCC and Clang: the compiler maps
// it to SSE2, AVX, AVX-512VL or NEON registers, from one source.
#pragma once

namespace trimpot::TRIMPOT_ISA {

using v4 = double __attribute__((vector_size(32)));
using v4_unaligned = double __attribute__((vector_size(32), aligned(8), may_alias));

inline v4 load(const double* p) { return *reinterpret_cast<const v4_unaligned*>(p); }
inline void store(double* p, v4 a) { *reinterpret_cast<v4_unaligned*>(p) = a; }
inline v4 broadcast(double a) { return v4{a, a, a, a}; }

// Sums of the four lanes of a, b, c, d, as one vector.
inline v4 sums(v4 a, v4 b, v4 c, v4 d) {
  const v4 ab = __builtin_shufflevector(a, b, 0, 4, 2, 6) + __builtin_shufflevector(a, b, 1, 5, 3, 7);
  const v4 cd = __builtin_shufflevector(c, d, 0, 4, 2, 6) + __builtin_shufflevector(c, d, 1, 5, 3, 7);
  return __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

} // namespace trimpot::TRIMPOT_ISA

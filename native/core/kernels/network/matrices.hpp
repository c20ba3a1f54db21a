// Products of rows of channels with matrices of parameters.
#pragma once

#include "lanes.hpp"

namespace trimpot::TRIMPOT_ISA {

// A matrix of parameters: in x out row by row, and transposed; both in blocks of 16.
template <class T>
struct Matrix {
  int in = 0, out = 0;              // multiples of 16
  const Block16<T>* w = nullptr;    // in x out
  const Block16<T>* wt = nullptr;   // out x in
  std::int64_t begin = 0;           // among all parameters
};

namespace matrices_detail {

template <int R, int C, class T>
TRIMPOT_INLINE void tile(const Block16<T>* const* x, Block16<T>* const* y, const Block16<T>* w, int in, int blocks,
                         int at, bool add) {
  Block16<T> sums[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) sums[r][c] = add ? y[r][at + c] : Block16<T>{};
  for (int i = 0; i < in; ++i) {
    const Block16<T>* const row = w + std::ptrdiff_t{i} * blocks + at;
    for (int r = 0; r < R; ++r) {
      const auto a = broadcast<width>(lane_of(x[r], i));
      for (int c = 0; c < C; ++c) sums[r][c] += a * row[c];
    }
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) y[r][at + c] = sums[r][c];
}

template <int R, int C, class T>
TRIMPOT_INLINE void tile(const DualBlock<T>* const* x, DualBlock<T>* const* y, const Block16<T>* w, int in, int blocks,
                         int at, bool add) {
  DualBlock<T> sums[R][C];
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) sums[r][c] = add ? y[r][at + c] : DualBlock<T>{};
  for (int i = 0; i < in; ++i) {
    const Block16<T>* const row = w + std::ptrdiff_t{i} * blocks + at;
    for (int r = 0; r < R; ++r) {
      const auto a = lane_of(x[r], i);
      const auto v = broadcast<width>(a.v), d = broadcast<width>(a.d);
      for (int c = 0; c < C; ++c) {
        sums[r][c].v += v * row[c];
        sums[r][c].d += d * row[c];
      }
    }
  }
  for (int r = 0; r < R; ++r)
    for (int c = 0; c < C; ++c) y[r][at + c] = sums[r][c];
}

template <int R, class L, class T>
TRIMPOT_INLINE void tiles(const L* const* x, L* const* y, const Block16<T>* w, int in, int blocks, bool add) {
  int at = 0;
  for (; at + 2 <= blocks; at += 2) tile<R, 2>(x, y, w, in, blocks, at, add);
  for (; at < blocks; ++at) tile<R, 1>(x, y, w, in, blocks, at, add);
}

template <class L>
constexpr int tile_rows = 4;
template <class T>
constexpr int tile_rows<Block16<T>> = 8;

template <class L, class T>
void multiply(const L* const* x, L* const* y, int rows, const Block16<T>* w, int in, int out, bool add) {
  const int blocks = out / width;
  int r = 0;
  if constexpr (tile_rows<L> == 8)
    for (; r + 8 <= rows; r += 8) tiles<8>(x + r, y + r, w, in, blocks, add);
  for (; r + 4 <= rows; r += 4) tiles<4>(x + r, y + r, w, in, blocks, add);
  for (; r + 2 <= rows; r += 2) tiles<2>(x + r, y + r, w, in, blocks, add);
  for (; r < rows; ++r) tiles<1>(x + r, y + r, w, in, blocks, add);
}

} // namespace matrices_detail

// y = x w, or added to y; of rows given by pointers.
template <class L, class T>
void times(const Matrix<T>& m, const L* const* x, L* const* y, int rows, bool add) {
  matrices_detail::multiply(x, y, rows, m.w, m.in, m.out, add);
}

// x_bar += y_bar w^T
template <class L, class T>
void times_transposed(const Matrix<T>& m, const L* const* y_bar, L* const* x_bar, int rows, bool add) {
  matrices_detail::multiply(y_bar, x_bar, rows, m.wt, m.out, m.in, add);
}

// Derivative of a product, summed over lanes of its two factors.
template <class T>
TRIMPOT_INLINE Block16<T> slope(DualNumber<T> a, DualBlock<T> b) {
  return broadcast<width>(a.v) * b.d + broadcast<width>(a.d) * b.v;
}
template <class T>
TRIMPOT_INLINE Block16<T> slope(DualBlock<T> a, DualBlock<T> b) { return a.v * b.d + a.d * b.v; }

// w_bar += derivative of sum over rows of x^T y_bar.
template <class T>
void add_outer(const Matrix<T>& m, const DualBlock<T>* const* x, const DualBlock<T>* const* y_bar, int rows,
               T* gradient) {
  constexpr int tall = 4;
  const int blocks = m.out / width;
  Block16<T>* const g = reinterpret_cast<Block16<T>*>(gradient + m.begin);
  for (int at = 0; at < blocks; ++at)
    for (int i = 0; i < m.in; i += tall) {
      Block16<T> sums[tall];
      for (int k = 0; k < tall; ++k) sums[k] = g[std::ptrdiff_t{i + k} * blocks + at];
      for (int r = 0; r < rows; ++r) {
        const DualBlock<T> y = y_bar[r][at];
        for (int k = 0; k < tall; ++k) sums[k] += slope(lane_of(x[r], i + k), y);
      }
      for (int k = 0; k < tall; ++k) g[std::ptrdiff_t{i + k} * blocks + at] = sums[k];
    }
}
template <class T>
void add_outer(const Matrix<T>&, const Block16<T>* const*, const Block16<T>* const*, int, T*) {}

} // namespace trimpot::TRIMPOT_ISA

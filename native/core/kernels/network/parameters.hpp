// The parameters of a network as the kernels want them.
#pragma once

#include "../../memory.hpp"
#include "../../network.hpp"
#include "matrices.hpp"

namespace trimpot::TRIMPOT_ISA {

template <class T>
struct Vector {
  const Block16<T>* w = nullptr;
  std::int64_t begin = 0;
};

// Blocks of 16 in a row of the table of radial splines.
struct TableColumns {
  int harmonic, passed, scores, gate, all;
  explicit TableColumns(const NetworkShape& s, bool first) {
    const int blocks = s.channels / width;
    harmonic = 0;
    passed = blocks * (s.l_max + 1);
    scores = passed + (first ? 0 : blocks * s.l_max);
    gate = scores + s.heads;
    all = gate + s.gate_hidden / width;
  }
};

template <class T>
struct LayerParameters {
  Vector<T> table;
  Matrix<T> value, key, gate_center, gate_neighbor, gate_out, scalars, read_first;
  Vector<T> key_bias, gate_bias, gate_out_bias, scalars_degree, scalars_bias, read_bias, read_second, read_linear;
  std::vector<Matrix<T>> passed, query, mix, skip; // per degree
  std::vector<std::vector<Matrix<T>>> out;         // per order, per degree
  std::vector<Vector<T>> products;
};

template <class T>
class Parameters {
 public:
  explicit Parameters(const NetworkShape& shape) : layout_(network_layout(shape)) {
    for (const auto& b : layout_) size_ += b.rows * b.columns;
    values_.resize(static_cast<std::size_t>(size_));
    transposed_.resize(static_cast<std::size_t>(size_));
    std::fill(values_.begin(), values_.end(), T(0));
    place(shape);
  }
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  std::int64_t size() const { return size_; }

  void set(const double* values) {
    for (std::int64_t i = 0; i < size_; ++i) values_[static_cast<std::size_t>(i)] = static_cast<T>(values[i]);
    for (const auto& b : layout_) { // several matrices of so many columns may stand below each other
      const std::int64_t rows = height(b);
      for (std::int64_t m = 0; m < b.rows / rows; ++m) transpose(b.begin + m * rows * b.columns, rows, b.columns);
    }
  }

  Vector<T> embedding;
  std::vector<LayerParameters<T>> layers;

 private:
  std::int64_t height(const ParameterBlock& b) const { return heights_[static_cast<std::size_t>(&b - layout_.data())]; }

  void transpose(std::int64_t begin, std::int64_t rows, std::int64_t columns) {
    const T* const a = values_.data() + begin;
    T* const b = transposed_.data() + begin;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j) b[j * rows + i] = a[i * columns + j];
  }

  Vector<T> vector(std::size_t& next) {
    const auto& b = layout_[next++];
    heights_.push_back(b.rows);
    return {blocks(values_, b.begin), b.begin};
  }

  static const Block16<T>* blocks(const AlignedVector<T>& of, std::int64_t begin) {
    return reinterpret_cast<const Block16<T>*>(of.data() + begin);
  }

  Matrix<T> matrix_at(std::int64_t begin, std::int64_t in, std::int64_t out) {
    return {static_cast<int>(in), static_cast<int>(out), blocks(values_, begin), blocks(transposed_, begin), begin};
  }

  Matrix<T> matrix(std::size_t& next) {
    const auto& b = layout_[next++];
    heights_.push_back(b.rows);
    return matrix_at(b.begin, b.rows, b.columns);
  }

  std::vector<Matrix<T>> matrices(std::size_t& next, int in) {
    const auto& b = layout_[next++];
    heights_.push_back(in);
    std::vector<Matrix<T>> all;
    for (std::int64_t m = 0; m < b.rows / in; ++m) all.push_back(matrix_at(b.begin + m * in * b.columns, in, b.columns));
    return all;
  }

  // In the order of network_layout.
  void place(const NetworkShape& s) {
    std::size_t next = 0;
    embedding = vector(next);
    for (int t = 0; t < s.layers; ++t) {
      LayerParameters<T> p;
      p.table = vector(next);
      p.value = matrix(next);
      if (t > 0) p.passed = matrices(next, s.channels);
      if (s.heads > 0) {
        p.query = matrices(next, s.channels);
        p.key = matrix(next);
        p.key_bias = vector(next);
      }
      if (s.gate_hidden > 0) {
        p.gate_center = matrix(next);
        p.gate_bias = vector(next);
        p.gate_neighbor = matrix(next);
        p.gate_out = matrix(next);
        p.gate_out_bias = vector(next);
      }
      p.mix = matrices(next, s.channels);
      for (int o = 1; o < s.correlation; ++o) p.products.push_back(vector(next));
      for (int o = 0; o < s.correlation; ++o) p.out.push_back(matrices(next, s.channels));
      p.skip = matrices(next, s.channels);
      p.scalars = matrix(next);
      p.scalars_degree = vector(next);
      p.scalars_bias = vector(next);
      p.read_first = matrix(next);
      p.read_bias = vector(next);
      p.read_second = vector(next);
      p.read_linear = vector(next);
      layers.push_back(std::move(p));
    }
  }

  std::vector<ParameterBlock> layout_;
  std::vector<std::int64_t> heights_;
  std::int64_t size_ = 0;
  AlignedVector<T> values_, transposed_;
};

} // namespace trimpot::TRIMPOT_ISA

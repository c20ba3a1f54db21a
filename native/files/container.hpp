// The outer layer of a potential file: safetensors with one JSON document, whole and unchanged
// (docs/reference/file-format.md; src/trimpot/files/container.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "json_text.hpp"

namespace trimpot {

struct Tensor {
  enum class Type { f64, f32, i32 };
  Type type = Type::f64;
  std::vector<std::int64_t> shape;
  const char* data = nullptr; // little-endian, in C order
  std::size_t bytes = 0;
};

using Tensors = std::map<std::string, Tensor>;

struct Container {
  Json document; // without the digest
  Tensors tensors;
  std::vector<char> content; // of the file: what tensors point into
};

// Throws FileError if the file is not one, or is damaged.
Container read_container(const std::string& path);

} // namespace trimpot

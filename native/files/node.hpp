// Values of a document, checked when they are taken out.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "container.hpp"

namespace trimpot {

constexpr double longest_cutoff = 100.0; // angstrom: no short-ranged potential reaches further

// A value and where it stands. All throw FileError that says what was found and expected.
class Node {
 public:
  Node(const Json& value, std::string where, const Tensors& tensors)
      : value_(&value), where_(std::move(where)), tensors_(&tensors) {}

  bool is_null() const { return value_->is_null(); }

  // Of a mapping: exactly these fields, or some more.
  void expect_fields(std::initializer_list<const char*> names, std::initializer_list<const char*> optional = {}) const;
  bool has(const char* name) const { return value_->is_object() && value_->contains(name); }
  Node at(const char* name) const;

  std::vector<Node> items() const; // of a list

  int integer(int lowest, int highest) const;
  double number(double lowest, double highest) const;
  double distance() const { return number(0.0, longest_cutoff); } // angstrom
  bool flag() const;
  const std::string& text() const;
  // Place of a text among those that are known.
  int choice(std::initializer_list<const char*> known) const;

  // Finite numbers of an array; -1: any size.
  std::vector<double> doubles(std::initializer_list<std::int64_t> shape) const;
  std::vector<std::int32_t> integers(std::initializer_list<std::int64_t> shape) const;

  // Throws FileError, or UnfitFile where nothing is wrong with the file.
  [[noreturn]] void refuse(const std::string& reason) const;
  [[noreturn]] void fail(const std::string& reason) const;
  void require(bool condition, const char* expected) const {
    if (!condition) fail(std::string("expected ") + expected);
  }

 private:
  std::string place() const;
  std::string found() const;
  const Tensor& tensor(Tensor::Type type, std::initializer_list<std::int64_t> shape) const;

  const Json* value_;
  std::string where_;
  const Tensors* tensors_;
};

} // namespace trimpot

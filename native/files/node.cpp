#include "node.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "file_error.hpp"

namespace trimpot {

namespace {

constexpr const char* reference = "$tensor"; // the one key of an object that stands for an array

std::string joined(std::initializer_list<const char*> names) {
  std::string text;
  for (const char* name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

template <class T>
std::vector<T> values_of(const Tensor& tensor) {
  std::vector<T> values(tensor.bytes / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.data, tensor.bytes);
  return values;
}

bool fits(const std::vector<std::int64_t>& shape, std::initializer_list<std::int64_t> expected) {
  return std::equal(shape.begin(), shape.end(), expected.begin(), expected.end(),
                    [](std::int64_t found, std::int64_t wanted) { return wanted < 0 || found == wanted; });
}

std::string text_of(std::initializer_list<std::int64_t> shape) {
  std::string text;
  for (const std::int64_t n : shape) text += (text.empty() ? "" : ", ") + (n < 0 ? "n" : std::to_string(n));
  return "(" + text + ")";
}

} // namespace

void Node::fail(const std::string& reason) const { throw FileError(place() + ": " + reason); }

void Node::refuse(const std::string& reason) const { throw UnfitFile(place() + ": " + reason); }

std::string Node::place() const { return where_.empty() ? "the description" : where_; }

std::string Node::found() const {
  if (value_->is_object()) return "a mapping";
  if (value_->is_array()) return "a list";
  return shown(value_->dump(-1, ' ', true, Json::error_handler_t::replace), 40);
}

void Node::expect_fields(std::initializer_list<const char*> names, std::initializer_list<const char*> optional) const {
  std::size_t expected = names.size();
  bool all = value_->is_object();
  for (const char* name : names) all = all && value_->contains(name);
  for (const char* name : optional) expected += all && value_->contains(name) ? 1 : 0;
  if (all && value_->size() == expected) return;
  std::string names_found;
  if (value_->is_object())
    for (const auto& [name, value] : value_->items())
      names_found += (names_found.empty() ? "" : ", ") + shown(name, 40);
  fail("found " + (names_found.empty() ? found() : names_found.substr(0, 200)) + ", expected the fields " +
       joined(names) + "; the file may be of a newer Trimpot");
}

Node Node::at(const char* name) const {
  if (!has(name)) fail("found no field " + std::string(name));
  return {value_->at(name), where_.empty() ? name : where_ + "." + name, *tensors_};
}

std::vector<Node> Node::items() const {
  if (!value_->is_array()) fail("found " + found() + ", expected a list");
  std::vector<Node> all;
  for (const Json& item : *value_) all.emplace_back(item, where_ + "." + std::to_string(all.size()), *tensors_);
  return all;
}

int Node::integer(int lowest, int highest) const {
  if (value_->is_number_integer()) {
    const bool small = !value_->is_number_unsigned() || value_->get<std::uint64_t>() <= 0x7fffffffu;
    if (small && value_->get<std::int64_t>() >= lowest && value_->get<std::int64_t>() <= highest)
      return value_->get<int>();
  }
  fail("found " + found() + ", expected an integer from " + std::to_string(lowest) + " to " + std::to_string(highest));
}

double Node::number(double lowest, double highest) const {
  const double value = value_->is_number() ? value_->get<double>() : NAN;
  if (!(lowest <= value && value <= highest))
    fail("found " + found() + ", expected a number from " + Json(lowest).dump() + " to " + Json(highest).dump());
  return value;
}

bool Node::flag() const {
  if (!value_->is_boolean()) fail("found " + found() + ", expected true or false");
  return value_->get<bool>();
}

const std::string& Node::text() const {
  if (!value_->is_string()) fail("found " + found() + ", expected a text");
  return value_->get_ref<const std::string&>();
}

int Node::choice(std::initializer_list<const char*> known) const {
  const auto at = value_->is_string() ? std::find(known.begin(), known.end(), text()) : known.end();
  if (at == known.end()) fail("found " + found() + ", expected one of " + joined(known));
  return static_cast<int>(at - known.begin());
}

const Tensor& Node::tensor(Tensor::Type type, std::initializer_list<std::int64_t> shape) const {
  static constexpr const char* names[] = {"float64", "float32", "int32"};
  const bool refers = value_->is_object() && value_->size() == 1 && has(reference) && value_->at(reference).is_string();
  if (!refers) fail("found " + found() + ", expected an array");
  const auto at = tensors_->find(value_->at(reference).get<std::string>());
  if (at == tensors_->end()) fail("its tensor is missing");
  if (at->second.type != type || !fits(at->second.shape, shape))
    fail("found an array of another type or shape, expected " + std::string(names[static_cast<int>(type)]) + " " +
         text_of(shape));
  return at->second;
}

std::vector<double> Node::doubles(std::initializer_list<std::int64_t> shape) const {
  auto values = values_of<double>(tensor(Tensor::Type::f64, shape));
  for (const double v : values)
    if (!std::isfinite(v)) fail("holds NaN or infinity");
  return values;
}

std::vector<std::int32_t> Node::integers(std::initializer_list<std::int64_t> shape) const {
  return values_of<std::int32_t>(tensor(Tensor::Type::i32, shape));
}

} // namespace trimpot

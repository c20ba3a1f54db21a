#include "container.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "file_error.hpp"
#include "sha256.hpp"

static_assert(std::endian::native == std::endian::little, "tensors are little-endian");

namespace trimpot {

namespace {

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t largest_header = 100'000'000; // bytes; the limit of safetensors itself
constexpr std::size_t most_axes = 8;
constexpr std::uint64_t largest_count = std::uint64_t{1} << 48; // of any array: beyond it a header is hostile

constexpr const char* digest_key = "sha256";

struct TypeName {
  const char* name;  // of safetensors
  const char* numpy; // in the digest
  std::size_t size;
};
constexpr TypeName types[] = {{"F64", "<f8", 8}, {"F32", "<f4", 4}, {"I32", "<i4", 4}};

const TypeName& name_of(Tensor::Type type) { return types[static_cast<std::size_t>(type)]; }

std::vector<char> read_bytes(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw UnfitFile("there is no such file; give the path of NAME.trimpot");
  if (!std::filesystem::is_regular_file(path, error))
    throw UnfitFile("it is not a file; give the path of NAME.trimpot");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size < 0) throw UnfitFile("it cannot be opened; check its permissions");
  std::vector<char> content(static_cast<std::size_t>(size));
  file.seekg(0);
  if (!file.read(content.data(), size)) throw FileError("it cannot be read to its end; copy it again");
  return content;
}

std::size_t header_length(const std::vector<char>& content) {
  std::uint64_t length = 0;
  if (content.size() >= length_bytes) std::memcpy(&length, content.data(), length_bytes);
  if (length < 2 || length > largest_header || length > content.size() - length_bytes)
    throw FileError("it is not a safetensors file, or it was cut off");
  return static_cast<std::size_t>(length);
}

std::vector<std::int64_t> counts(const Json& entry, const char* key, const std::string& name) {
  const auto found = entry.find(key);
  std::vector<std::int64_t> all;
  bool good = found != entry.end() && found->is_array();
  if (good)
    for (const Json& count : *found) {
      good = good && count.is_number_unsigned() && count.get<std::uint64_t>() <= largest_count;
      if (good) all.push_back(count.get<std::int64_t>());
    }
  if (!good || all.size() > most_axes) throw FileError("the tensor " + name + " has no proper shape or place");
  return all;
}

Tensor::Type type_of(const Json& entry, const std::string& name) {
  const auto found = entry.find("dtype");
  if (found != entry.end() && found->is_string())
    for (std::size_t t = 0; t < std::size(types); ++t)
      if (found->get_ref<const std::string&>() == types[t].name) return static_cast<Tensor::Type>(t);
  throw FileError("the tensor " + name + " has a type other than F64, F32, I32");
}

// Bytes of an array, at most the given number and 1.
std::uint64_t bytes_of(const Tensor& tensor, std::uint64_t most) {
  std::uint64_t bytes = name_of(tensor.type).size;
  if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) return 0;
  for (const std::int64_t n : tensor.shape) {
    if (static_cast<std::uint64_t>(n) > most / bytes) return most + 1;
    bytes *= static_cast<std::uint64_t>(n);
  }
  return bytes;
}

struct Place {
  std::uint64_t start, stop;
  std::string name;
  Tensor tensor;
};

Place place_of(const std::string& name, const Json& entry, std::uint64_t available) {
  const std::string title = shown(name, 80);
  if (!entry.is_object()) throw FileError("the tensor " + title + " has no proper shape or place");
  Place place{0, 0, name, {type_of(entry, title), counts(entry, "shape", title), nullptr, 0}};
  const auto offsets = counts(entry, "data_offsets", title);
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    throw FileError("the tensor " + title + " has no proper shape or place");
  place.start = static_cast<std::uint64_t>(offsets[0]);
  place.stop = static_cast<std::uint64_t>(offsets[1]);
  if (place.stop > available) throw FileError("it was cut off");
  if (bytes_of(place.tensor, available) != place.stop - place.start)
    throw FileError("the tensor " + title + " does not fill its place in the file");
  return place;
}

// Ranges must fill the file behind the header without gap or overlap.
Tensors tensors_of(const Json& header, const std::vector<char>& content, std::size_t begin) {
  std::vector<Place> places;
  for (const auto& [name, entry] : header.items()) places.push_back(place_of(name, entry, content.size() - begin));
  std::sort(places.begin(), places.end(),
            [](const Place& a, const Place& b) { return std::pair(a.start, a.stop) < std::pair(b.start, b.stop); });
  Tensors tensors;
  std::uint64_t filled = 0;
  for (Place& place : places) {
    if (place.start != filled || (begin + filled) % name_of(place.tensor.type).size != 0)
      throw FileError("the tensor " + shown(place.name, 80) + " is misplaced in the file");
    filled = place.stop;
    place.tensor.data = content.data() + begin + place.start;
    place.tensor.bytes = static_cast<std::size_t>(place.stop - place.start);
    tensors.emplace(std::move(place.name), std::move(place.tensor));
  }
  if (begin + filled != content.size()) throw FileError("it holds bytes that belong to no tensor");
  return tensors;
}

std::string document_text(Json& header) {
  const auto found = header.find("__metadata__");
  const bool ours = found != header.end() && found->is_object() && found->size() == 1 && found->contains("trimpot") &&
                    found->at("trimpot").is_string();
  if (!ours) throw FileError("this safetensors file was not written by Trimpot (no 'trimpot' metadata)");
  std::string text = found->at("trimpot").get<std::string>();
  header.erase(found);
  return text;
}

// Takes the digest out of the document and out of its text.
std::string take_digest(Json& document, std::string& text) {
  const auto found = document.find(digest_key);
  if (found == document.end() || !found->is_string()) return "";
  const std::string digest = found->get<std::string>();
  document.erase(found);
  const std::string entry = '"' + std::string(digest_key) + "\":\"" + digest + '"';
  const std::size_t at = text.find(entry);
  if (at == std::string::npos || at == 0 || text.find(entry, at + 1) != std::string::npos) return "";
  const bool followed = text[at + entry.size()] == ',';
  text.erase(followed ? at : at - 1, entry.size() + 1);
  return digest;
}

// As Python writes a tuple.
std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

std::string digest_of(const std::string& text, const Tensors& tensors) {
  Sha256 sha;
  sha.add(text);
  const std::string end(1, '\0');
  for (const auto& [name, tensor] : tensors) {
    sha.add(end + name + end + name_of(tensor.type).numpy + end + text_of(tensor.shape) + end);
    sha.add(tensor.data, tensor.bytes);
  }
  return sha.hex();
}

} // namespace

Container read_container(const std::string& path) {
  Container found;
  found.content = read_bytes(path);
  const std::size_t length = header_length(found.content), begin = length_bytes + length;
  Json header = json_object({found.content.data() + length_bytes, length}, "its header");
  std::string text = document_text(header);
  found.document = json_object(text, "its description");
  found.tensors = tensors_of(header, found.content, begin);
  const std::string digest = take_digest(found.document, text);
  if (digest.empty() || digest != digest_of(text, found.tensors))
    throw FileError("the content does not match its checksum: it was changed");
  return found;
}

} // namespace trimpot

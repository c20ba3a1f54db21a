#include "potential_file.hpp"

#include <filesystem>
#include <new>
#include <stdexcept>

#include "network_document.hpp"
#include "node.hpp"
#include "spline_document.hpp"

namespace trimpot {

namespace {

constexpr int newest_version = 2; // version 1 differs in nothing that is read here

void check_version(const Json& document) {
  const auto format = document.find("format"), version = document.find("format_version");
  const bool ours = format != document.end() && *format == "trimpot" && version != document.end() &&
                    version->is_number_unsigned() && *version > 0;
  if (!ours) throw FileError("it is not a Trimpot potential (no format version)");
  if (*version <= newest_version) return;
  const auto needed = document.find("needs_release");
  const bool told = needed != document.end() && needed->is_string();
  throw UnfitFile("it has format version " + shown(version->dump(), 20) + ", this program reads up to " +
                  std::to_string(newest_version) + "; install Trimpot " +
                  (told ? shown(needed->get<std::string>(), 20) : "unknown") + " or later");
}

std::variant<SplineFile, NetworkFile> read(const std::string& path) {
  Container found = read_container(path);
  check_version(found.document);
  const auto kind = found.document.find("kind");
  const std::string name = kind != found.document.end() && kind->is_string() ? kind->get<std::string>() : "none";
  for (const char* header : {"format", "format_version", "kind", "needs_release", "written_by"})
    found.document.erase(header);
  const Node parts(found.document, "", found.tensors);
  if (name == "spline") return spline_file(parts);
  if (name == "mlanet") return network_file(parts);
  throw FileError("unknown kind of potential " + shown(name, 40) +
                  ", known: spline, mlanet; the file may be of a newer Trimpot");
}

std::string refusal(const std::string& path, const std::string& reason) {
  return "cannot read " + path + ": " + reason;
}

constexpr const char* remedy =
    ". Potential files are written by `trimpot train` or `trimpot.save`; if this one was, copy it again or train it "
    "again";

} // namespace

std::variant<SplineFile, NetworkFile> read_potential(const std::string& path) {
  try {
    return read(path);
  } catch (const UnfitFile& error) {
    throw UnfitFile(refusal(path, error.what()));
  } catch (const std::bad_alloc&) {
    throw FileError(refusal(path, "there is not enough memory for what it says it holds") + remedy);
  } catch (const std::exception& error) {
    throw FileError(refusal(path, error.what()) + remedy);
  }
}

} // namespace trimpot

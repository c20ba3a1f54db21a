// Potential files without Python: digests, the stored samples, and damage anywhere. The Python suite
// compares what is read bit by bit.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "potential_file.hpp"
#include "sha256.hpp"

using namespace trimpot;

namespace {

int failures = 0;

void check(const std::string& what, bool passed) {
  std::printf("%s %s\n", passed ? "ok  " : "FAIL", what.c_str());
  failures += passed ? 0 : 1;
}

std::string digest(const std::string& text, std::size_t step) {
  Sha256 sha;
  for (std::size_t at = 0; at < text.size(); at += step) sha.add(text.substr(at, step));
  return sha.hex();
}

// FIPS 180-4 examples; any division into pieces gives the same.
void digests_are_right() {
  check("digest of nothing", digest("", 1) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  check("digest of abc", digest("abc", 3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  check("digest of a million", digest(std::string(1000000, 'a'), 1000) ==
                                   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  bool same = true;
  for (std::size_t size = 0; size < 200; ++size)
    for (const std::size_t step : {1, 7, 64, 65})
      same = same && digest(std::string(size, 'x'), step) == digest(std::string(size, 'x'), 1000);
  check("digests of pieces", same);
}

const std::string store = TRIMPOT_STORE;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void samples_are_read() {
  for (const char* version : {"v1", "v2"}) {
    const auto found = read_potential(store + "/" + version + "/sample.trimpot");
    const auto& file = std::get<SplineFile>(found);
    check(std::string(version) + ": species, cutoff, terms",
          file.numbers == std::vector<int>{14, 74} && file.symbols == std::vector<std::string>{"Si", "W"} &&
              file.cutoff == 4.0 && file.terms.size() == 4 && file.isolated.size() == 2);
  }
  const auto found = read_potential(store + "/mlanet/kernel.trimpot");
  const auto& file = std::get<NetworkFile>(found);
  const auto last = network_layout(file.shape).back();
  check("network: parameters, edges, prior",
        static_cast<std::int64_t>(file.parameters.size()) == last.begin + last.rows * last.columns &&
            file.weighing.screened && file.reach > file.weighing.radial.cutoff && file.cutoff >= file.reach &&
            file.prior && file.prior->terms.size() == 1 && file.e0s == std::vector<double>{-1.25, -3.5});
}

std::string refusal(const std::string& path) {
  try {
    read_potential(path);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

void damage_is_refused() {
  const auto path = (std::filesystem::temp_directory_path() / "trimpot_test_files.trimpot").string();
  std::mt19937 random(7);
  for (const char* name : {"/v2/sample.trimpot", "/mlanet/kernel.trimpot"}) {
    const std::string data = contents(store + name);
    int accepted = 0;
    for (int i = 0; i < 200; ++i) {
      std::string changed = data;
      const std::size_t at = random() % data.size();
      if (i % 2 == 0) changed.resize(at);
      else changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1 + random() % 255));
      std::ofstream(path, std::ios::binary) << changed;
      accepted += refusal(path).find(path) == std::string::npos ? 1 : 0;
    }
    check("damaged files refused by name" + std::string(name), accepted == 0);
  }
  std::filesystem::remove(path);
  check("no file", refusal(path).find("no such file") != std::string::npos);
}

} // namespace

int main() {
  digests_are_right();
  samples_are_read();
  damage_is_refused();
  return failures == 0 ? 0 : 1;
}

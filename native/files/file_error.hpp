// A file that cannot be used.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace trimpot {

// Says what was found, what was expected, and what to do.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A file that is whole, but not for this program, or that is not there: it says what to do instead.
class UnfitFile : public FileError {
 public:
  using FileError::FileError;
};

// The beginning of a text from outside as messages may show it: printable ASCII.
inline std::string shown(const std::string& text, std::size_t most) {
  std::string found = text.substr(0, most);
  for (char& c : found)
    if (c < ' ' || c > '~') c = '?';
  return found;
}

} // namespace trimpot

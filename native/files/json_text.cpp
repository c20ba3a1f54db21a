#include "json_text.hpp"

#include <string>

#include "file_error.hpp"

namespace trimpot {

namespace {

constexpr int most_levels = 100;

} // namespace

Json json_object(std::string_view text, const char* what) {
  const auto not_too_deep = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > most_levels)
      throw FileError(std::string(what) + " is nested too deeply, expected at most " + std::to_string(most_levels) +
                      " levels");
    return true;
  };
  Json value;
  try {
    value = Json::parse(text.begin(), text.end(), not_too_deep);
  } catch (const Json::exception& error) {
    throw FileError(std::string(what) + " is not JSON: " + shown(error.what(), 160));
  }
  if (!value.is_object()) throw FileError(std::string(what) + " is not a JSON object");
  return value;
}

} // namespace trimpot

// JSON from outside: finite numbers, no more than some levels.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace trimpot {

using Json = nlohmann::json;

// The object of a text; what: its name in messages. Throws FileError.
Json json_object(std::string_view text, const char* what);

} // namespace trimpot

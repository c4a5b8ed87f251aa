// The two things about JSON that the benchmarks' own output needs. Not for timed code: allocates.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

using Facts = std::vector<std::pair<std::string, std::string>>;

// `text` as a JSON string, quotes included.
std::string json_string(std::string_view text);

// `facts` as one JSON object whose values are strings.
std::string json_object(const Facts& facts);

}  // namespace bench

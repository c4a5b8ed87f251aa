// SPDX-License-Identifier: MIT
// What the benchmarks' own output needs of JSON. Not for timed code: allocates.
#pragma once

#include <cstdio>
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

// {"context": {...}, "results": [...]}, of which `write_one(file, result)` writes an object.
template <class Result, class WriteOne>
void write_results(std::FILE* file, const Facts& facts, const std::vector<Result>& results,
                   WriteOne write_one) {
  std::fprintf(file, "{\"context\": %s,\n \"results\": [", json_object(facts).c_str());
  const char* separator = "\n  ";
  for (const Result& result : results) {
    std::fputs(separator, file);
    write_one(file, result);
    separator = ",\n  ";
  }
  std::fputs("\n ]}\n", file);
}

}  // namespace bench

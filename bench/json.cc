// SPDX-License-Identifier: MIT
#include "bench/json.h"

#include <cstdio>

namespace bench {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string json_object(const Facts& facts) {
  std::string out = "{";
  for (const auto& [name, value] : facts) {
    if (out.size() > 1) {
      out += ", ";
    }
    out += json_string(name) + ": " + json_string(value);
  }
  return out + "}";
}

}  // namespace bench

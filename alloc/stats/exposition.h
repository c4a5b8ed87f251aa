// SPDX-License-Identifier: MIT
// Pieces of Prometheus' text exposition format, version 0.0.4. They go to any text that has the
// members text(), put() and number() of a Line.
#pragma once

#include <string_view>

#include "alloc/base/utf8.h"
#include "alloc/stats/statistics.h"

namespace spillway::stats {

// The lines before the samples of a metric.
template <typename Text>
void put_description(Text& to, std::string_view prefix, const Spec& spec) {
  to.text("# HELP ").text(prefix).text(spec.name).put(' ').text(spec.help).put('\n');
  to.text("# TYPE ").text(prefix).text(spec.name);
  to.text(spec.kind == Kind::kCounter ? " counter\n" : " gauge\n");
}

// Between the quotes of a label's value; any bytes.
template <typename Text>
void put_label(Text& to, std::string_view value) {
  for_each_character(value, [&to](std::string_view character) {
    if (character == "\n") {
      to.text("\\n");
    } else if (character == "\"" || character == "\\") {
      to.put('\\').text(character);
    } else {
      to.text(character);
    }
  });
}

}  // namespace spillway::stats

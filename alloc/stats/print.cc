// SPDX-License-Identifier: MIT
#include "alloc/stats/print.h"

#include <iterator>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/base/utf8.h"
#include "alloc/stats/exposition.h"
#include "alloc/stats/print_tenants.h"

namespace spillway::stats {
namespace {

constexpr size_t width_of_names() {
  size_t width = 0;
  for (const Spec& spec : kSpecs) {
    width = spec.name.size() > width ? spec.name.size() : width;
  }
  return width;
}

constexpr bool is_known(const Spec& spec, uint64_t value) {
  return spec.kind != Kind::kOptionalGauge || value != kUnknown;
}

void put_value(Line<500>& row, const Spec& spec, uint64_t value, size_t end) {
  if (!is_known(spec, value)) {
    constexpr std::string_view kWord = "unknown";
    row.put(' ').spaces_up_to(end - kWord.size()).text(kWord);
  } else {
    right_aligned(row, value, end);
  }
}

// Control characters may be commands to a terminal: the last ones are U+0080 to U+009F.
constexpr bool is_shown(std::string_view character) {
  return character.size() == 1 ? character[0] >= ' ' && character[0] != 0x7f
                               : character[0] != '\xc2' || character[1] >= '\xa0';
}

}  // namespace

void print_text(const Snapshot& snapshot, Output& output) {
  constexpr size_t kNames = 2 + width_of_names();
  constexpr size_t kNumbers = kNames + 21;
  const auto row = [&output](std::string_view name, auto put) {
    Line<500> line;
    line.text("  ").text(name).spaces_up_to(kNames);
    put(line);
    output.line().text(line.view()).put('\n');
  };
  const auto right = [](Line<500>& line, const Line<500>& words) {
    const size_t length = words.view().size();
    line.put(' ').spaces_up_to(length < kNumbers ? kNumbers - length : 0).text(words.view());
  };
  const Identity& identity = snapshot.identity;
  Line<500> text;
  output.line().text("spillway: statistics\n");
  row("program", [&](Line<500>& line) {
    for_each_character(identity.program, [&text](std::string_view character) {
      text.text(is_shown(character) ? character : "?");
    });
    right(line, text);
  });
  row("pid", [&](Line<500>& line) { right_aligned(line, identity.process, kNumbers); });
  row("version", [&](Line<500>& line) {
    text.clear();
    put_version(text, identity.version);
    right(line, text);
  });
  row("started", [&](Line<500>& line) {
    text.clear();
    put_date(text, identity.started_at_ns);
    right(line, text);
  });
  row("time", [&](Line<500>& line) {
    text.clear();
    put_date(text, identity.taken_at_ns);
    right(line, text);
  });
  const auto values = snapshot.values();
  for (size_t i = 0; i < values.size(); ++i) {
    row(kSpecs[i].name, [&](Line<500>& line) { put_value(line, kSpecs[i], values[i], kNumbers); });
  }
  constexpr size_t kColumn = 11;
  Line<500> header;
  header.text("  block size");
  size_t end = kColumn;
  for (const Spec& spec : kClassSpecs) {
    if (!spec.heading.empty()) {
      end += kColumn;
      header.put(' ').spaces_up_to(end - spec.heading.size()).text(spec.heading);
    }
  }
  output.line().text(header.view()).put('\n');
  for (uint32_t index = 1; index <= snapshot.class_count; ++index) {
    const ClassSnapshot& one = snapshot.classes[index];
    if (!one.was_used()) {
      continue;
    }
    Line<500> line;
    right_aligned(line, one.block_size, kColumn - 1);
    end = kColumn;
    const auto columns = one.values();
    for (size_t i = 0; i < columns.size(); ++i) {
      if (!kClassSpecs[i].heading.empty()) {
        end += kColumn;
        put_value(line, kClassSpecs[i], columns[i], end);
      }
    }
    output.line().text(line.view()).put('\n');
  }
  print_tenants_text(snapshot, output);
}

void print_json(const Snapshot& snapshot, Output& output) {
  const Identity& identity = snapshot.identity;
  output.line().text("{\"program\": \"");
  put_json(output.line(), identity.program);
  output.line().text("\", \"pid\": ").number(identity.process).text(", \"version\": \"");
  put_version(output.line(), identity.version);
  output.line().text("\", \"start_time\": ");
  put_seconds(output.line(), identity.started_at_ns);
  output.line().text(", \"time\": ");
  put_seconds(output.line(), identity.taken_at_ns);
  const auto put = [&output](const Spec& spec, uint64_t value) {
    output.line().text(", \"").text(spec.name).text("\": ");
    if (is_known(spec, value)) {
      output.line().number(value);
    } else {
      output.line().text("null");
    }
  };
  const auto values = snapshot.values();
  for (size_t i = 0; i < values.size(); ++i) {
    put(kSpecs[i], values[i]);
  }
  output.line().text(", \"classes\": [");
  for (uint32_t index = 1; index <= snapshot.class_count; ++index) {
    const ClassSnapshot& one = snapshot.classes[index];
    output.line().text(index == 1 ? "\n" : ",\n").text("{\"block_size\": ").number(one.block_size);
    const auto columns = one.values();
    for (size_t i = 0; i < columns.size(); ++i) {
      put(kClassSpecs[i], columns[i]);
    }
    output.line().put('}');
  }
  output.line().text("], ");
  print_tenants_json(snapshot, output);
  output.line().text("}\n");
}

namespace {

// The samples of one process: each has its name and number, so that the files of many processes can
// be served together.
class Samples {
 public:
  Samples(const Identity& identity, Output& output) : identity_(identity), output_(output) {}

  void describe(std::string_view prefix, const Spec& spec) {
    put_description(output_.line(), prefix, spec);
  }
  // Up to the labels' end, which the caller's `more` may add to, and the value.
  template <typename More>
  void begin(std::string_view prefix, std::string_view name, More more) {
    output_.line().text(prefix).text(name).text("{program=\"");
    put_label(output_.line(), identity_.program);
    output_.line().text("\",pid=\"").number(identity_.process).put('"');
    more(output_.line());
    output_.line().text("} ");
  }
  void end(uint64_t value) { output_.line().number(value).put('\n'); }
  void end_seconds(uint64_t ns) {
    put_seconds(output_.line(), ns);
    output_.line().put('\n');
  }

 private:
  const Identity& identity_;
  Output& output_;
};

}  // namespace

void print_prometheus(const Snapshot& snapshot, Output& output) {
  constexpr std::string_view kPrefix = "spillway_";
  constexpr std::string_view kClassPrefix = "spillway_class_";
  constexpr std::string_view kTenantPrefix = "spillway_tenant_";
  const Identity& identity = snapshot.identity;
  Samples samples(identity, output);
  const auto nothing = [](Output::Text&) {};
  samples.describe(kPrefix, kIdentitySpecs[0]);
  samples.begin(kPrefix, kIdentitySpecs[0].name, [&](Output::Text& labels) {
    labels.text(",version=\"");
    put_version(labels, identity.version);
    labels.put('"');
  });
  samples.end(1);
  samples.describe(kPrefix, kIdentitySpecs[1]);
  samples.begin(kPrefix, kIdentitySpecs[1].name, nothing);
  samples.end_seconds(identity.started_at_ns);
  samples.describe(kPrefix, kIdentitySpecs[2]);
  samples.begin(kPrefix, kIdentitySpecs[2].name, nothing);
  samples.end_seconds(identity.taken_at_ns);
  const auto values = snapshot.values();
  for (size_t i = 0; i < values.size(); ++i) {
    if (is_known(kSpecs[i], values[i])) {
      samples.describe(kPrefix, kSpecs[i]);
      samples.begin(kPrefix, kSpecs[i].name, nothing);
      samples.end(values[i]);
    }
  }
  for (size_t column = 0; column < std::size(kClassSpecs); ++column) {
    bool described = false;
    for (uint32_t index = 1; index <= snapshot.class_count; ++index) {
      const ClassSnapshot& one = snapshot.classes[index];
      const uint64_t value = one.values()[column];
      if (!one.was_used() || !is_known(kClassSpecs[column], value)) {
        continue;
      }
      if (!described) {
        samples.describe(kClassPrefix, kClassSpecs[column]);
        described = true;
      }
      samples.begin(kClassPrefix, kClassSpecs[column].name, [&](Output::Text& labels) {
        labels.text(",block_size=\"").number(one.block_size).put('"');
      });
      samples.end(value);
    }
  }
  for (size_t column = 0; column < std::size(kTenantSpecs); ++column) {
    bool described = false;
    for_each_tenant(snapshot, [&](const TenantSnapshot& one) {
      if (!described) {
        samples.describe(kTenantPrefix, kTenantSpecs[column]);
        described = true;
      }
      samples.begin(kTenantPrefix, kTenantSpecs[column].name, [&](Output::Text& labels) {
        labels.text(",tenant=\"").text(one.tenant).put('"');
      });
      samples.end(one.values()[column]);
    });
  }
}

}  // namespace spillway::stats

// SPDX-License-Identifier: MIT
// spillway_info options|classes|statistics: the tables as tab-separated lines, for scripts and
// documentation. spillway_info schema: the JSON schema of statistics, statistics.schema.json.
#include <cstdio>
#include <initializer_list>
#include <string_view>

#include "alloc/config/option_text.h"
#include "alloc/config/options.h"
#include "alloc/config/size_classes.h"
#include "alloc/stats/statistics.h"

namespace {

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_options() {
  for (const spillway::config::OptionSpec& spec : spillway::config::kOptionSpecs) {
    spillway::Line<500> line;
    line.text(spec.name).put('\t').text(type_name(spec.type)).put('\t');
    print_value(spec, spec.default_value, line);
    line.put('\t');
    print_bounds(spec, line);
    line.put('\t').text(spec.help).put('\n');
    print(line.view());
  }
}

void print_classes() {
  for (size_t index = 1; index <= spillway::config::kHeapClassCount; ++index) {
    spillway::Line<500> line;
    const uint64_t size = spillway::config::kHeapClassSizes[index];
    line.number(index).put('\t').number(size).put('\t').number(size).put('\n');
    print(line.view());
  }
}

using spillway::stats::Kind;
using spillway::stats::Spec;

// Metric, name in the other forms, whose it is, kind, help.
void print_statistics() {
  const auto print_one = [](std::string_view prefix, std::string_view whose, const Spec& spec) {
    spillway::Line<500> line;
    line.text(prefix).text(spec.name).put('\t').text(spec.name).put('\t').text(whose).put('\t');
    line.text(spec.kind == Kind::kCounter ? "counter" : "gauge").put('\t');
    print(line.text(spec.help).put('\n').view());
  };
  for (const Spec& spec : spillway::stats::kIdentitySpecs) {
    print_one("spillway_", "identity", spec);
  }
  for (const Spec& spec : spillway::stats::kSpecs) {
    print_one("spillway_", "process", spec);
  }
  for (const Spec& spec : spillway::stats::kClassSpecs) {
    print_one("spillway_class_", "class", spec);
  }
  for (const Spec& spec : spillway::stats::kTenantSpecs) {
    print_one("spillway_tenant_", "tenant", spec);
  }
}

// A property of the schema, and that its object has it.
class Properties {
 public:
  explicit Properties(std::string_view indent) : indent_(indent) {}

  void add(std::string_view name, std::string_view type, std::string_view help) {
    spillway::Line<500> line;
    line.text(first_ ? "" : ",\n").text(indent_).put('"').text(name).text("\": {").text(type);
    print(line.text(", \"description\": \"").text(help).text("\"}").view());
    first_ = false;
  }
  void add(const Spec& spec) {
    add(spec.name,
        spec.kind == Kind::kOptionalGauge ? R"("type": ["integer", "null"], "minimum": 0)"
                                          : R"("type": "integer", "minimum": 0)",
        spec.help);
  }

 private:
  std::string_view indent_;
  bool first_ = true;
};

void print_required(std::string_view indent, std::initializer_list<std::string_view> more,
                    const auto& specs) {
  spillway::Line<4000> line;
  line.text(indent).text("\"required\": [");
  bool first = true;
  const auto add = [&](std::string_view name) {
    line.text(first ? "\"" : ", \"").text(name).put('"');
    first = false;
  };
  for (const std::string_view name : more) {
    add(name);
  }
  for (const Spec& spec : specs) {
    add(spec.name);
  }
  print(line.text("]").view());
}

// An array of objects, each of which is told from the others by `key`.
void print_rows(std::string_view name, std::string_view help, std::string_view key,
                std::string_view key_type, std::string_view key_help, const auto& specs) {
  spillway::Line<500> line;
  line.text("    \"").text(name).text("\": {\"type\": \"array\", \"description\": \"").text(help);
  print(line.text(R"(", "items": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
)")
            .view());
  Properties row("        ");
  row.add(key, key_type, key_help);
  for (const Spec& spec : specs) {
    row.add(spec);
  }
  print("\n      },\n");
  print_required("      ", {key}, specs);
  print("\n    }}");
}

void print_schema() {
  print(R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "Spillway's statistics of one process",
  "type": "object",
  "additionalProperties": false,
  "properties": {
)");
  Properties process("    ");
  process.add("program", R"("type": "string")", "the last part of the path that was executed");
  process.add("pid", R"("type": "integer", "minimum": 1)", "the process's number");
  process.add("version", R"("type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$")",
              "Spillway's");
  process.add("start_time", R"("type": "number", "minimum": 0)",
              "when the process's heap began, in seconds since 1970");
  process.add("time", R"("type": "number", "minimum": 0)",
              "when these were taken, in seconds since 1970");
  for (const Spec& spec : spillway::stats::kSpecs) {
    process.add(spec);
  }
  print(",\n");
  print_rows("classes", "the size classes, the smallest first", "block_size",
             R"("type": "integer", "minimum": 1)", "bytes of a block",
             spillway::stats::kClassSpecs);
  print(",\n");
  print_rows("tenants", "those that were made, the oldest first", "tenant", R"("type": "string")",
             "the tenant's name", spillway::stats::kTenantSpecs);
  print("\n  },\n");
  print_required("  ", {"program", "pid", "version", "start_time", "time", "classes", "tenants"},
                 spillway::stats::kSpecs);
  print("\n}\n");
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view what = count == 2 ? arguments[1] : "";
  if (what == "options") {
    print_options();
  } else if (what == "classes") {
    print_classes();
  } else if (what == "statistics") {
    print_statistics();
  } else if (what == "schema") {
    print_schema();
  } else {
    std::fputs("usage: spillway_info options|classes|statistics|schema\n", stderr);
    return 2;
  }
  return 0;
}

#include "alloc/stats/print.h"

#include "alloc/base/line.h"

namespace spillway::stats {
namespace {

constexpr size_t width_of_names() {
  size_t width = 0;
  for (const Spec& spec : kSpecs) {
    width = spec.name.size() > width ? spec.name.size() : width;
  }
  return width;
}

void right_aligned(Line<500>& row, uint64_t value, size_t end) {
  Line<24> digits;
  digits.number(value);
  row.put(' ');
  if (digits.view().size() < end) {
    row.spaces_up_to(end - digits.view().size());
  }
  row.text(digits.view());
}

constexpr std::string_view kind_name(Kind kind) {
  return kind == Kind::kCounter ? "counter" : "gauge";
}

}  // namespace

void print_text(const Snapshot& snapshot, Output& output) {
  output.line().text("spillway: statistics\n");
  const auto values = snapshot.values();
  for (size_t i = 0; i < values.size(); ++i) {
    Line<500> row;
    row.text("  ").text(kSpecs[i].name).spaces_up_to(2 + width_of_names());
    right_aligned(row, values[i], 2 + width_of_names() + 21);
    output.line().text(row.view()).put('\n');
  }
  constexpr size_t kColumn = 11;
  Line<500> header;
  header.text("  block size");
  size_t end = kColumn;
  for (const Spec& spec : kClassSpecs) {
    end += kColumn;
    const std::string_view name = spec.kind == Kind::kCounter ? "allocations" : spec.name;
    header.put(' ').spaces_up_to(end - name.size()).text(name);
  }
  output.line().text(header.view()).put('\n');
  for (uint32_t index = 1; index <= snapshot.class_count; ++index) {
    const ClassSnapshot& one = snapshot.classes[index];
    if (one.live + one.cached + one.allocations_total == 0) {
      continue;
    }
    Line<500> row;
    right_aligned(row, one.block_size, kColumn - 1);
    end = kColumn;
    for (const uint64_t value : one.values()) {
      end += kColumn;
      right_aligned(row, value, end);
    }
    output.line().text(row.view()).put('\n');
  }
}

void print_json(const Snapshot& snapshot, Output& output) {
  output.line().put('{');
  const auto values = snapshot.values();
  for (size_t i = 0; i < values.size(); ++i) {
    output.line().put('"').text(kSpecs[i].name).text("\": ").number(values[i]).text(", ");
  }
  output.line().text("\"classes\": [");
  for (uint32_t index = 1; index <= snapshot.class_count; ++index) {
    const ClassSnapshot& one = snapshot.classes[index];
    output.line().text(index == 1 ? "\n" : ",\n").text("{\"block_size\": ").number(one.block_size);
    const auto columns = one.values();
    for (size_t i = 0; i < columns.size(); ++i) {
      output.line().text(", \"").text(kClassSpecs[i].name).text("\": ").number(columns[i]);
    }
    output.line().put('}');
  }
  output.line().text("]}\n");
}

void print_prometheus(const Snapshot& snapshot, Output& output) {
  const auto describe = [&output](std::string_view prefix, const Spec& spec) {
    output.line().text("# HELP ").text(prefix).text(spec.name).put(' ').text(spec.help).put('\n');
    output.line().text("# TYPE ").text(prefix).text(spec.name).put(' ');
    output.line().text(kind_name(spec.kind)).put('\n');
  };
  const auto values = snapshot.values();
  for (size_t i = 0; i < values.size(); ++i) {
    describe("spillway_", kSpecs[i]);
    output.line().text("spillway_").text(kSpecs[i].name).put(' ').number(values[i]).put('\n');
  }
  for (size_t column = 0; column < sizeof kClassSpecs / sizeof(Spec); ++column) {
    describe("spillway_class_", kClassSpecs[column]);
    for (uint32_t index = 1; index <= snapshot.class_count; ++index) {
      const ClassSnapshot& one = snapshot.classes[index];
      output.line().text("spillway_class_").text(kClassSpecs[column].name);
      output.line().text("{block_size=\"").number(one.block_size).text("\"} ");
      output.line().number(one.values()[column]).put('\n');
    }
  }
}

}  // namespace spillway::stats

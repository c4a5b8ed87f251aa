// SPDX-License-Identifier: MIT
#include "alloc/stats/print_tenants.h"

#include <string_view>

namespace spillway::stats {

void print_tenants_text(const Snapshot& snapshot, Output& output) {
  constexpr size_t kColumn = 13;
  constexpr size_t kName = 15;  // longer ones move the row's figures
  bool first = true;
  for_each_tenant(snapshot, [&](const TenantSnapshot& one) {
    Line<500> header;
    Line<500> row;
    header.text("  tenant");
    row.text("  ").text(one.tenant);
    const size_t name_end = row.view().size() > kName ? row.view().size() : kName;
    size_t end = name_end;
    const auto values = one.values();
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string_view column = kTenantSpecs[i].heading;
      if (!column.empty()) {
        end += kColumn;
        header.put(' ').spaces_up_to(end - name_end + kName - column.size()).text(column);
        right_aligned(row, values[i], end);
      }
    }
    if (first) {
      output.line().text(header.view()).put('\n');
    }
    output.line().text(row.view()).put('\n');
    first = false;
  });
}

void print_tenants_json(const Snapshot& snapshot, Output& output) {
  output.line().text("\"tenants\": [");
  bool first = true;
  for_each_tenant(snapshot, [&](const TenantSnapshot& one) {
    output.line().text(first ? "\n" : ",\n").text("{\"tenant\": \"").text(one.tenant).put('"');
    const auto values = one.values();
    for (size_t i = 0; i < values.size(); ++i) {
      output.line().text(", \"").text(kTenantSpecs[i].name).text("\": ").number(values[i]);
    }
    output.line().put('}');
    first = false;
  });
  output.line().put(']');
}

}  // namespace spillway::stats

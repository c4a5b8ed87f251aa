// SPDX-License-Identifier: MIT
// The part of a snapshot's text that is about tenants, for print.cc. Their names need no quoting.
#pragma once

#include "alloc/base/line.h"
#include "alloc/stats/output.h"
#include "alloc/stats/statistics.h"

namespace spillway::stats {

// A number that ends at column `end`.
inline void right_aligned(Line<500>& row, uint64_t value, size_t end) {
  Line<24> digits;
  digits.number(value);
  row.put(' ');
  if (digits.view().size() < end) {
    row.spaces_up_to(end - digits.view().size());
  }
  row.text(digits.view());
}

// Calls `action(TenantSnapshot)` for each.
template <typename Action>
void for_each_tenant(const Snapshot& snapshot, Action action) {
  TenantSnapshot one;
  for (int tenant = 1; tenant <= snapshot.last_tenant; ++tenant) {
    if (snapshot.read_tenant(tenant, one)) {
      action(one);
    }
  }
}

// A table, or nothing when there is none.
void print_tenants_text(const Snapshot& snapshot, Output& output);
// A member of the object.
void print_tenants_json(const Snapshot& snapshot, Output& output);

}  // namespace spillway::stats

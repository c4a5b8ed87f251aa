// SPDX-License-Identifier: MIT
#include "bench/contention/rows.h"

#include <algorithm>
#include <vector>

#include "bench/sizes.h"

namespace bench::contention {
namespace {

struct Kind {
  const char* name;
  std::size_t blocks;
  const char* sizes;
  Sizes range;
  std::unique_ptr<Workload> (*make)(const Plan& plan);
  unsigned fewest_threads;
};

constexpr Sizes kLower{4 * kKiB, 64 * kKiB};
constexpr Sizes kWhole{4 * kKiB, 1024 * kKiB};

constexpr Kind kKinds[] = {
    {"replace", 64, "4K-64K", kLower, make_replace, 1},
    {"replace", 64, "4K-1M", kWhole, make_replace, 1},
    {"pair", 1, "4K-64K", kLower, make_burst, 1},
    // More than a thread's cache holds.
    {"burst", 256, "4K-64K", kLower, make_burst, 1},
    {"handover", 64, "4K-64K", kLower, make_handover, 2},
};

std::vector<Row> make_rows() {
  std::vector<Row> all;
  for (const Kind& kind : kKinds) {
    for (const unsigned threads : {1U, 2U, 8U, 64U}) {
      if (threads >= kind.fewest_threads) {
        all.push_back({std::string("contention/") + kind.name + "/" + std::to_string(kind.blocks) +
                           "/" + kind.sizes + "/" + std::to_string(threads) + "t",
                       {threads, kind.blocks, kind.range, 0},
                       kind.make});
      }
    }
  }
  return all;
}

}  // namespace

std::span<const Row> rows() {
  static const std::vector<Row> all = make_rows();
  return all;
}

const Row* find_row(const std::string& name) {
  const auto found = std::find_if(rows().begin(), rows().end(),
                                  [&name](const Row& row) { return row.name == name; });
  return found != rows().end() ? &*found : nullptr;
}

}  // namespace bench::contention

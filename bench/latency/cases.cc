// SPDX-License-Identifier: MIT
#include "bench/latency/cases.h"

#include "bench/sizes.h"

namespace bench {
namespace {

constexpr int kThreads[] = {1, 2, 8};

struct Sizes {
  const char* name;
  SizeRange range;
};
constexpr Sizes kSizes[] = {{"4K-64K", {4 * kKiB, 64 * kKiB}}, {"4K-1M", {4 * kKiB, 1024 * kKiB}}};

}  // namespace

std::string LatencyRow::name() const {
  return std::string("latency/") + kKindNames[static_cast<std::size_t>(kind)] + "/" +
         std::string(sizes) + "/" + std::to_string(threads) + "t";
}

std::vector<LatencyRow> latency_rows() {
  std::vector<LatencyRow> rows;
  for (const auto& [name, range] : kSizes) {
    for (const int threads : kThreads) {
      for (std::size_t kind = 0; kind < kKinds; ++kind) {
        rows.push_back({static_cast<Kind>(kind), name, range, threads});
      }
    }
  }
  return rows;
}

}  // namespace bench

// SPDX-License-Identifier: MIT
#define SPILLWAY_WEAK
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

#include "bench/calls/kinds.h"
#include "bench/calls/pair.h"
#include "bench/sizes.h"
#include "spillway/spillway.h"

namespace bench {
namespace {

void pair_in_tenant(benchmark::State& state, std::size_t size) {
  const bool has_tenants = spillway_tenant_create != nullptr;
  if (has_tenants && spillway_tenant_enter(spillway_tenant_create("bench", 0)) < 0) {
    state.SkipWithError("no tenant can be had");
    return;
  }
  pair(state, size);
  if (has_tenants) {
    spillway_tenant_leave();
  }
}

}  // namespace

void register_tenants() {
  benchmark::RegisterBenchmark("in_tenant/64B", pair_in_tenant, std::size_t{64});
  for (const std::size_t size : {4 * kKiB, 64 * kKiB, 1024 * kKiB}) {
    benchmark::RegisterBenchmark(("in_tenant/" + std::to_string(size / kKiB) + "KiB").c_str(),
                                 pair_in_tenant, size);
  }
}

}  // namespace bench

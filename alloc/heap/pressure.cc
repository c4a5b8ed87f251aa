// SPDX-License-Identifier: MIT
#include "alloc/heap/pressure.h"

#include <atomic>

#include "alloc/base/attributes.h"
#include "alloc/config/options.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/os/os.h"

namespace spillway::heap {
namespace {

constinit std::atomic<bool> looking{false};

}  // namespace

bool watches_pressure() { return options().value(config::Option::pressure) != config::kWordValue; }

void relieve_pressure() {
  static constinit PressureGauge gauge;
  SPILLWAY_OWN_PAGES static constinit os::CgroupScratch scratch{};
  // acquire, release: gauge and room go with it.
  if (!watches_pressure() || looking.exchange(true, std::memory_order_acquire)) {
    return;
  }
  const int64_t per_cent = options().value(config::Option::pressure);
  const uint64_t stall_us =
      os::memory_stall_us("/proc/self/cgroup", "/sys/fs/cgroup", "/proc/pressure/memory", scratch);
  const bool rose = gauge.rose(per_cent, stall_us, os::monotonic_ns());
  looking.store(false, std::memory_order_release);
  if (rose && scavenger.purge_everything(heap.engine) != 0) {
    counters.pressure_purges.add();
  }
}

NextTurn watch_pressure() {
  constexpr uint32_t kLookMs = 250;
  if (watches_pressure()) {
    os::hide_descriptors();
    relieve_pressure();
  }
  return {.milliseconds = kLookMs};
}

void recover_pressure_after_fork() {
  // relaxed: the only thread there is.
  looking.store(false, std::memory_order_relaxed);
}

}  // namespace spillway::heap

// SPDX-License-Identifier: MIT
#include "alloc/heap/maintenance.h"

#include <algorithm>
#include <atomic>

#include "alloc/base/bits.h"
#include "alloc/heap/control.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/pressure.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/heap/stats_file.h"
#include "alloc/os/os.h"

namespace spillway::heap {
namespace {

// A thread looks how much is free each time that it gave back as much as is worth it, and such a
// share of the heap: the look's time grows with that. arbitrary.
constexpr uint64_t kHeapPerLook = 256;
constexpr uint64_t kGivenUnit = 64 * kKiB;
constexpr uint64_t kMillisecondNs = 1'000'000;

// relaxed: a time that orders nothing.
constinit std::atomic<uint64_t> due_ns{0};

void meter_all(bool metered) { heap.engine.meter_all(core::Metering::kForScavenger, metered); }

void run_between_times() {
  const uint64_t now = os::monotonic_ns();
  uint64_t due = due_ns.load(std::memory_order_relaxed);
  // relaxed: the thread that moves the time on has the turn; nothing else is ordered by it.
  if (now < due || !due_ns.compare_exchange_strong(due, UINT64_MAX, std::memory_order_relaxed)) {
    return;
  }
  const uint32_t pause_ms = scavenger.run(heap.engine);
  refresh_limits();
  relieve_pressure();
  if (scavenger.waiting_bytes() < kMinWaiting) {
    meter_all(false);
  }
  // Nothing left: what threads free from now on is looked at an interval later.
  due_ns.store(now + std::max<uint64_t>(pause_ms, scavenger.interval_ms()) * kMillisecondNs,
               std::memory_order_relaxed);
}

// Whether to look how much is free: the thread gave back much, or its caches may have grown.
bool is_time_to_look(uint64_t given) {
  if (given == 0) {
    return false;
  }
  const uint64_t units = divide_up(given, kGivenUnit);
  const bool enough = units >= thread_state.unlooked.get();
  thread_state.unlooked.set(enough ? 0
                                   : static_cast<uint16_t>(thread_state.unlooked.get() - units));
  return enough;
}

// Looks. Whether so much is free that the scavenger has to run.
bool look() {
  const uint64_t bytes = std::max(kMinWaiting, heap.engine.store().size_bytes() / kHeapPerLook);
  thread_state.unlooked.set(
      static_cast<uint16_t>(std::min<uint64_t>(bytes / kGivenUnit, UINT16_MAX)));
  return is_much_free();
}

void work_without_thread(uint64_t given) {
  constexpr uint8_t kCallsPerLook = 16;
  start_serving_if_asked();
  if (heap.engine.store().size_bytes() + heap.engine.store().wide().touched_bytes() < kMinWaiting ||
      !scavenger.purges() || thread_state.busy.get() || scavenger.turns().runs_here()) {
    return;
  }
  thread_state.slow_calls.add(1);
  const bool every_so_often = thread_state.slow_calls.get() % kCallsPerLook == 0;
  if (is_time_to_look(given) && look()) {
    if (!os::in_own_process()) {
      return;
    }
    if (wants_thread() && start_background()) {
      meter_all(false);
      return;
    }
    meter_all(true);
  }
  if (every_so_often) {
    run_between_times();
  }
}

}  // namespace

NextTurn scavenge() {
  constexpr uint32_t kLookMs = 250;
  // Of the background thread, whichever it is.
  static constinit bool nothing_left = true;
  if (!is_pooling()) {
    return {.milliseconds = NextTurn::kNever};
  }
  if (limits_are_shares()) {
    os::hide_descriptors();
    refresh_limits();
  }
  // The thread is there for another duty: what would not have started it is left alone, the caches
  // of busy threads above all.
  if (nothing_left && !is_much_free()) {
    return {.milliseconds = std::max(scavenger.interval_ms(), kLookMs)};
  }
  const uint32_t milliseconds = scavenger.run(heap.engine);
  nothing_left = milliseconds == core::Scavenger::kNothingLeft;
  if (nothing_left) {
    return {.milliseconds = std::max(scavenger.interval_ms(), kLookMs)};
  }
  return {.milliseconds = milliseconds,
          .keeps_thread = options().flag(config::Option::purge_thread)};
}

void note_slow_path(uint64_t given) {
  if (!is_in_background(given != 0)) {
    resume_stats_interval();
    work_without_thread(given);
  }
  follow_tracers();
  heap.engine.follow_metering(thread_state);
}

void restart_maintenance_after_fork() {
  resume_scavenging_after_fork();
  // relaxed: the only thread there is.
  due_ns.store(0, std::memory_order_relaxed);
  thread_state.unlooked.set(0);  // the first block that is freed here looks
}

}  // namespace spillway::heap

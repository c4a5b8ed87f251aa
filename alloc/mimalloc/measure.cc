// SPDX-License-Identifier: MIT
// What mimalloc holds, and what it has handed out. Of 2.0.9 both are read from its own state: no
// thread-local data, so that the hidden thread may ask.
#include <mimalloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/fork_gate.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

#if SPILLWAY_MIMALLOC_EXTENDED
extern "C" [[gnu::visibility("hidden")]] bool spillway_mimalloc_live(size_t* bytes, size_t* blocks,
                                                                     size_t* segments);
extern "C" [[gnu::visibility("hidden")]] void spillway_mimalloc_committed(int64_t* now,
                                                                          int64_t* peak);
extern "C" [[gnu::visibility("hidden")]] size_t spillway_mimalloc_mapped();
#endif

namespace spillway::mimalloc {

Footprint footprint() {
  Footprint footprint = {0, 0, 0};
#if SPILLWAY_MIMALLOC_EXTENDED
  int64_t committed = 0;
  int64_t peak = 0;
  spillway_mimalloc_committed(&committed, &peak);
  // Threads' shares are added up late, so that the sum can go below zero.
  footprint.committed = static_cast<size_t>(std::max<int64_t>(committed, 0));
  footprint.peak_committed = static_cast<size_t>(std::max<int64_t>(peak, 0));
  footprint.peak_resident = os::peak_resident_bytes();
#else
  if (os::on_hidden_thread()) {
    footprint.peak_resident = os::peak_resident_bytes();
    return footprint;  // the gate and the C library need a thread's data
  }
  enter_gate();
  mi_process_info(nullptr, nullptr, nullptr, nullptr, &footprint.peak_resident,
                  &footprint.committed, &footprint.peak_committed, nullptr);
  leave_gate();
  // As above.
  if (footprint.committed > footprint.peak_committed) {
    footprint.committed = 0;
  }
#endif
  return footprint;
}

Live live() {
#if SPILLWAY_MIMALLOC_EXTENDED
  // What the last walk found, for callers that come during one which does not end: it stands still
  // in a thread that does not run, or below the caller in its own thread. relaxed, all: gauges.
  static constinit std::atomic<size_t> last[3];
  constexpr uint64_t kWaitNs = 1'000'000;  // arbitrary; a walk takes some 10 us
  Live live;
  for (os::BoundedWait wait(kWaitNs);
       !spillway_mimalloc_live(&live.bytes, &live.blocks, &live.segments);) {
    if (!wait.pause()) {
      return {.bytes = last[0].load(std::memory_order_relaxed),
              .blocks = last[1].load(std::memory_order_relaxed),
              .segments = last[2].load(std::memory_order_relaxed)};
    }
  }
  last[0].store(live.bytes, std::memory_order_relaxed);
  last[1].store(live.blocks, std::memory_order_relaxed);
  last[2].store(live.segments, std::memory_order_relaxed);
  return live;
#else
  return {.bytes = footprint().committed, .blocks = Live::kUnknown, .segments = 0};
#endif
}

size_t mapped_bytes() {
#if SPILLWAY_MIMALLOC_EXTENDED
  return spillway_mimalloc_mapped();
#else
  return footprint().committed;
#endif
}

}  // namespace spillway::mimalloc

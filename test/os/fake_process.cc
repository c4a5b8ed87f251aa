#include "test/os/fake_process.h"

#include <atomic>

// What --wrap makes of the names of monotonic_ns() and barrier_in_all_threads().
uint64_t real_monotonic_ns() asm("__real__ZN8spillway2os12monotonic_nsEv");
uint64_t wrapped_monotonic_ns() asm("__wrap__ZN8spillway2os12monotonic_nsEv");
bool real_barrier() asm("__real__ZN8spillway2os22barrier_in_all_threadsEv");
bool wrapped_barrier() asm("__wrap__ZN8spillway2os22barrier_in_all_threadsEv");

namespace {

std::atomic<uint64_t> stopped_at{0};  // 0: the clock runs
std::atomic<bool> barriers_refused{false};

}  // namespace

uint64_t wrapped_monotonic_ns() {
  const uint64_t now = stopped_at;
  return now != 0 ? now : real_monotonic_ns();
}

bool wrapped_barrier() { return !barriers_refused && real_barrier(); }

namespace spillway::os::fake {

void stop_clock() { stopped_at = real_monotonic_ns(); }
void advance_clock(uint64_t nanoseconds) { stopped_at += nanoseconds; }
void refuse_barriers() { barriers_refused = true; }
void reset() {
  stopped_at = 0;
  barriers_refused = false;
}

}  // namespace spillway::os::fake

// SPDX-License-Identifier: MIT
#include "test/os/fake_process.h"

#include <atomic>

// What --wrap makes of the names of monotonic_ns(), barrier_in_all_threads() and processors().
uint64_t real_monotonic_ns() asm("__real__ZN8spillway2os12monotonic_nsEv");
uint64_t wrapped_monotonic_ns() asm("__wrap__ZN8spillway2os12monotonic_nsEv");
bool real_barrier() asm("__real__ZN8spillway2os22barrier_in_all_threadsEv");
bool wrapped_barrier() asm("__wrap__ZN8spillway2os22barrier_in_all_threadsEv");
uint32_t real_processors() asm("__real__ZN8spillway2os10processorsEv");
uint32_t wrapped_processors() asm("__wrap__ZN8spillway2os10processorsEv");

namespace {

std::atomic<uint64_t> stopped_at{0};  // 0: the clock runs
std::atomic<bool> barriers_refused{false};
void (*barrier_call)(void* context) = nullptr;
void* barrier_context = nullptr;
std::atomic<uint32_t> processors_said{0};  // 0: as many as there are

}  // namespace

uint64_t wrapped_monotonic_ns() {
  const uint64_t now = stopped_at;
  return now != 0 ? now : real_monotonic_ns();
}

bool wrapped_barrier() {
  if (barrier_call != nullptr) {
    barrier_call(barrier_context);
  }
  return !barriers_refused && real_barrier();
}

uint32_t wrapped_processors() {
  const uint32_t said = processors_said;
  return said != 0 ? said : real_processors();
}

namespace spillway::os::fake {

void stop_clock() { stopped_at = real_monotonic_ns(); }
void advance_clock(uint64_t nanoseconds) { stopped_at += nanoseconds; }
void refuse_barriers() { barriers_refused = true; }
void at_barrier(void (*call)(void* context), void* context) {
  barrier_context = context;
  barrier_call = call;
}
void have_processors(uint32_t count) { processors_said = count; }
void reset() {
  stopped_at = 0;
  processors_said = 0;
  barriers_refused = false;
  barrier_call = nullptr;
}

}  // namespace spillway::os::fake

#include "alloc/heap/upkeep.h"

#include <atomic>

#include "alloc/base/bits.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/pressure.h"
#include "alloc/heap/start.h"
#include "alloc/os/os.h"

namespace spillway::heap {

constinit core::Upkeep upkeep;

namespace {

// A process whose pool is smaller than this does without upkeep: a thread costs some 20 KiB.
constexpr uint64_t kLeastPool = 4 * kMiB;

// What the thread is doing; a word to sleep on.
enum Thread : uint32_t { kNotStarted, kAtWork, kAsleep, kNotToBeHad };
constinit std::atomic<uint32_t> thread_state{kNotStarted};

// Between two runs, with an eye on the pressure.
void rest(uint32_t milliseconds) {
  constexpr uint32_t kLookMs = 250;
  for (; watches_pressure() && milliseconds > kLookMs; milliseconds -= kLookMs) {
    os::sleep_while(thread_state, kAtWork, kLookMs);
    relieve_pressure();
  }
  os::sleep_while(thread_state, kAtWork, milliseconds);
  relieve_pressure();
}

void* work(void* /*nothing*/) {
  for (;;) {
    const uint32_t milliseconds = upkeep.run(heap.engine);
    refresh_limits();
    if (milliseconds != core::Upkeep::kNothingLeft) {
      rest(milliseconds);
      continue;
    }
    // seq_cst, then another look: what was freed before somebody saw kAsleep is seen here; pairs
    // with note_slow_path(), which frees first and then looks at the state.
    thread_state.store(kAsleep, std::memory_order_seq_cst);
    if (upkeep.run(heap.engine) != core::Upkeep::kNothingLeft) {
      thread_state.store(kAtWork, std::memory_order_relaxed);
      continue;
    }
    os::sleep_while(thread_state, kAsleep, 0);
  }
}

void start_thread_if_worth_it() {
  uint32_t seen = kNotStarted;
  if (heap.engine.grown_bytes() + heap.engine.large().touched_bytes() < kLeastPool ||
      !upkeep.purges() ||
      // relaxed: only one thread goes on, and it shares nothing with the others.
      !thread_state.compare_exchange_strong(seen, kAtWork, std::memory_order_relaxed)) {
    return;
  }
  if (!options().flag(config::Option::purge_thread) || !os::start_thread(work, "spillway")) {
    thread_state.store(kNotToBeHad, std::memory_order_relaxed);
  }
}

void run_between_times() {
  static constinit std::atomic<uint64_t> due_ns{0};
  constexpr uint8_t kCallsPerLook = 16;
  if (anchor.busy.get() || !upkeep.purges()) {
    return;
  }
  anchor.slow_calls.add(1);
  if (anchor.slow_calls.get() % kCallsPerLook != 0) {
    return;
  }
  const uint64_t now = os::monotonic_ns();
  uint64_t due = due_ns.load(std::memory_order_relaxed);
  // relaxed: whoever moves the time on has the turn; nothing else is ordered by it.
  if (now < due || !due_ns.compare_exchange_strong(due, UINT64_MAX, std::memory_order_relaxed)) {
    return;
  }
  const uint64_t pause_ms = upkeep.run(heap.engine);
  refresh_limits();
  relieve_pressure();
  due_ns.store(now + pause_ms * 1'000'000, std::memory_order_relaxed);
}

}  // namespace

void note_slow_path() {
  // seq_cst: after the caller's writes to the freelists; pairs with the store in work().
  switch (thread_state.load(std::memory_order_seq_cst)) {
    case kAtWork:
      return;
    case kNotStarted:
      return start_thread_if_worth_it();
    case kAsleep: {
      uint32_t seen = kAsleep;
      // relaxed: the thread looks at everything anew.
      if (thread_state.compare_exchange_strong(seen, kAtWork, std::memory_order_relaxed)) {
        os::wake_all(thread_state);
      }
      return;
    }
    default:
      return run_between_times();
  }
}

void pause_upkeep() { upkeep.pause(&anchor); }

void resume_upkeep() { upkeep.resume(&anchor); }

void restart_upkeep_after_fork() {
  upkeep.resume_after_fork();
  thread_state.store(kNotStarted, std::memory_order_relaxed);
}

}  // namespace spillway::heap

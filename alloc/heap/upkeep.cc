#include "alloc/heap/upkeep.h"

#include <algorithm>
#include <atomic>

#include "alloc/base/bits.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/pressure.h"
#include "alloc/heap/start.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::heap {

constinit core::Upkeep upkeep;

namespace {

// Less free memory than this is not worth a thread, which costs 20 KiB and wakes up four times a
// second.
constexpr uint64_t kLeastWaiting = 4 * kMiB;
// A thread looks at the freelists each time that it gave them so much.
constexpr uint64_t kGivenUnit = 64 * kKiB;
constexpr uint16_t kUnitsPerLook = kMiB / kGivenUnit;
constexpr uint64_t kMillisecondNs = 1'000'000;
// Between two tries to start a thread, when it could not be had or had to end.
constexpr uint64_t kRetryNs = 1000 * kMillisecondNs;

// kNone --start--> kAtWork --nothing left--> kLeaving --still nothing--> kNone
//                     ^                         |
//                     +---- kWanted <-----------+ a thread freed meanwhile
// kAtWork --end--> kEnding --> kNone
enum Thread : uint32_t { kNone, kAtWork, kLeaving, kWanted, kEnding };
constinit std::atomic<uint32_t> thread_state{kNone};
// relaxed, all three: times and a hint that order nothing.
constinit std::atomic<uint64_t> no_thread_before_ns{0};
constinit std::atomic<uint64_t> due_ns{0};
constinit std::atomic<bool> metering{false};

// Between two runs, with an eye on what would end the thread, and on the pressure. False: it has
// to end.
bool rest(uint32_t milliseconds) {
  constexpr uint32_t kLookMs = 250;
  while (milliseconds != 0) {
    const uint32_t now = std::min(milliseconds, kLookMs);
    os::sleep_while(thread_state, kAtWork, now);
    milliseconds -= now;
    // relaxed: seen at the next look otherwise.
    if (os::hidden_thread_must_end() || thread_state.load(std::memory_order_relaxed) == kEnding) {
      return false;
    }
    relieve_pressure();
  }
  return true;
}

// After a run that left nothing. False: something was freed meanwhile.
bool leave() {
  // seq_cst, then another look: what was freed by a thread that still saw kAtWork is seen here;
  // pairs with note_slow_path(), which frees first and then looks at the state.
  thread_state.store(kLeaving, std::memory_order_seq_cst);
  uint32_t leaving = kLeaving;
  // relaxed: a thread that sees kNone shares nothing with this one.
  if (upkeep.run(heap.engine) == core::Upkeep::kNothingLeft &&
      thread_state.compare_exchange_strong(leaving, kNone, std::memory_order_relaxed)) {
    return true;
  }
  thread_state.store(kAtWork, std::memory_order_relaxed);
  return false;
}

void work() {
  for (;;) {
    const uint32_t milliseconds = upkeep.run(heap.engine);
    refresh_limits();
    if (milliseconds != core::Upkeep::kNothingLeft) {
      if (!rest(milliseconds)) {
        no_thread_before_ns.store(os::monotonic_ns() + kRetryNs, std::memory_order_relaxed);
        thread_state.store(kNone, std::memory_order_relaxed);
        return;
      }
    } else if (leave()) {
      return;
    }
  }
}

bool start_thread() {
  const uint64_t now = os::monotonic_ns();
  if (!options().flag(config::Option::purge_thread) ||
      now < no_thread_before_ns.load(std::memory_order_relaxed)) {
    return false;
  }
  uint32_t none = kNone;
  // relaxed: one thread goes on, and it shares nothing with the others.
  if (!thread_state.compare_exchange_strong(none, kAtWork, std::memory_order_relaxed)) {
    return true;
  }
  if (os::start_hidden_thread(work, watches_pressure() || limits_are_shares())) {
    metering.store(false, std::memory_order_relaxed);
    return true;
  }
  thread_state.store(kNone, std::memory_order_relaxed);
  no_thread_before_ns.store(now + kRetryNs, std::memory_order_relaxed);
  return false;
}

void run_between_times() {
  const uint64_t now = os::monotonic_ns();
  uint64_t due = due_ns.load(std::memory_order_relaxed);
  // relaxed: the thread that moves the time on has the turn; nothing else is ordered by it.
  if (now < due || !due_ns.compare_exchange_strong(due, UINT64_MAX, std::memory_order_relaxed)) {
    return;
  }
  const uint64_t pause_ms = upkeep.run(heap.engine);
  refresh_limits();
  relieve_pressure();
  if (upkeep.waiting_bytes() < kLeastWaiting) {
    metering.store(false, std::memory_order_relaxed);
  }
  due_ns.store(now + pause_ms * kMillisecondNs, std::memory_order_relaxed);
}

// Whether the freelists are to be looked at: the thread gave them much, or its caches may have
// grown.
bool is_time_to_look(uint64_t given, bool every_so_often) {
  if (given == 0) {
    return every_so_often;
  }
  const uint64_t units = anchor.given.get() + divide_up(given, kGivenUnit);
  const bool enough = units >= kUnitsPerLook;
  anchor.given.set(enough ? 0 : static_cast<uint16_t>(units));
  return enough;
}

void work_without_thread(uint64_t given) {
  constexpr uint8_t kCallsPerLook = 16;
  if (heap.engine.grown_bytes() + heap.engine.large().touched_bytes() < kLeastWaiting ||
      !upkeep.purges() || anchor.busy.get() || upkeep.runs_here()) {
    return;
  }
  anchor.slow_calls.add(1);
  const bool every_so_often = anchor.slow_calls.get() % kCallsPerLook == 0;
  if (is_time_to_look(given, every_so_often) && heap.engine.free_bytes_reach(kLeastWaiting)) {
    if (!os::in_own_process() || start_thread()) {
      return;
    }
    metering.store(true, std::memory_order_relaxed);
  }
  if (every_so_often) {
    run_between_times();
  }
  heap.engine.meter(anchor, metering.load(std::memory_order_relaxed));
}

}  // namespace

void note_slow_path(uint64_t given) {
  // seq_cst: after the caller's writes to the freelists; pairs with the store in leave().
  uint32_t seen = thread_state.load(std::memory_order_seq_cst);
  if (seen == kNone) {
    return work_without_thread(given);
  }
  if (seen == kLeaving && given != 0) {
    // relaxed: the thread looks at everything anew.
    thread_state.compare_exchange_strong(seen, kWanted, std::memory_order_relaxed);
  }
}

void end_upkeep_thread() {
  os::BoundedWait wait(1000 * kMillisecondNs);
  while (os::has_hidden_thread() && wait.pause()) {
    uint32_t at_work = kAtWork;
    // relaxed: the thread ends whatever else it sees.
    if (thread_state.compare_exchange_strong(at_work, kEnding, std::memory_order_relaxed)) {
      os::wake_all(thread_state);
    }
  }
}

void resume_upkeep_thread() {
  no_thread_before_ns.store(0, std::memory_order_relaxed);
  if (is_pooling() && upkeep.purges() && os::in_own_process() &&
      heap.engine.free_bytes_reach(kLeastWaiting)) {
    start_thread();
  }
}

void pause_upkeep() { upkeep.pause(&anchor); }

void resume_upkeep() { upkeep.resume(&anchor); }

void restart_upkeep_after_fork() {
  // relaxed, all: the only thread there is.
  upkeep.resume_after_fork();
  os::forget_hidden_thread();
  thread_state.store(kNone, std::memory_order_relaxed);
  no_thread_before_ns.store(0, std::memory_order_relaxed);
  due_ns.store(0, std::memory_order_relaxed);
  anchor.given.set(kUnitsPerLook);  // the first block that is freed here looks
}

}  // namespace spillway::heap

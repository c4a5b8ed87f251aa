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
// A thread looks how much is free each time that it gave back as much.
constexpr uint64_t kGivenUnit = 64 * kKiB;
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
  // seq_cst, both, then another look, of relaxed loads that the fence keeps behind the store: what
  // was freed by a thread that still saw kAtWork is seen here. Pairs with note_slow_path(), which
  // frees first and then looks at the state.
  thread_state.store(kLeaving, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  uint32_t leaving = kLeaving;
  // relaxed: a thread that sees kNone shares nothing with this one.
  if (upkeep.run(heap.engine) == core::Upkeep::kNothingLeft &&
      thread_state.compare_exchange_strong(leaving, kNone, std::memory_order_relaxed)) {
    return true;
  }
  // relaxed: as above, and no other thread leaves kWanted or kLeaving.
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
        // relaxed: as in leave().
        thread_state.store(kNone, std::memory_order_relaxed);
        return;
      }
    } else if (leave()) {
      return;
    }
  }
}

// Bytes that are free and resident, or may be so in caches, up to about kLeastWaiting. Cost: a look
// at each chunk where less is free.
uint64_t free_bytes() {
  core::PageHeap& store = heap.engine.store();
  uint64_t sum = store.wide().free_bytes_up_to(kLeastWaiting);
  sum += sum < kLeastWaiting ? store.free_bytes_up_to(kLeastWaiting - sum) : 0;
  sum += sum < kLeastWaiting ? heap.engine.cached_bytes_up_to(kLeastWaiting - sum) : 0;
  return sum;
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
  // relaxed: there was no thread that another one could share anything with.
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
  const uint32_t pause_ms = upkeep.run(heap.engine);
  refresh_limits();
  relieve_pressure();
  if (upkeep.waiting_bytes() < kLeastWaiting) {
    metering.store(false, std::memory_order_relaxed);
  }
  // Nothing left: what threads free from now on is looked at an interval later.
  due_ns.store(now + std::max<uint64_t>(pause_ms, upkeep.interval_ms()) * kMillisecondNs,
               std::memory_order_relaxed);
}

// Whether to look how much is free: the thread gave back much, or its caches may have grown.
bool is_time_to_look(uint64_t given) {
  if (given == 0) {
    return false;
  }
  const uint64_t units = divide_up(given, kGivenUnit);
  const bool enough = units >= anchor.unlooked.get();
  anchor.unlooked.set(enough ? 0 : static_cast<uint16_t>(anchor.unlooked.get() - units));
  return enough;
}

// Looks. Whether so much is free that upkeep has to run.
bool is_much_free() {
  anchor.unlooked.set(static_cast<uint16_t>(kLeastWaiting / kGivenUnit));
  return free_bytes() >= kLeastWaiting;
}

void work_without_thread(uint64_t given) {
  constexpr uint8_t kCallsPerLook = 16;
  if (heap.engine.store().size_bytes() + heap.engine.store().wide().touched_bytes() <
          kLeastWaiting ||
      !upkeep.purges() || anchor.busy.get() || upkeep.turns().runs_here()) {
    return;
  }
  anchor.slow_calls.add(1);
  const bool every_so_often = anchor.slow_calls.get() % kCallsPerLook == 0;
  if (is_time_to_look(given) && is_much_free()) {
    if (!os::in_own_process() || start_thread()) {
      return;
    }
    metering.store(true, std::memory_order_relaxed);
  }
  if (every_so_often) {
    run_between_times();
  }
  const bool meter = metering.load(std::memory_order_relaxed);
  if (meter != (anchor.bins.get() == &core::kCacheMetered)) {
    heap.engine.meter(anchor, meter);
  }
}

}  // namespace

void balance() {
  if (upkeep.balance(heap.engine)) {
    fallback::collect_waiting();
  }
}

void note_slow_path(uint64_t given) {
  // seq_cst: after what the caller gave back, whose last change of a freelist or a chunk is
  // seq_cst, too; pairs with store and fence in leave().
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
  if (is_pooling() && upkeep.purges() && os::in_own_process() && free_bytes() >= kLeastWaiting) {
    start_thread();
  }
}

void pause_upkeep() { upkeep.turns().pause(&anchor); }

void resume_upkeep() { upkeep.turns().resume(&anchor); }

void restart_upkeep_after_fork() {
  // relaxed, all: the only thread there is.
  upkeep.turns().resume_after_fork();
  os::forget_hidden_thread();
  thread_state.store(kNone, std::memory_order_relaxed);
  no_thread_before_ns.store(0, std::memory_order_relaxed);
  due_ns.store(0, std::memory_order_relaxed);
  anchor.unlooked.set(0);  // the first block that is freed here looks
}

}  // namespace spillway::heap

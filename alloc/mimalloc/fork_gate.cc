// SPDX-License-Identifier: MIT
// One counter per group of threads says how many are inside; a word names the forking thread.
//
// - An entering thread counts itself in, then reads fork_owner.
// - A forking thread writes fork_owner, then reads the counters.
//
// All four are sequentially consistent: at least one of the two sees the other. An entering thread
// that sees a foreign owner counts itself out again and waits.
#include "alloc/mimalloc/fork_gate.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

#if SPILLWAY_MIMALLOC_EXTENDED
extern "C" void spillway_mimalloc_after_fork();    // after_fork_209.h
extern "C" void spillway_mimalloc_forget_walks();  // unmap_209.h
#endif

namespace spillway::mimalloc {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kCounters = 16;
constexpr unsigned kCounterBits = 4;
static_assert(size_t{1} << kCounterBits == kCounters);

struct alignas(kCacheLine) Counter {
  std::atomic<int32_t> inside;
};

struct GateState {
  int16_t depth;  // hooked functions on this thread's stack; counted in a Counter while > 0
  bool refused;   // see refuse_mappings(); meaningful while depth > 0
  uint8_t tick;   // see begins_tick()
  int32_t saved_errno;
};
static_assert(sizeof(GateState) <= 8, "static TLS is scarce: 48 bytes with mimalloc's own");

constinit Counter counters[kCounters];
constinit std::atomic<const GateState*> fork_owner{nullptr};
constinit std::atomic<uint32_t> fork_thread{0};  // its number, as the kernel counts threads
constinit SPILLWAY_TLS GateState gate_state{0, false, 0, 0};

Counter& counter_of(const GateState& thread) {
  const uint64_t mixed = reinterpret_cast<uintptr_t>(&thread) * 0x9E3779B97F4A7C15u;
  return counters[mixed >> (64 - kCounterBits)];
}

// A fork's handlers are given so long for others to leave. Those others wait longer: copying the
// page tables of a process with 100 GiB takes a second.
constexpr uint64_t kLeaveNs = 1'000'000'000;
constexpr uint64_t kForkNs = 4'000'000'000;

// Tells a fork that is under way from a thread that waits for a lock before it forks: other fork
// handlers take locks, and so does the C library between the last handler and the fork. The kernel
// copies a process running or in uninterruptible sleep; a thread that is asleep otherwise, seen
// three times over some milliseconds, waits for another, perhaps for the caller.
class SleepWatch {
 public:
  // Between two pauses of a wait; reads a file of the kernel's at every eighth.
  bool is_asleep(uint32_t thread) {
    constexpr int kPausesPerLook = 8;
    constexpr int kLooks = 3;
    if (++pauses_ % kPausesPerLook == 0) {
      looks_asleep_ = os::is_asleep(thread) ? looks_asleep_ + 1 : 0;
    }
    return looks_asleep_ >= kLooks;
  }

 private:
  int pauses_ = 0;
  int looks_asleep_ = 0;
};

SPILLWAY_COLD void wait_for_fork(Counter& counter) {
  os::BoundedWait wait(kForkNs);
  SleepWatch watch;
  for (;;) {
    // Release: pairs with the load in fork_prepare; what was done inside is visible there.
    counter.inside.fetch_sub(1, std::memory_order_release);
    // Acquire: pairs with the release in fork_parent. Only a hint, the loop looks again below.
    const GateState* owner = fork_owner.load(std::memory_order_acquire);
    // relaxed: the thread's number, for a look at what it does.
    while (owner != nullptr && wait.pause() &&
           !watch.is_asleep(fork_thread.load(std::memory_order_relaxed))) {
      owner = fork_owner.load(std::memory_order_acquire);
    }
    if (owner != nullptr) {
      // Opens the gate for all threads: the fork may wait for any of them.
      // Relaxed: the guarantee is given up, nothing is ordered by it.
      fork_owner.compare_exchange_strong(owner, nullptr, std::memory_order_relaxed);
    }
    // Sequentially consistent, both: as in enter_outermost, against fork_prepare.
    counter.inside.fetch_add(1, std::memory_order_seq_cst);
    if (fork_owner.load(std::memory_order_seq_cst) == nullptr) {
      return;
    }
  }
}

// Counts the thread in; whether the gate is open to it.
bool count_in(const GateState& self, Counter& counter) {
  // Sequentially consistent: before the load below; pairs with fork_prepare's store, then load.
  counter.inside.fetch_add(1, std::memory_order_seq_cst);
  // Sequentially consistent: after the addition; the other half of the same pair.
  const GateState* owner = fork_owner.load(std::memory_order_seq_cst);
  return owner == nullptr || owner == &self;
}

void begin_passage(GateState& self, int entry_errno) {
  // The depth is set last and cleared first: a signal handler that allocates in between counts
  // itself in and out on its own.
  self.saved_errno = entry_errno;
  self.refused = false;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  self.depth = 1;
}

SPILLWAY_NOINLINE void enter_outermost(GateState& self) {
  const int entry_errno = errno;
  Counter& counter = counter_of(self);
  if (SPILLWAY_UNLIKELY(!count_in(self, counter))) {
    wait_for_fork(counter);
  }
  begin_passage(self, entry_errno);
}

SPILLWAY_NOINLINE void leave_outermost(GateState& self) {
  errno = self.saved_errno;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  self.depth = 0;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  // Release: pairs with the load in fork_prepare; all that was done inside precedes the fork.
  counter_of(self).inside.fetch_sub(1, std::memory_order_release);
}

// Without the guarantee a thread that this process does not have may have been anywhere.
void repair() {
#if SPILLWAY_MIMALLOC_EXTENDED
  spillway_mimalloc_after_fork();
#endif
}

}  // namespace

void enter_gate() {
  GateState& self = gate_state;
  if (self.depth > 0) {
    ++self.depth;
    return;
  }
  enter_outermost(self);
}

bool enter_open_gate() {
  GateState& self = gate_state;
  if (self.depth > 0) {
    return false;
  }
  const int entry_errno = errno;
  Counter& counter = counter_of(self);
  if (!count_in(self, counter)) {
    // Release: as in leave_outermost; nothing was done inside.
    counter.inside.fetch_sub(1, std::memory_order_release);
    return false;
  }
  begin_passage(self, entry_errno);
  return true;
}

void leave_gate() {
  GateState& self = gate_state;
  if (self.depth > 1) {
    --self.depth;
    return;
  }
  leave_outermost(self);
}

void report_no_memory() {
  errno = ENOMEM;
  gate_state.saved_errno = ENOMEM;
}

void refuse_mappings() { gate_state.refused = true; }

bool mappings_are_refused() { return gate_state.depth > 0 && gate_state.refused; }

bool begins_tick(uint64_t tick) {
  const auto now = static_cast<uint8_t>(tick % 255 + 1);  // 0: the thread saw none yet
  const uint8_t before = gate_state.tick;
  gate_state.tick = now;
  return before != 0 && before != now;
}

void fork_prepare() {
  const int entry_errno = errno;
  const GateState& self = gate_state;
  os::BoundedWait wait(kLeaveNs);
  const GateState* owner = nullptr;
  // Sequentially consistent: before the loads below; pairs with enter_outermost's add, then load.
  while (!fork_owner.compare_exchange_strong(owner, &self, std::memory_order_seq_cst)) {
    if (owner == &self || !wait.pause()) {
      break;  // a fork within this fork's handlers, or another thread's that does not end
    }
    owner = nullptr;
  }
  fork_thread.store(os::thread_id(), std::memory_order_relaxed);
  const Counter* own = self.depth > 0 ? &counter_of(self) : nullptr;
  for (const Counter& counter : counters) {
    const int32_t mine = &counter == own ? 1 : 0;
    // Sequentially consistent: after the exchange; and acquires what leave_outermost released.
    while (counter.inside.load(std::memory_order_seq_cst) > mine && wait.pause()) {
    }
  }
  errno = entry_errno;
}

void fork_parent() {
  const GateState* owner = &gate_state;
  // Release: pairs with the acquire in wait_for_fork. Fails when the gate was another thread's or
  // has been given up.
  fork_owner.compare_exchange_strong(owner, nullptr, std::memory_order_release,
                                     std::memory_order_relaxed);
}

void fork_child() {
  // Relaxed throughout: this is the only thread.
  const bool closed = fork_owner.load(std::memory_order_relaxed) == &gate_state;
  int32_t others = gate_state.depth > 0 ? -1 : 0;
  for (Counter& counter : counters) {
    others += counter.inside.load(std::memory_order_relaxed);
    counter.inside.store(0, std::memory_order_relaxed);
  }
  if (gate_state.depth > 0) {
    counter_of(gate_state).inside.store(1, std::memory_order_relaxed);
  } else if (!closed || others != 0) {
    repair();
  }
  fork_owner.store(nullptr, std::memory_order_relaxed);
#if SPILLWAY_MIMALLOC_EXTENDED
  spillway_mimalloc_forget_walks();
#endif
}

}  // namespace spillway::mimalloc

#if SPILLWAY_MIMALLOC_EMBEDDED
extern "C" {
void spillway_mimalloc_enter();
void spillway_mimalloc_leave();
void spillway_mimalloc_refused();
bool spillway_mimalloc_is_refused();

void spillway_mimalloc_enter() { spillway::mimalloc::enter_gate(); }
void spillway_mimalloc_leave() { spillway::mimalloc::leave_gate(); }
void spillway_mimalloc_refused() { spillway::mimalloc::refuse_mappings(); }
bool spillway_mimalloc_is_refused() { return spillway::mimalloc::mappings_are_refused(); }
}
// What the compiler calls at the start and end of mimalloc's functions (hooked_mimalloc.c). Set
// here because gcc refuses to give its own declarations hidden visibility, without which the C
// library's empty functions of these names would be called.
__asm__(
    ".globl __cyg_profile_func_enter\n"
    ".globl __cyg_profile_func_exit\n"
    ".hidden __cyg_profile_func_enter\n"
    ".hidden __cyg_profile_func_exit\n"
    ".set __cyg_profile_func_enter, spillway_mimalloc_enter\n"
    ".set __cyg_profile_func_exit, spillway_mimalloc_leave\n");
#endif

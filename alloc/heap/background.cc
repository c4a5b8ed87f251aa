// SPDX-License-Identifier: MIT
#include "alloc/heap/background.h"

#include <algorithm>
#include <atomic>

#include "alloc/os/bounded_wait.h"
#include "alloc/os/os.h"

namespace spillway::heap {
namespace {

constexpr uint64_t kMillisecondNs = 1'000'000;
// Between two tries to start the thread, when it could not be had or had to end.
constexpr uint64_t kRetryNs = 1000 * kMillisecondNs;
// The thread looks so often whether it has to end.
constexpr uint64_t kLookNs = 250 * kMillisecondNs;

// kNone --start--> kAtWork --no duty keeps it--> kLeaving --still none--> kNone
//                     ^                             |
//                     +-------- kWanted <-----------+ a thread left work meanwhile
// kAtWork --end--> kEnding --> kNone
enum State : uint32_t { kNone, kAtWork, kLeaving, kWanted, kEnding };
constinit std::atomic<uint32_t> state{kNone};
// relaxed: a time that orders nothing.
constinit std::atomic<uint64_t> not_before_ns{0};
// relaxed: seen when the thread wakes up, or at its next look.
constinit std::atomic<bool> run_now{false};

// The turns of one life of the thread.
class Turns {
 public:
  // Those that are due.
  void take(uint64_t now) {
    for (size_t i = 0; i < kDutyCount; ++i) {
      if (now >= due_ns_[i]) {
        const NextTurn next = kDuties[i]();
        due_ns_[i] = next.milliseconds == NextTurn::kNever
                         ? UINT64_MAX
                         : os::monotonic_ns() + next.milliseconds * kMillisecondNs;
        keeps_[i] = next.keeps_thread;
      }
    }
  }
  // All, whenever they are due.
  void take_all() {
    std::fill(std::begin(due_ns_), std::end(due_ns_), 0);
    take(0);
  }
  bool keep_thread() const {
    return std::any_of(std::begin(keeps_), std::end(keeps_), [](bool keeps) { return keeps; });
  }
  uint64_t next_ns() const { return *std::min_element(std::begin(due_ns_), std::end(due_ns_)); }

 private:
  uint64_t due_ns_[kDutyCount] = {};
  bool keeps_[kDutyCount] = {};
};

// Until the next turn, with an eye on what would end the thread, from `look_ns` on: with root's
// rights that reads two files. False: it has to end.
bool rest(uint64_t until_ns, uint64_t& look_ns) {
  for (uint64_t now = os::monotonic_ns();
       now < until_ns && !run_now.load(std::memory_order_relaxed); now = os::monotonic_ns()) {
    const uint64_t nap_ns = std::min(until_ns - now, kLookNs);
    os::sleep_while(state, kAtWork, static_cast<uint32_t>(nap_ns / kMillisecondNs) + 1);
    // relaxed: seen at the next look otherwise.
    if (state.load(std::memory_order_relaxed) == kEnding) {
      return false;
    }
    const uint64_t woken = os::monotonic_ns();
    if (woken >= look_ns) {
      if (os::hidden_thread_must_end()) {
        return false;
      }
      look_ns = woken + kLookNs;
    }
  }
  return true;
}

// When no duty keeps the thread. False: one does after all.
bool leave(Turns& turns) {
  // seq_cst, both, then another look, of relaxed loads that the fence keeps behind the store: the
  // work of a thread that still saw kAtWork is seen here. Pairs with is_in_background(), whose
  // callers leave work first and then look at the state.
  state.store(kLeaving, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  turns.take_all();
  uint32_t leaving = kLeaving;
  // relaxed: a thread that sees kNone shares nothing with this one.
  if (!turns.keep_thread() &&
      state.compare_exchange_strong(leaving, kNone, std::memory_order_relaxed)) {
    return true;
  }
  // relaxed: as above, and no other thread leaves kWanted or kLeaving.
  state.store(kAtWork, std::memory_order_relaxed);
  return false;
}

void work() {
  Turns turns;
  uint64_t look_ns = 0;
  for (;;) {
    if (run_now.exchange(false, std::memory_order_relaxed)) {
      turns.take_all();
    } else {
      turns.take(os::monotonic_ns());
    }
    if (!turns.keep_thread()) {
      if (leave(turns)) {
        return;
      }
    } else if (!rest(turns.next_ns(), look_ns)) {
      not_before_ns.store(os::monotonic_ns() + kRetryNs, std::memory_order_relaxed);
      // relaxed: as in leave().
      state.store(kNone, std::memory_order_relaxed);
      return;
    }
  }
}

}  // namespace

bool is_in_background(bool work) {
  // seq_cst: after what the caller left to do, whose last change of a freelist or a chunk is
  // seq_cst, too; pairs with store and fence in leave().
  uint32_t seen = state.load(std::memory_order_seq_cst);
  if (seen == kLeaving && work) {
    // relaxed: the thread looks at everything anew.
    state.compare_exchange_strong(seen, kWanted, std::memory_order_relaxed);
  }
  return seen != kNone;
}

bool start_background() {
  const uint64_t now = os::monotonic_ns();
  if (now < not_before_ns.load(std::memory_order_relaxed)) {
    return false;
  }
  uint32_t none = kNone;
  // relaxed: one thread goes on, and it shares nothing with the others.
  if (!state.compare_exchange_strong(none, kAtWork, std::memory_order_relaxed)) {
    return true;
  }
  if (os::start_hidden_thread(work, duties_read_files())) {
    return true;
  }
  // relaxed: there was no thread that another one could share anything with.
  state.store(kNone, std::memory_order_relaxed);
  not_before_ns.store(now + kRetryNs, std::memory_order_relaxed);
  return false;
}

void end_background() {
  os::BoundedWait wait(1000 * kMillisecondNs);
  while (os::has_hidden_thread() && wait.pause()) {
    uint32_t at_work = kAtWork;
    // relaxed: the thread ends whatever else it sees.
    if (state.compare_exchange_strong(at_work, kEnding, std::memory_order_relaxed)) {
      os::wake_all(state);
    }
  }
}

void run_background_now() {
  run_now.store(true, std::memory_order_relaxed);
  os::wake_all(state);
}

bool resume_background() {
  not_before_ns.store(0, std::memory_order_relaxed);
  return start_background();
}

void forget_background_after_fork() {
  os::forget_hidden_thread();
  // relaxed, both: the only thread there is.
  state.store(kNone, std::memory_order_relaxed);
  not_before_ns.store(0, std::memory_order_relaxed);
}

}  // namespace spillway::heap

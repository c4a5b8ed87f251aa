// SPDX-License-Identifier: MIT
#include "alloc/heap/limits.h"

#include <algorithm>
#include <atomic>

#include "alloc/base/attributes.h"
#include "alloc/config/options.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"

namespace spillway::heap {

constinit OwnedCell<bool> limits_are_set;

namespace {

// relaxed, both: set at the start or by an option's change, which orders nothing.
constinit std::atomic<uint64_t> soft_limit{UINT64_MAX};
constinit std::atomic<uint64_t> hard_limit{UINT64_MAX};
constinit std::atomic<LimitCallback> on_limit{nullptr};
// Above the soft limit since the last time that it was not, and since it was set: told once.
constinit std::atomic<bool> above{false};

// One thread at a time reads the control group's files; the room they are read into goes with it.
constinit std::atomic<bool> reading{false};
// The options have changed since they were read.
constinit std::atomic<bool> again{false};
SPILLWAY_OWN_PAGES constinit os::CgroupScratch scratch{};

uint64_t limit_of(config::Option option) {
  const int64_t value = options().value(option);
  if (value == config::kWordValue) {
    return UINT64_MAX;
  }
  if (!config::is_per_cent(value)) {
    return static_cast<uint64_t>(value);
  }
  const uint64_t memory =
      std::min(os::physical_memory(),
               os::cgroup_memory_limit("/proc/self/cgroup", "/sys/fs/cgroup", scratch));
  return memory / 100 * static_cast<uint64_t>(config::per_cent(value));
}

uint64_t or_none(const std::atomic<uint64_t>& limit) {
  // relaxed: a figure for statistics.
  const uint64_t bytes = limit.load(std::memory_order_relaxed);
  return bytes != UINT64_MAX ? bytes : 0;
}

// Purging costs time for each gigabyte: not at every request of a program that lives at its limit.
bool may_purge_again() {
  constexpr uint64_t kPauseNs = 20'000'000;
  static constinit std::atomic<uint64_t> purged_at_ns{0};
  const uint64_t now = os::monotonic_ns();
  uint64_t before = purged_at_ns.load(std::memory_order_relaxed);
  // relaxed: of the threads that ask at the same time one goes on.
  return now - before >= kPauseNs &&
         purged_at_ns.compare_exchange_strong(before, now, std::memory_order_relaxed);
}

// Where a signal handler interrupted this thread's bins, the next request tells. One that
// interrupted other code calls the callback, which may then allocate pooled sizes only.
void note_crossing(uint64_t held, uint64_t limit) {
  // relaxed: the thread that changes it tells.
  if (thread_state.busy.get() || above.exchange(true, std::memory_order_relaxed)) {
    return;
  }
  counters.limit_crossed.add();
  // acquire: pairs with the release in set_limit_callback().
  const LimitCallback callback = on_limit.load(std::memory_order_acquire);
  if (callback != nullptr) {
    const os::ErrnoKeeper keeper;
    callback(held, limit);
  }
}

}  // namespace

void configure_limits() {
  // seq_cst, with `reading`: a thread that finds it taken has set `again` before, and the one that
  // has it looks at `again` after.
  again.store(true, std::memory_order_seq_cst);
  while (again.load(std::memory_order_seq_cst) && !reading.exchange(true)) {
    again.store(false, std::memory_order_seq_cst);
    const uint64_t soft = limit_of(config::Option::limit);
    if (soft_limit.exchange(soft, std::memory_order_relaxed) != soft) {
      above.store(false, std::memory_order_relaxed);
    }
    hard_limit.store(limit_of(config::Option::hard_limit), std::memory_order_relaxed);
    limits_are_set.set(options().value(config::Option::limit) != config::kWordValue ||
                       options().value(config::Option::hard_limit) != config::kWordValue);
    reading.store(false, std::memory_order_seq_cst);
  }
}

bool limits_are_shares() {
  return config::is_per_cent(options().value(config::Option::limit)) ||
         config::is_per_cent(options().value(config::Option::hard_limit));
}

void refresh_limits() {
  if (limits_are_shares()) {
    configure_limits();
  }
}

void recover_limits_after_fork() {
  // relaxed: the only thread there is.
  reading.store(false, std::memory_order_relaxed);
}

uint64_t soft_limit_bytes() { return or_none(soft_limit); }

uint64_t hard_limit_bytes() { return or_none(hard_limit); }

void set_limit_callback(LimitCallback callback) {
  // release: pairs with the acquire in note_crossing().
  on_limit.store(callback, std::memory_order_release);
}

namespace {

// What was touched and not given back since.
uint64_t pooled_bytes() {
  const core::PageHeap& store = heap.engine.store();
  const auto left = [](uint64_t touched, uint64_t purged) {
    return touched - std::min(touched, purged);
  };
  return left(store.fresh_bytes(), scavenger.purged_bytes()) +
         left(store.wide().touched_bytes(), store.wide().purged_bytes()) + guarded.held_bytes();
}

}  // namespace

uint64_t held_bytes(uint64_t committed, uint64_t resident) {
  const uint64_t pooled = is_pooling() ? pooled_bytes() : 0;
  // mimalloc commits 32 MiB at a time, most of it never touched.
  return std::max(pooled, std::min(pooled + committed, resident));
}

uint64_t held_bytes() { return held_bytes(mimalloc::footprint().committed, os::resident_bytes()); }

SPILLWAY_COLD bool admit_slow(size_t size) {
  if (size >= kImpossibleSize) {
    return false;
  }
  const uint64_t soft = soft_limit.load(std::memory_order_relaxed);
  const uint64_t hard = hard_limit.load(std::memory_order_relaxed);
  uint64_t held = held_bytes();
  if (held + size <= std::min(soft, hard)) {
    // A little less: a program that stays at the limit does not cross it all the time.
    if (held + size <= soft - soft / 32) {
      above.store(false, std::memory_order_relaxed);
    }
    return true;
  }
  if (may_purge_again() || held + size > hard) {
    scavenger.purge_everything(heap.engine);
    mimalloc::collect_soon();
    held = held_bytes();
  }
  if (held + size > soft) {
    note_crossing(held, soft);
  }
  if (held + size > hard) {
    counters.hard_limit_refusals.add();
    return false;
  }
  return true;
}

}  // namespace spillway::heap

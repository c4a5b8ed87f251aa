// SPDX-License-Identifier: MIT
#include "alloc/core/scavenger.h"

#include <algorithm>

#include "alloc/os/os.h"

namespace spillway::core {
namespace {

// The shares of demand and peak, and of regret, that one interval takes away. A program that frees
// and takes its memory by turns does so for seconds (`ab` node).
constexpr uint64_t kFade = 4;
constexpr uint64_t kRegretFade = 16;

// The rest of a figure of the past after one interval.
constexpr uint64_t faded(uint64_t value, uint64_t share) {
  constexpr uint64_t kForgotten = 64 * kKiB;
  const uint64_t rest = value - value / share;
  return rest < kForgotten ? 0 : rest;
}

}  // namespace

uint32_t Scavenger::interval_ms() const {
  return static_cast<uint32_t>(std::max<int64_t>(purge_delay_ms_.get() / 2, 1));
}

uint32_t Scavenger::run(HeapEngine& engine) {
  if (!purges()) {
    return kNothingLeft;
  }
  const uint32_t next_ms = run_in_turn(engine);
  // For the threads that found the turn taken. One that comes between the turn's end and this look
  // waits for the next run.
  note_large_free(engine, 0);
  return next_ms;
}

uint32_t Scavenger::run_in_turn(HeapEngine& engine) {
  PurgeTurns::Turn turn(turns_);
  if (!turn.held()) {
    return interval_ms();
  }
  PageHeap& heap = engine.store();
  const uint64_t refused_before = refused_.get();
  const bool cached = engine.relax_caches() >= kMinCached;
  const PageHeap::FreeBytes free = heap.free_bytes();
  const uint64_t free_bytes = free.dirty() + free.clean;
  follow_regret(heap.fresh_bytes());
  follow_demand(engine.taken_bytes() + heap.large_taken_bytes(),
                heap.size_bytes() - std::min(heap.size_bytes(), free_bytes));
  const uint64_t kept = std::max(kept_always_.get(), std::min(demand_, max_kept()));
  const uint64_t whole = free.whole_pages();
  if (whole > kept) {
    purge(engine, turn, std::min(whole - kept, free.aged), false);
  }
  if (!turn.keep()) {
    return interval_ms();
  }
  heap.age_pages();
  bool refused = false;
  const uint64_t wide = heap.wide().purge_old(turns_.pausing(), refused);
  refused_.add(refused ? 1 : 0);
  // Parts of pages can't go.
  const uint64_t waiting = whole - std::min(whole, kept_always_.get());
  waiting_bytes_.set(waiting + wide);
  // A little that is there at each look, although the kernel takes it, is taken and freed all the
  // time, and waits for nothing.
  const bool accepted = refused_.get() == refused_before;
  looks_in_use_ = waiting <= kMinWaiting && accepted ? looks_in_use_ + 1 : 0;
  const bool done = waiting == 0 || looks_in_use_ >= kLooksInUse;
  return done && wide == 0 && !cached ? kNothingLeft : interval_ms();
}

void Scavenger::follow_demand(uint64_t taken, uint64_t in_use) {
  // Intervals without a run count, too.
  const uint64_t now = os::monotonic_ns();
  const uint64_t intervals = (now - followed_at_ns_) / (interval_ms() * uint64_t{1'000'000});
  followed_at_ns_ = now;
  for (uint64_t i = 0; i < std::max<uint64_t>(intervals, 1); ++i) {
    demand_ = faded(demand_, kFade);
    peak_ = faded(peak_, kFade);
    trimmed_ = faded(trimmed_, kFade);
    regret_ = faded(regret_, kRegretFade);
    if ((demand_ | peak_ | trimmed_ | regret_) == 0) {
      break;
    }
  }
  peak_ = std::max(peak_, in_use);
  // No more than is ever kept for it: what a busy load took would not be forgotten for long after.
  demand_ = std::max(demand_, std::min(taken - std::min(taken, taken_before_), max_kept()));
  taken_before_ = taken;
}

uint64_t Scavenger::purge(HeapEngine& engine, PurgeTurns::Turn& turn, uint64_t bytes,
                          bool recent_too) {
  uint64_t purged = 0;
  uint32_t cursor = 0;
  bool refused = false;
  while (purged < bytes && !refused && turn.keep()) {
    const uint64_t step = engine.store().purge(cursor, bytes - purged, recent_too, refused);
    purged += step;
    purged_bytes_.add(step);
    steps_.add(step != 0 ? 1 : 0);
    refused_.add(refused ? 1 : 0);
    if (step == 0) {
      break;
    }
  }
  return purged;
}

void Scavenger::purge_wide(PageHeap& heap) {
  bool refused = false;
  heap.wide().purge_all(turns_.pausing(), refused);
  refused_.add(refused ? 1 : 0);
}

bool Scavenger::balance_now(HeapEngine& engine) {
  PurgeTurns::Turn turn(turns_);
  if (!turn.held()) {
    return false;
  }
  const uint64_t extent = engine.store().extent_bytes();
  next_balance_.set(extent + std::max(extent / 8, kMinGrowth));
  purge_wide(engine.store());
  return true;
}

void Scavenger::trim(HeapEngine& engine) {
  PurgeTurns::Turn turn(turns_);
  if (!turn.held()) {
    return;
  }
  // relaxed: a count.
  large_freed_.store(0, std::memory_order_relaxed);
  PageHeap& heap = engine.store();
  const PageHeap::FreeBytes free = heap.free_bytes();
  const uint64_t in_use =
      heap.size_bytes() - std::min(heap.size_bytes(), free.dirty() + free.clean);
  follow_regret(heap.fresh_bytes());
  // Regret is no reason to keep more than the memory in use: the load that took it again may be
  // over (bench_memory, pin/5_rounds_mib: 1288 without this bound, 43 with it).
  const uint64_t kept = std::max(kept_always_.get(), std::max(kMinLargeFree, in_use / kLargeShare) +
                                                         std::min(regret_, in_use));
  if (free.dirty() > kept) {
    trimmed_ += purge(engine, turn, free.dirty() - kept, true);
  }
}

void Scavenger::follow_regret(uint64_t fresh) {
  // It falls when blocks that were taken for a cache go back unused.
  const uint64_t again = std::min(fresh - std::min(fresh, fresh_before_), trimmed_);
  fresh_before_ = fresh;
  trimmed_ -= again;
  regret_ += again;
}

uint64_t Scavenger::purge_everything(HeapEngine& engine) {
  PurgeTurns::Turn turn(turns_);
  turn.wait();
  if (!turn.held()) {
    return 0;
  }
  // Twice: a thread's cache is idle when nothing happened since the last call.
  engine.relax_caches();
  engine.relax_caches();
  engine.store().empty_spill_freelists();
  const uint64_t purged = purge(engine, turn, UINT64_MAX, true);
  if (!turn.keep()) {
    return purged;
  }
  WideSlots& wide = engine.store().wide();
  const uint64_t before = wide.purged_bytes();
  purge_wide(engine.store());
  return purged + wide.purged_bytes() - before;
}

bool Scavenger::flush_caches(HeapEngine& engine, HeapEngine::Flushed& flushed) {
  PurgeTurns::Turn turn(turns_);
  turn.wait();
  if (turn.held()) {
    flushed = engine.flush_caches();
  }
  return turn.held();
}

void Scavenger::collect(const HeapEngine& engine, stats::Snapshot& snapshot) const {
  snapshot.purged_bytes_total = purged_bytes_.get() + engine.store().wide().purged_bytes();
  snapshot.purges_total = steps_.get();
  snapshot.purges_refused_total = refused_.get();
}

}  // namespace spillway::core

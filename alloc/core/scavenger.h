// SPDX-License-Identifier: MIT
// Background maintenance of the heap: drains the caches of idle threads and returns unused memory
// to the kernel. heap/maintenance.h says which thread runs it.
//
// Free memory ages (chunk.h): a page that stays free from one run to the next was not needed,
// since takers prefer pages with neighbours in use. Recent demand and the recent peak decide how
// much of it stays; both fade within seconds, so that an idle process keeps nothing. Purging at
// once would make a server that works now and then fault its buffers in at each request.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/owned_cell.h"
#include "alloc/core/engine.h"
#include "alloc/core/page_heap.h"
#include "alloc/core/purge_turns.h"
#include "alloc/stats/statistics.h"

namespace spillway::core {

using HeapEngine = Engine<PageHeap>;

class Scavenger {
 public:
  // Memory is back at the latest this long after it was freed; runs come at half the delay.
  static constexpr int64_t kNever = -1;
  // Any thread, at any time; what is under way goes on with the delay it began with.
  void configure(int64_t purge_delay_ms) { purge_delay_ms_.set(purge_delay_ms); }
  bool purges() const { return purge_delay_ms_.get() != kNever; }
  PurgeTurns& turns() { return turns_; }

  // Does what is due. Returns when to come again, in milliseconds; kNothingLeft when there is
  // nothing more to do until threads work again. Costs some microseconds for each cache, a tenth of
  // one for each chunk, and the kernel's time for what goes back, a chunk at a time. One caller at
  // a time: others are sent away at once.
  static constexpr uint32_t kNothingLeft = 0;
  uint32_t run(HeapEngine& engine);
  // From one run to the next while there is something to do.
  uint32_t interval_ms() const;

  // For threads that took memory: when the heap has grown by an eighth since the last time, what
  // freed wide slots hold goes back, which no other block can use. Says whether it was.
  // Some nanoseconds otherwise.
  bool balance(HeapEngine& engine) {
    return purges() && engine.store().extent_bytes() > next_balance_.get() && balance_now(engine);
  }

  // For threads that freed a large block of so many bytes: when such blocks leave more memory free
  // than a share of what is in use, the rest goes back now, not in a second. Some nanoseconds
  // mostly, a look at all chunks at each kLargePerLook. While run() has the turn, it looks at its
  // end.
  void note_large_free(HeapEngine& engine, uint64_t bytes) {
    // relaxed: a count.
    if (purges() &&
        large_freed_.fetch_add(bytes, std::memory_order_relaxed) + bytes >= kLargePerLook) {
      trim(engine);
    }
  }

  // Gives back all that is free, whatever the demand; returns the bytes. Waits for a turn
  // (PurgeTurns::Turn::wait()). A fork that begins meanwhile ends it.
  uint64_t purge_everything(HeapEngine& engine);

  // Moves the blocks of all threads' caches to where other threads find them, as
  // Engine::flush_caches() says, at a turn as purge_everything() waits for. False without one.
  bool flush_caches(HeapEngine& engine, HeapEngine::Flushed& flushed);

  // Free memory that the last run found, beyond what is always kept.
  uint64_t waiting_bytes() const { return waiting_bytes_.get(); }
  // Since the start; without wide slots' memory.
  uint64_t purged_bytes() const { return purged_bytes_.get(); }
  // Kept free whatever the demand: what the program asked to have ready.
  void keep_at_least(uint64_t bytes) { kept_always_.set(bytes); }

  void collect(const HeapEngine& engine, stats::Snapshot& snapshot) const;

 private:
  // Kept while there is demand: some blocks for a server's next request, and of large heaps so
  // little that it does not matter beside what they were.
  static constexpr uint64_t kMinKept = 4 * kMiB;
  static constexpr uint64_t kPeakShare = 32;
  // Bytes that a heap grows by before it looks for memory elsewhere; an eighth of larger ones.
  static constexpr uint64_t kMinGrowth = 2 * kMiB;
  // What large blocks may leave free: blocks that are replaced find it again (bench_memory,
  // large/touched), and a load that is over does not stay for a second.
  static constexpr uint64_t kLargePerLook = 32 * kMiB;
  static constexpr uint64_t kMinLargeFree = 32 * kMiB;
  static constexpr uint64_t kLargeShare = 4;
  // Caches of fewer bytes are left to a thread that goes on using them, and so is free memory.
  static constexpr uint64_t kMinCached = 256 * kKiB;
  static constexpr uint64_t kMinWaiting = kMinCached;
  static constexpr uint32_t kLooksInUse = 16;  // in a row; demand fades in fewer

  uint64_t max_kept() const { return kMinKept + peak_ / kPeakShare; }
  uint32_t run_in_turn(HeapEngine& engine);
  bool balance_now(HeapEngine& engine);
  void trim(HeapEngine& engine);
  void purge_wide(PageHeap& heap);
  void follow_demand(uint64_t taken, uint64_t in_use);
  void follow_regret(uint64_t fresh);
  uint64_t purge(HeapEngine& engine, PurgeTurns::Turn& turn, uint64_t bytes, bool recent_too);

  PurgeTurns turns_;
  OwnedCell<int64_t> purge_delay_ms_{kNever};
  OwnedCell<uint64_t> waiting_bytes_;
  uint32_t looks_in_use_ = 0;
  std::atomic<uint64_t> large_freed_{0};  // since the last look; relaxed: a count
  OwnedCell<uint64_t> next_balance_;      // an extent of the heap; written with the turn held
  OwnedCell<uint64_t> kept_always_;
  uint64_t followed_at_ns_ = 0;
  uint64_t taken_before_ = 0;
  uint64_t demand_ = 0;        // bytes taken lately, fading
  uint64_t peak_ = 0;          // bytes in use lately, fading
  uint64_t trimmed_ = 0;       // by trim() and not taken again, fading
  uint64_t regret_ = 0;        // trimmed and taken again soon: trim() leaves as much more, fading
  uint64_t fresh_before_ = 0;  // PageHeap::fresh_bytes() at the last look
  OwnedCell<uint64_t> purged_bytes_;
  OwnedCell<uint64_t> steps_;
  OwnedCell<uint64_t> refused_;
};

}  // namespace spillway::core

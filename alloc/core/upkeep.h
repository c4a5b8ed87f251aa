// What an engine needs done now and then, by whoever has the time (heap/upkeep_thread.h): idle
// threads' caches are emptied, and memory that was free for a while goes back to the kernel.
//
// Free memory cools in the freelists (central.h): a block that stays free from one run to the next
// but one is one that nobody needed, since takers prefer what was freed last. Of that, as much is
// kept as recent demand and the recent peak justify; both are forgotten within seconds, so that an
// idle process ends up with nothing. Purging at once would make a server that works now and then
// fault its buffers in at each request.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/owned_cell.h"
#include "alloc/core/engine.h"
#include "alloc/stats/statistics.h"

namespace spillway::core {

class Upkeep {
 public:
  // Memory is back at the latest this long after it was freed; runs come at half the delay.
  static constexpr int64_t kNever = -1;
  void configure(int64_t purge_delay_ms) { purge_delay_ms_ = purge_delay_ms; }
  bool purges() const { return purge_delay_ms_ != kNever; }

  // Does what is due. Returns when to come again, in milliseconds; kNothingLeft when there is
  // nothing more to do until threads work again. Costs some microseconds for each cache and class,
  // and the kernel's time for what goes back, in steps of kMostStepBytes. One caller at a time:
  // others are sent away at once.
  static constexpr uint32_t kNothingLeft = 0;
  uint32_t run(Engine& engine);

  // For threads that just took blocks without memory: when the pool has grown by some megabytes
  // although it has much free memory of other classes, so that there is clearly more than it lately
  // used, some of that goes back now: a heap whose sizes change does not keep the most it ever had
  // of each. Some nanoseconds otherwise.
  void balance(Engine& engine) {
    if (engine.fresh_bytes().since_look() >= kFreshPerLook) {
      balance_now(engine);
    }
  }

  // Gives back all that is free, whatever the demand; returns the bytes. Waits for a run a second
  // at most (it may be this thread's own, interrupted by a signal), and for a fork 20 ms (its
  // handlers may wait for a lock that the caller holds). A fork that begins meanwhile ends it.
  uint64_t purge_everything(Engine& engine);

  // For fork(): no thread is in a run from the one to the other. Waits for the run's current step,
  // 100 ms at most; what it had in hand is recovered in the child then (Engine::
  // recover_after_fork()). `who` tells the forking threads apart.
  void pause(const void* who);
  void resume(const void* who);
  // In the child, whatever became of the threads that were in a run.
  void resume_after_fork();

  // For a thread that finds nothing free: a run may have had it in hand. False: none was under way
  // from when runs_begun() gave `before` until now.
  uint64_t runs_begun() const { return runs_begun_.get(); }
  bool ran_since(uint64_t before) const {
    // acquire: pairs with the fence in enter(), by way of the freelist word that a run emptied.
    std::atomic_thread_fence(std::memory_order_acquire);
    return running_.load(std::memory_order_relaxed) || runs_begun_.get() != before;
  }

  // Whether the calling thread is in a run: a signal handler interrupted it.
  bool runs_here() const;
  // Free memory that the last run found and left, beyond what is always kept.
  uint64_t waiting_bytes() const { return waiting_bytes_.get(); }

  // Of pooled blocks, since the start.
  uint64_t purged_pool_bytes() const { return purged_bytes_.get(); }
  // Kept free whatever the demand: what the program asked to have ready.
  void keep_at_least(uint64_t bytes) { kept_always_ = bytes; }

  void collect(const Engine& engine, stats::Snapshot& snapshot) const;

 private:
  static constexpr uint64_t kMostStepBytes = 16 * kMiB;
  // Kept while there is demand: some blocks for a server's next request, and of large heaps so
  // little that it does not matter beside what they were.
  static constexpr uint64_t kLeastKept = 4 * kMiB;
  static constexpr uint64_t kPeakShare = 32;
  // Caches of fewer bytes are left to a thread that goes on using them.
  static constexpr uint64_t kLeastCached = 256 * kKiB;
  static constexpr uint64_t kFreshPerLook = 4 * kMiB;
  // A thread that wants a block waits for it; what is left after a large heap's end is for run().
  static constexpr uint64_t kMostPerLook = 64 * kMiB;
  // What may be free while the pool grows: so much, or a share of what was in use lately, and if
  // that was more than is used now, the rest of it, too. A heap that grows again will want what it
  // had. Of much in use half the share beside that rest: bench_memory's live/peak_ratio is 1.093 so
  // and 1.104 with all of it.
  static constexpr uint64_t kMostFree = 32 * kMiB;
  static constexpr uint64_t kFreeShare = 32;
  static constexpr uint64_t kLargePeak = 256 * kMiB;

  // The one run at a time, for a scope. Between two steps it may be given up for a fork.
  class Turn {
   public:
    explicit Turn(Upkeep& upkeep) : upkeep_(upkeep), held_(upkeep.enter()) {}
    ~Turn() {
      if (held_) {
        upkeep_.leave();
      }
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool held() const { return held_; }
    // Asks again, for as long as purge_everything() waits.
    void wait();
    // False: a fork has it from here on, and the run ends.
    bool keep();

   private:
    Upkeep& upkeep_;
    bool held_;
  };

  void balance_now(Engine& engine);
  bool enter();
  void leave();
  uint32_t interval_ms() const;
  void follow_demand(uint64_t taken, uint64_t in_use);
  // What may be free while the pool grows, by what is in use.
  uint64_t most_free(uint64_t in_use) const;
  // Purges up to `bytes` of what is cool, from all classes in proportion.
  uint64_t purge_cool(Engine& engine, Turn& turn, uint64_t bytes, uint64_t cool_bytes);
  uint64_t purge_class(Engine& engine, Turn& turn, ClassIndex index, uint64_t bytes);

  int64_t purge_delay_ms_ = kNever;
  std::atomic<bool> running_{false};
  std::atomic<bool> pausing_{false};
  OwnedCell<const void*> paused_by_;  // holds running_, and is the only one to write this
  OwnedCell<uint64_t> runs_begun_;    // likewise
  OwnedCell<uintptr_t> runner_;       // likewise; 0: no thread
  OwnedCell<uint64_t> waiting_bytes_;
  uint64_t kept_always_ = 0;
  uint64_t followed_at_ns_ = 0;
  uint64_t taken_before_ = 0;
  uint64_t demand_ = 0;  // bytes taken lately, fading
  uint64_t peak_ = 0;    // bytes in use lately, fading
  uint32_t cursors_[kMaxClasses] = {};
  OwnedCell<uint64_t> purged_bytes_;
  OwnedCell<uint64_t> steps_;
  OwnedCell<uint64_t> refused_;
};

}  // namespace spillway::core

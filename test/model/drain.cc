// SPDX-License-Identifier: MIT
// A thread's cache is drained while the thread rests: never used by both, never lost.
#include <boost/test/unit_test.hpp>

#include "test/model/engine_case.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;
using testing::EngineCase;
using testing::kOnly;

constexpr unsigned kOwner = 0;
constexpr unsigned kDrainer = 1;

// The owner's cache holds a block, and was looked at once: it is drained at the next look.
struct DrainCase : EngineCase<SlotStore> {
  DrainCase() {
    cache = attach(kOwner);
    free(kOwner, allocate(kOwner));
    engine.allow_draining(thread_states[kOwner]);
    engine.relax_caches();
    model::hand_over(&cache->of(kOnly), sizeof(Bin), model::Handed::kWrites);
    model::hand_over(&thread_states[kOwner].bins, sizeof(void*), model::Handed::kWrites);
  }
  void finish() {
    engine.detach(thread_states[kOwner]);
    require(told == 0, "no block was freed twice");
    require(take_all(kDrainer) == kSlots, "a block is lost");
  }
  ThreadCache* cache;
};

// The owner comes back at any moment.
struct Returns : DrainCase {
  void thread(unsigned number) {
    if (number == kOwner) {
      void* const block = allocate(kOwner);
      require(block != nullptr, "there are blocks");
      free(kOwner, block);
    } else {
      engine.relax_caches();
    }
  }
  void finish() {
    require(&thread_states[kOwner].table() == cache, "the owner has its cache again");
    DrainCase::finish();
  }
};

// Two looks, of which the second sees what the owner did meanwhile.
struct Twice : DrainCase {
  void thread(unsigned number) {
    if (number == kOwner) {
      void* const first = allocate(kOwner);
      void* const second = allocate(kOwner);
      free(kOwner, first);
      free(kOwner, second);
    } else {
      engine.relax_caches();
      engine.relax_caches();
    }
  }
  void finish() {
    require(&thread_states[kOwner].table() == cache, "the owner has its cache again");
    DrainCase::finish();
  }
};

// The owner ends; a newcomer may get its cache.
template <bool kNewcomer>
struct Ends : DrainCase {
  void thread(unsigned number) {
    if (number == kOwner) {
      free(kOwner, allocate(kOwner));
      engine.detach(thread_states[kOwner]);
    } else if (number == kDrainer) {
      engine.relax_caches();
    } else {
      attach(2);
      free(2, allocate(2));
      engine.detach(thread_states[2]);
    }
  }
  void finish() {
    require(&thread_states[kOwner].table() == &kCacheGone, "the owner has no cache");
    stats::Snapshot snapshot;
    engine.collect(snapshot);
    require(snapshot.thread_caches == 0 && snapshot.cache_capacity_bytes == 0,
            "the cache was given back");
    require(told == 0, "no block was freed twice");
    require(take_all(kOwner) == kSlots, "a block is lost");
    attach(1);  // another thread gets it
  }
};

// Threads come and go while another looks at all caches, also at one that is used again.
struct Newcomers : EngineCase<SlotStore> {
  void thread(unsigned number) {
    if (number == kDrainer) {
      engine.relax_caches();
    } else {
      for (const unsigned newcomer : {0U, 2U}) {
        attach(newcomer);
        free(newcomer, allocate(newcomer));
        engine.detach(thread_states[newcomer]);
      }
    }
  }
  void finish() { require(take_all(kDrainer) == kSlots, "a block is lost"); }
};

// The thread that is given leave to drain comes at once.
struct Allows : EngineCase<SlotStore> {
  Allows() {
    cache = attach(kOwner);
    free(kOwner, allocate(kOwner));
  }
  void thread(unsigned number) {
    if (number == kOwner) {
      engine.allow_draining(thread_states[kOwner]);
      void* const block = allocate(kOwner);
      require(block != nullptr, "there are blocks");
      free(kOwner, block);
    } else {
      for (int look = 0; look < 3; ++look) {
        model::pass_time(1'000'000'000);
        engine.relax_caches();
      }
    }
  }
  void finish() {
    require(&thread_states[kOwner].table() == cache, "the owner has its cache");
    engine.detach(thread_states[kOwner]);
    require(take_all(kDrainer) == kSlots, "a block is lost");
  }
  ThreadCache* cache;
};

// The owner says that it is metered, and later no longer, beside a drainer and one that meters all
// for a moment.
struct Meters : DrainCase {
  void thread(unsigned number) {
    if (number == kOwner) {
      require(engine.meter(thread_states[kOwner], Metering::kForTenant, true), "it has a cache");
      free(kOwner, allocate(kOwner));
      const BinTable* const seen = &thread_states[kOwner].table();
      require(seen == &kCacheMetered || seen == &kCacheDraining, "no call takes the fast path");
    } else {
      engine.relax_caches();
      engine.meter_all(Metering::kForSamples, true);
      engine.meter_all(Metering::kForSamples, false);
      engine.relax_caches();
    }
  }
  void finish() {
    require(&thread_states[kOwner].table() == &kCacheMetered, "the owner is metered");
    require(engine.meter(thread_states[kOwner], Metering::kForTenant, false), "it has a cache");
    require(&thread_states[kOwner].table() == cache, "the owner is not metered");
    DrainCase::finish();
  }
};

// Another thread has all metered, while the owner works or ends.
template <bool kEnds>
struct AllMetered : DrainCase {
  void thread(unsigned number) {
    if (number != kOwner) {
      return engine.meter_all_now(Metering::kForSamples);
    }
    free(kOwner, allocate(kOwner));
    if (kEnds) {
      engine.detach(thread_states[kOwner]);
    }
  }
  void finish() {
    require(&thread_states[kOwner].table() == (kEnds ? &kCacheGone : &kCacheMetered),
            "the owner's next call sees it");
    DrainCase::finish();
  }
};

// The owner forks while its cache is being drained: the child has it again.
struct Forks : DrainCase {
  void thread(unsigned number) {
    if (number == kOwner) {
      void* const block = allocate(kOwner);
      model::lose_other_threads();
      engine.recover_after_fork(thread_states[kOwner], false);
      require(&thread_states[kOwner].table() == cache, "the child has its thread's cache");
      require(cache->drain_state.load(std::memory_order_relaxed) == ThreadCache::DrainState::kOwned,
              "the child's cache can be drained");
      free(kOwner, block);
      const uint32_t there = take_all(kOwner);
      // What the drainer was moving is lost to the child: a bin at most.
      require(there + kCapacity >= kSlots, "more is lost than was under way");
    } else {
      engine.relax_caches();
    }
  }
  void finish() {}
};

BOOST_AUTO_TEST_SUITE(drain)

BOOST_AUTO_TEST_CASE(the_owner_returns) {
  explore<Returns>("returns", {.threads = 2, .preemptions = 3, .older_loads = 2});
  explore<Twice>("returns twice", {.threads = 2, .preemptions = 3, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(the_owner_ends) {
  explore<Ends<false>>("ends", {.threads = 2, .preemptions = 3, .older_loads = 1});
  explore<Ends<true>>("ends, and a newcomer", {.threads = 3, .preemptions = 1, .older_loads = 1});
}
BOOST_AUTO_TEST_CASE(threads_come_and_go) {
  explore<Newcomers>("newcomers", {.threads = 2, .preemptions = 1, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(leave_is_given) {
  explore<Allows>("allows", {.threads = 2, .preemptions = 2, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(the_owner_is_metered) {
  explore<Meters>("meters", {.threads = 2, .preemptions = 2, .older_loads = 2});
  explore<AllMetered<false>>("all metered", {.threads = 2, .preemptions = 3, .older_loads = 2});
  explore<AllMetered<true>>("all metered, and an end",
                            {.threads = 2, .preemptions = 3, .older_loads = 2});
}
BOOST_AUTO_TEST_CASE(the_owner_forks) {
  explore<Forks>("forks", {.threads = 2, .preemptions = 2, .older_loads = 0, .plain_stores = true});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

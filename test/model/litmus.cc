// SPDX-License-Identifier: MIT
// The model itself: the small programs by which memory models are told apart. What may happen is
// found, what may not is never seen.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <set>
#include <utility>

#include "alloc/os/os.h"
#include "test/model/explore.h"

namespace spillway::model {
namespace {

using std::memory_order;
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;
constexpr auto kSequential = std::memory_order_seq_cst;

// Two results, and all pairs of them that executions ended with.
std::set<std::pair<int, int>> outcomes;  // NOLINT

struct TwoWords {
  void finish() const { outcomes.insert({first, second}); }

  std::atomic<int> x{0};
  std::atomic<int> y{0};
  int first = 0;
  int second = 0;
};

template <typename World>
bool sees(int first, int second, Bounds bounds = {.threads = 2, .older_loads = 2}) {
  outcomes.clear();
  BOOST_TEST(explore<World>("litmus", bounds));
  return outcomes.contains({first, second});
}

// Each stores, then looks whether the other did.
template <memory_order kStore, memory_order kLoad, bool kFence>
struct StoreBuffers : TwoWords {
  void thread(unsigned number) {
    (number == 0 ? x : y).store(1, kStore);
    if (kFence) {
      std::atomic_thread_fence(kSequential);
    }
    (number == 0 ? first : second) = (number == 0 ? y : x).load(kLoad);
  }
};

// A value, then the news of it.
template <memory_order kStore, memory_order kLoad>
struct Message : TwoWords {
  void thread(unsigned number) {
    if (number == 0) {
      x.store(1, kRelaxed);
      y.store(1, kStore);
    } else {
      first = y.load(kLoad);
      second = x.load(kRelaxed);
    }
  }
};

// The one side's fence is the other side's doing.
template <bool kBarrier>
struct OneSided : TwoWords {
  void thread(unsigned number) {
    if (number == 0) {
      x.store(1, kRelaxed);
      first = y.load(kRelaxed);
    } else {
      y.store(1, kRelaxed);
      if (kBarrier) {
        os::barrier_in_all_threads();
      }
      second = x.load(kRelaxed);
    }
  }
};

// Two threads look at two stores in different orders.
template <memory_order kStore, memory_order kLoad>
struct FourThreads : TwoWords {
  void thread(unsigned number) {
    if (number < 2) {
      (number == 0 ? x : y).store(1, kStore);
    } else {
      const int before = (number == 2 ? x : y).load(kLoad);
      const int after = (number == 2 ? y : x).load(kLoad);
      (number == 2 ? first : second) = before * 2 + after;
    }
  }
};

template <memory_order kStore, memory_order kLoad>
struct PlainMessage : TwoWords {
  void thread(unsigned number) {
    if (number == 0) {
      first = 1;
      x.store(1, kStore);
    } else if (x.load(kLoad) == 1) {
      second = first;
    }
  }
};

// The second of two exchanges hands the first one's plain store on.
struct Chain : TwoWords {
  void thread(unsigned number) {
    if (number == 0) {
      first = 1;
      x.fetch_add(1, kRelease);
    } else if (number == 1) {
      x.fetch_add(1, kRelaxed);
    } else if (x.load(kAcquire) == 2) {
      second = first;
    }
  }
};

struct Counter : TwoWords {
  void thread(unsigned /*number*/) { x.store(x.load(kRelaxed) + 1, kRelaxed); }
  void finish() {
    first = x.load(kRelaxed);
    TwoWords::finish();
  }
};

struct Waits : TwoWords {
  void thread(unsigned number) {
    if (number == 0) {
      while (x.load(kAcquire) == 0) {
        os::yield();
      }
      first = 1;
    } else {
      x.store(1, kRelease);
    }
  }
};

BOOST_AUTO_TEST_SUITE(litmus)

BOOST_AUTO_TEST_CASE(stores_wait_in_buffers) {
  BOOST_TEST((sees<StoreBuffers<kRelaxed, kRelaxed, false>>(0, 0)));
  BOOST_TEST((sees<StoreBuffers<kRelease, kAcquire, false>>(0, 0)));
  BOOST_TEST((sees<StoreBuffers<kRelease, kSequential, false>>(0, 0)));
  BOOST_TEST((!sees<StoreBuffers<kSequential, kSequential, false>>(0, 0)));
  BOOST_TEST((!sees<StoreBuffers<kRelaxed, kRelaxed, true>>(0, 0)));
}

BOOST_AUTO_TEST_CASE(messages_need_release_and_acquire) {
  BOOST_TEST((sees<Message<kRelaxed, kAcquire>>(1, 0)));
  BOOST_TEST((sees<Message<kRelease, kRelaxed>>(1, 0)));
  BOOST_TEST((!sees<Message<kRelease, kAcquire>>(1, 0)));
  BOOST_TEST((sees<Message<kRelease, kAcquire>>(0, 1)));
}

BOOST_AUTO_TEST_CASE(a_barrier_in_all_threads_is_a_fence_in_each) {
  BOOST_TEST((sees<OneSided<false>>(0, 0)));
  BOOST_TEST((!sees<OneSided<true>>(0, 0)));
}

BOOST_AUTO_TEST_CASE(only_sequential_stores_have_one_order) {
  const Bounds four{.threads = 4, .preemptions = 2, .older_loads = 2};
  BOOST_TEST((!sees<FourThreads<kSequential, kSequential>>(2, 2, four)));
  BOOST_TEST((sees<FourThreads<kRelease, kAcquire>>(2, 2, four)));
}

BOOST_AUTO_TEST_CASE(exchanges_hand_on_what_came_before) {
  BOOST_TEST((sees<Chain>(1, 1, {.threads = 3, .older_loads = 2})));
}

BOOST_AUTO_TEST_CASE(a_preemption_loses_a_count) {
  BOOST_TEST(sees<Counter>(1, 0));
  BOOST_TEST(sees<Counter>(2, 0));
}

BOOST_AUTO_TEST_CASE(a_thread_that_waits_lets_others_run) { BOOST_TEST(!sees<Waits>(0, 0)); }

BOOST_AUTO_TEST_CASE(a_plain_message_without_order_is_a_race) {
  BOOST_TEST((!failure_of<PlainMessage<kRelaxed, kAcquire>>().empty()));
  BOOST_TEST((!failure_of<PlainMessage<kRelease, kRelaxed>>().empty()));
  BOOST_TEST((explore<PlainMessage<kRelease, kAcquire>>("plain message")));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::model

// SPDX-License-Identifier: MIT
// Threads allocate, stamp, exchange and free blocks of all classes; a block that two of them hold
// at the same time shows in its stamp, a lost one in the statistics.
#include <array>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "test/core/fixture.h"
#include "test/random.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr uint32_t kThreads = 4;
constexpr uint32_t kRounds = 20000;
constexpr size_t kMailboxes = 64;

template <typename Store>
struct Stress : EngineFixture<Store> {
  static uintptr_t* stamp_of(void* block) { return static_cast<uintptr_t*>(block); }
  void work(uint32_t number) {
    ThreadState thread_state = new_state();
    this->engine.attach(thread_state);
    spillway::testing::Random random(number * 77 + 1);
    std::vector<void*> held;
    for (uint32_t round = 0; round < kRounds; ++round) {
      const uint32_t dice = random();
      if (held.size() < 20 && dice % 3 != 0) {
        void* const block = this->allocate(
            thread_state, ClassIndex{static_cast<uint8_t>(dice % kBlockSizes.size() + 1)});
        if (block == nullptr) {
          continue;
        }
        *stamp_of(block) = reinterpret_cast<uintptr_t>(block);
        held.push_back(block);
      } else if (!held.empty()) {
        void* const block = held.back();
        held.pop_back();
        errors += *stamp_of(block) == reinterpret_cast<uintptr_t>(block) ? 0 : 1;
        // Every other block is freed by the thread that finds it in the mailbox.
        void* other = block;
        if (dice % 2 == 0) {
          other = mailboxes[dice % kMailboxes].exchange(block, std::memory_order_acq_rel);
        }
        if (other != nullptr) {
          *stamp_of(other) = 0;
          this->free(thread_state, other);
        }
      }
      if (dice % 5000 == 0) {
        this->engine.detach(thread_state);
        thread_state.bins.set(const_cast<BinTable*>(&kNoCacheYet));
        this->engine.attach(thread_state);
      }
    }
    for (void* const block : held) {
      this->free(thread_state, block);
    }
    this->engine.detach(thread_state);
  }

  std::array<std::atomic<void*>, kMailboxes> mailboxes;
  std::atomic<int> errors{0};
};

BOOST_AUTO_TEST_SUITE(engine_stress)

BOOST_AUTO_TEST_CASE_TEMPLATE(blocks_change_hands, Store, Stores) {
  Stress<Store> f;
  os::fake::stop_clock();  // fast, also where the test is slow
  for (auto& mailbox : f.mailboxes) {
    mailbox = nullptr;
  }
  std::vector<std::thread> threads;
  for (uint32_t number = 0; number < kThreads; ++number) {
    threads.emplace_back([&f, number] { f.work(number); });
  }
  for (int i = 0; i < 200; ++i) {
    const stats::Snapshot now = f.snapshot();  // at any moment, without a lock
    f.errors += now.pool_live_bytes <= now.pool_reserved_bytes ? 0 : 1;
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  ThreadState thread_state = new_state();
  for (auto& mailbox : f.mailboxes) {
    if (mailbox.load() != nullptr) {
      f.free(thread_state, mailbox.load());
    }
  }
  BOOST_TEST(f.errors == 0);
  BOOST_TEST(f.double_frees == 0);
  const stats::Snapshot now = f.snapshot();
  BOOST_TEST(now.pool_live_bytes == 0U);
  BOOST_TEST(now.pool_cached_bytes == 0U);
  BOOST_TEST(f.everything_is_free());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

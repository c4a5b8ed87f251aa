// SPDX-License-Identifier: MIT
// Threads come, work and go while the main thread drains their caches, ages pages and purges.
// Blocks are marked as taken in a table of their own and hold a pattern; clean ones must read as
// zero. It goes on until enough has happened, however long that takes.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>
#include <vector>

#include "test/core/fixture.h"
#include "test/random.h"
#include "test/wait.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr uint32_t kThreads = 4;
constexpr uint32_t kLives = 32;     // of all threads together
constexpr uint32_t kPasses = 4096;  // of the main thread: fast and not, sixteen times each

template <typename Store>
struct RelaxStress : EngineFixture<Store> {
  struct Held {
    void* block;
    uint64_t stamp;
  };

  static size_t words(ClassIndex index) { return kBlockSizes[raw(index) - 1U] / sizeof(uint64_t); }
  // A few words of each page, and the last.
  template <typename Action>
  static void for_each_sample(void* block, ClassIndex index, Action action) {
    auto* memory = static_cast<uint64_t*>(block);
    for (size_t at = 0; at < words(index); at += kGranuleSize / sizeof(uint64_t)) {
      action(memory[at], at);
      action(memory[at + 100], at + 100);
    }
    action(memory[words(index) - 1], words(index) - 1);
  }

  std::atomic<bool>& owned(const void* block) { return owners[this->offset(block) / kGranuleSize]; }

  bool allocate_one(ThreadState& thread_state, ClassIndex index, uint64_t stamp,
                    std::vector<Held>& held) {
    void* block = this->take(thread_state, index);
    if (block == nullptr) {
      return false;
    }
    // relaxed here and below: the engine orders these accesses; that is what is tested.
    taken_twice += owned(block).exchange(true, std::memory_order_relaxed) ? 1 : 0;
    const bool clean = this->state_of(block).load() == SlotState::kClean;
    this->mark_live(block);
    for_each_sample(block, this->class_of(block), [&](uint64_t& word, size_t at) {
      not_zero += clean && word != 0 ? 1 : 0;
      word = stamp + at;
    });
    held.push_back({block, stamp});
    return true;
  }

  void free_one(ThreadState& thread_state, const Held& one) {
    for_each_sample(one.block, this->class_of(one.block), [&](const uint64_t& word, size_t at) {
      overwritten += word != one.stamp + at ? 1 : 0;
    });
    owned(one.block).store(false, std::memory_order_relaxed);
    this->free(thread_state, one.block);
  }

  // Gives some of the memory of what is free to the kernel.
  uint64_t purge_some() {
    uint64_t purged = 0;
    if constexpr (kIsPageHeap<Store>) {
      this->engine.store().age_pages();
      purged = this->engine.store().purge(cursors[0], kMiB, false, refused);
    } else {
      for (uint8_t i = 1; i <= kBlockSizes.size(); ++i) {
        purged += this->engine.store().purge(ClassIndex{i}, cursors[i], 256 * kKiB, refused);
      }
    }
    return purged;
  }

  // The life of one thread: some thousand calls, bursts and pauses.
  void live(uint32_t seed) {
    ThreadState thread_state = new_state();
    this->engine.attach(thread_state);
    this->engine.allow_draining(thread_state);
    spillway::testing::Random random(seed);
    uint64_t stamp = uint64_t{seed} << 32;
    std::vector<Held> held;
    const uint32_t rounds = 500 + seed % 3000;
    for (uint32_t round = 0; round < rounds; ++round) {
      const uint32_t dice = random();
      const ClassIndex index{static_cast<uint8_t>(dice % 16 == 0 ? 4 : dice % 3 + 1)};
      if (held.size() < 24 && dice % 5 != 0) {
        stamp += 1 << 20;
        allocate_one(thread_state, index, stamp, held);
      } else if (!held.empty()) {
        const size_t at = dice % held.size();
        free_one(thread_state, held[at]);
        held[at] = held.back();
        held.pop_back();
      }
      if (dice % 300 == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(300));
      }
    }
    for (const Held& one : held) {
      free_one(thread_state, one);
    }
    this->engine.detach(thread_state);
    ++lives;
  }

  std::vector<std::atomic<bool>> owners =
      std::vector<std::atomic<bool>>(this->engine.arena().bytes() / kGranuleSize);
  std::atomic<int> taken_twice{0};
  std::atomic<int> overwritten{0};
  std::atomic<int> not_zero{0};
  std::atomic<uint32_t> lives{0};
  std::atomic<bool> enough{false};
  uint32_t cursors[kMaxClasses] = {};
  bool refused = false;
};

BOOST_AUTO_TEST_SUITE(engine_relax_stress)

BOOST_AUTO_TEST_CASE_TEMPLATE(caches_are_drained_and_memory_purged_under_threads_that_work, Store,
                              Stores) {
  RelaxStress<Store> f;
  std::vector<std::thread> spawners;
  for (uint32_t number = 0; number < kThreads; ++number) {
    spawners.emplace_back([&f, number] {
      for (uint32_t seed = number + 1; !f.enough; seed += kThreads) {
        std::thread([&f, seed] { f.live(seed * 2654435761U); }).join();
      }
    });
  }
  uint64_t purged = 0;
  uint32_t pass = 0;
  const spillway::testing::HangGuard guard;
  for (; (pass < kPasses || f.lives < kLives || purged == 0) && !guard.expired(); ++pass) {
    f.engine.relax_caches();
    purged += f.purge_some();
    // Caches grow while threads are fast, and shrink when these tests take their time.
    if (pass % 256 == 0) {
      os::fake::stop_clock();
    } else if (pass % 256 == 192) {
      os::fake::reset();
    }
    if (pass % 16 == 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  f.enough = true;
  for (std::thread& spawner : spawners) {
    spawner.join();
  }
  BOOST_TEST(f.taken_twice == 0);
  BOOST_TEST(f.overwritten == 0);
  BOOST_TEST(f.not_zero == 0);
  BOOST_TEST(f.double_frees == 0);
  BOOST_TEST(!f.refused);
  BOOST_TEST(purged > 0U);
  BOOST_TEST(pass >= kPasses);
  BOOST_TEST(f.lives >= kLives);
  const stats::Snapshot now = f.snapshot();
  BOOST_TEST(now.thread_caches == 0U);
  BOOST_TEST(now.pool_live_bytes == 0U);
  BOOST_TEST(now.pool_cached_bytes == 0U);
  BOOST_TEST(now.cache_capacity_bytes == 0U);
  // All of it can still be had, each block once. Blocks in spill freelists would stand in the way
  // of those of other lengths.
  ThreadState thread_state = new_state();
  for (const ClassIndex index : {kSmall, kTwelve, kColoured}) {
    BOOST_TEST(f.everything_is_free());
    std::vector<typename RelaxStress<Store>::Held> held;
    while (f.allocate_one(thread_state, index, held.size(), held)) {
    }
    BOOST_TEST(held.size() == f.room_for(index));
    for (const auto& one : held) {
      f.free_one(thread_state, one);
    }
  }
  BOOST_TEST(f.taken_twice == 0);
  BOOST_TEST(f.overwritten == 0);
  BOOST_TEST(f.not_zero == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

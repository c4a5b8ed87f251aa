// SPDX-License-Identifier: MIT
// Threads move slots in and out of one freelist; each slot has one owner at a time and none is
// lost.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "alloc/core/freelist.h"
#include "test/random.h"

namespace spillway::core {
namespace {

void churn(uint32_t slots, uint32_t threads, uint32_t max_batch, uint32_t rounds) {
  std::vector<uint64_t> memory(Freelist::bytes_needed(slots) / sizeof(uint64_t));
  Freelist list;
  list.attach(memory.data(), slots);
  std::vector<std::atomic<bool>> owned(slots);
  std::atomic<uint32_t> errors{0};
  for (uint32_t slot = 0; slot < slots; ++slot) {
    uint32_t hint = 0;
    const SlotIndex index{slot};
    static_cast<void>(list.put(hint, &index, 1));
  }
  std::vector<std::thread> workers;
  for (uint32_t number = 0; number < threads; ++number) {
    workers.emplace_back([&, number] {
      uint32_t hint = number % list.words();
      spillway::testing::Random random(number + 1);
      std::vector<SlotIndex> held;
      std::vector<SlotIndex> batch(max_batch);
      for (uint32_t round = 0; round < rounds; ++round) {
        const uint32_t dice = random();
        const uint32_t wanted = dice / 2 % max_batch + 1;
        const uint32_t count = list.take(hint, batch.data(), wanted);
        for (uint32_t i = 0; i < count; ++i) {
          // relaxed: the freelist orders these accesses; that is what is tested.
          errors += owned[raw(batch[i])].exchange(true, std::memory_order_relaxed) ? 1U : 0U;
          held.push_back(batch[i]);
        }
        if (count == 0 || dice % 2 != 0) {
          for (const SlotIndex slot : held) {
            owned[raw(slot)].store(false, std::memory_order_relaxed);
          }
          for (size_t i = 0; i < held.size(); i += max_batch) {
            const auto left = static_cast<uint32_t>(held.size() - i);
            errors +=
                list.put(hint, held.data() + i, std::min(left, max_batch)) != Freelist::kNoSlot
                    ? 1U
                    : 0U;
          }
          held.clear();
        }
      }
      for (const SlotIndex slot : held) {
        owned[raw(slot)].store(false, std::memory_order_relaxed);
        errors += list.put(hint, &slot, 1) != Freelist::kNoSlot ? 1U : 0U;
      }
    });
  }
  for (std::thread& worker : workers) {
    worker.join();
  }
  BOOST_TEST(errors == 0U);
  BOOST_TEST(list.count(slots) == slots);
  // The summary has kept up: everything can be found again.
  uint32_t hint = 0;
  std::vector<SlotIndex> out(64);
  uint32_t found = 0;
  for (uint32_t count; (count = list.take(hint, out.data(), 64)) != 0;) {
    found += count;
  }
  BOOST_TEST(found == slots);
}

BOOST_AUTO_TEST_SUITE(freelist_stress)

BOOST_AUTO_TEST_CASE(few_slots_many_threads) { churn(3, 4, 2, 20000); }
BOOST_AUTO_TEST_CASE(one_word) { churn(64, 4, 8, 20000); }
BOOST_AUTO_TEST_CASE(two_levels_sparse) { churn(1000, 4, 32, 10000); }
BOOST_AUTO_TEST_CASE(three_levels_drained) { churn(5000, 4, 256, 3000); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

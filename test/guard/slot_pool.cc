// SPDX-License-Identifier: MIT
#include "alloc/guard/slot_pool.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>
#include <vector>

#include "test/forked_child.h"
#include "test/guard/fixture.h"

namespace spillway::guard {
namespace {

using testing::kAllParts;
using testing::kRegion;
namespace faulty = os::faulty;

struct PoolFixture {
  explicit PoolFixture(const Parts& parts = {}) {
    faulty::reset();
    random.start();
    BOOST_REQUIRE(pool.start(kRegion, parts, random, gate));
    small = pool.classes().fitting(100, false);
    paged = pool.classes().fitting(5000, true);
  }
  ~PoolFixture() {
    pool.stop();
    BOOST_TEST(faulty::reserved_bytes() == 0U);
    faulty::reset();
  }
  PoolFixture(const PoolFixture&) = delete;
  PoolFixture& operator=(const PoolFixture&) = delete;

  std::vector<uint32_t> take(uint32_t class_index, size_t count) {
    std::vector<uint32_t> numbers(count);
    for (uint32_t& number : numbers) {
      SlotName slot{};
      BOOST_REQUIRE(pool.take(class_index, slot));
      BOOST_TEST(slot.class_index == class_index);
      number = slot.number;
    }
    return numbers;
  }

  Random random;
  core::HeapArena gate;
  SlotPool pool;
  uint32_t small = 0;
  uint32_t paged = 0;
};

struct ShuffledFixture : PoolFixture {
  ShuffledFixture() : PoolFixture(kAllParts) {}
};

BOOST_AUTO_TEST_SUITE(guard_slot_pool)

BOOST_FIXTURE_TEST_CASE(no_slot_is_handed_out_twice, ShuffledFixture) {
  for (const uint32_t index : {small, paged}) {
    const std::vector<uint32_t> numbers = take(index, 1000);
    BOOST_TEST(std::set(numbers.begin(), numbers.end()).size() == numbers.size());
  }
}

BOOST_FIXTURE_TEST_CASE(a_slot_is_found_by_each_of_its_addresses, PoolFixture) {
  for (const uint32_t index : {small, paged}) {
    const std::vector<uint32_t> numbers = take(index, 20);
    for (const uint32_t number : numbers) {
      std::byte* const start = pool.address({index, number});
      for (const size_t inside : {size_t{0}, pool.classes()[index].slot_bytes - 1}) {
        SlotName found{};
        BOOST_TEST(pool.owns(start + inside));
        BOOST_REQUIRE(pool.find(start + inside, found));
        BOOST_TEST(found.class_index == index);
        BOOST_TEST(found.number == number);
      }
    }
  }
  SlotName found{};
  BOOST_TEST(!pool.find(pool.address({paged, 1000}), found));
  int outside = 0;
  BOOST_TEST(!pool.owns(&outside));
  BOOST_TEST(!pool.owns(nullptr));
}

BOOST_FIXTURE_TEST_CASE(a_shelved_slot_comes_again_at_once_without_quarantine, PoolFixture) {
  const uint32_t number = take(paged, 1)[0];
  pool.shelve({paged, number});
  BOOST_TEST(take(paged, 1)[0] == number);
}

BOOST_AUTO_TEST_CASE(quarantine_is_first_in_first_out) {
  PoolFixture fixture({.quarantine = 3});
  const std::vector<uint32_t> numbers = fixture.take(fixture.paged, 5);
  for (const uint32_t number : numbers) {
    fixture.pool.shelve({fixture.paged, number});
  }
  // Two were pushed out; the last in is the first out of the free list.
  BOOST_TEST(fixture.take(fixture.paged, 2) == (std::vector{numbers[1], numbers[0]}),
             boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(random_placement_shuffles, ShuffledFixture) {
  const std::vector<uint32_t> numbers = take(small, 1000);
  size_t neighbours = 0;
  for (size_t i = 1; i < numbers.size(); ++i) {
    neighbours += numbers[i] == numbers[i - 1] + 1 || numbers[i] + 1 == numbers[i - 1] ? 1U : 0U;
  }
  // In order there are 999; of a shuffled thousand some two.
  BOOST_TEST(neighbours < 500U);
}

BOOST_FIXTURE_TEST_CASE(a_full_region_takes_from_quarantine_and_then_has_none, ShuffledFixture) {
  const uint32_t largest = pool.classes().count() - 1;
  const size_t count = kRegion / pool.classes()[largest].slot_bytes;
  const std::vector<uint32_t> numbers = take(largest, count);
  SlotName none{};
  BOOST_TEST(!pool.take(largest, none));
  pool.shelve({largest, numbers[0]});
  BOOST_TEST(take(largest, 1)[0] == numbers[0]);
}

BOOST_FIXTURE_TEST_CASE(a_refusal_loses_no_slot, ShuffledFixture) {
  // The entries' memory, the slots', and the page in front of one.
  for (const auto& [call, successes] : {std::pair{faulty::Call::kCommit, 0},
                                        {faulty::Call::kCommit, 1},
                                        {faulty::Call::kDeny, 0}}) {
    faulty::fail(call, static_cast<uint64_t>(successes), 1);
    SlotName slot{};
    BOOST_TEST(!pool.take(paged, slot));
    faulty::reset();
    const uint32_t largest = pool.classes().count() - 1;
    const size_t count = kRegion / pool.classes()[largest].slot_bytes;
    faulty::fail(call, static_cast<uint64_t>(successes), 1);
    BOOST_TEST(!pool.take(largest, slot));
    faulty::reset();
    BOOST_TEST(take(largest, count).size() == count);
    pool.stop();
    BOOST_REQUIRE(pool.start(kRegion, kAllParts, random, gate));
  }
}

// In a child: what is left can't be released as a whole.
BOOST_FIXTURE_TEST_CASE(address_space_that_was_never_used_is_given_back, ShuffledFixture) {
  const std::vector<uint32_t> numbers = take(paged, 3);
  pool.shelve({paged, numbers[0]});
  BOOST_TEST(pool.untouched_bytes() > pool.classes().count() * (kRegion - 200 * kMiB));
  BOOST_TEST(spillway::testing::holds_in_child([this, &numbers] {
    const bool sealed = gate.seal();
    pool.give_up_untouched();
    pool.give_up_untouched();  // the addresses may be others' by now
    const bool owns_what_was_made = pool.owns(pool.address({paged, numbers[1]}));
    const bool owns_more =
        pool.owns(pool.address({paged, 10000})) || pool.owns(pool.address({small, 0}));
    SlotName slot{};
    const bool grows = pool.take(small, slot);
    const bool reuses = pool.take(paged, slot);
    pool.address(slot)[os::page_size()] = std::byte{1};
    return sealed && pool.untouched_bytes() == 0 && owns_what_was_made && !owns_more && !grows &&
           reuses;
  }));
}

BOOST_AUTO_TEST_CASE(less_address_space_will_do) {
  faulty::reset();
  Random random;
  core::HeapArena gate;
  SlotPool pool;
  faulty::fail(faulty::Call::kReserve, 0, 1);
  BOOST_REQUIRE(pool.start(2 * kRegion, kAllParts, random, gate));
  pool.stop();
  faulty::fail(faulty::Call::kReserve, 0, UINT64_MAX);
  BOOST_TEST(!pool.start(2 * kRegion, kAllParts, random, gate));
  BOOST_TEST(!pool.owns(&pool));
  faulty::reset();
  faulty::limit_address_space(kGiB);
  BOOST_TEST(!pool.start(2 * kRegion, kAllParts, random, gate));
  faulty::reset();
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  BOOST_TEST(!pool.start(kRegion, kAllParts, random, gate));
  BOOST_TEST(faulty::reserved_bytes() == 0U);
  faulty::reset();
}

BOOST_FIXTURE_TEST_CASE(threads_never_have_the_same_slot, ShuffledFixture) {
  constexpr size_t kThreads = 4;
  constexpr int kRounds = 3000;
  std::atomic<bool> twice{false};
  const auto work = [&] {
    for (int round = 0; round < kRounds; ++round) {
      SlotName slots[3];
      for (SlotName& slot : slots) {
        if (!pool.take(small, slot)) {
          twice = true;
          return;
        }
        auto* const byte = reinterpret_cast<uint64_t*>(pool.address(slot));
        twice = twice || *byte != 0;
        *byte = 1;
      }
      for (const SlotName slot : slots) {
        *reinterpret_cast<uint64_t*>(pool.address(slot)) = 0;
        pool.shelve(slot);
      }
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back(work);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  BOOST_TEST(!twice);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::guard

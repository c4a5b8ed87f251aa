// SPDX-License-Identifier: MIT
#include "alloc/core/slot_store.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "alloc/base/bits.h"
#include "test/forked_child.h"
#include "test/os/faulty_memory.h"

namespace spillway::core {
namespace {

namespace faulty = os::faulty;

constexpr std::array<uint32_t, 2> kSizes = {12 * kKiB, 256 * kKiB};
constexpr ClassIndex kTwelve{1};
constexpr ClassIndex kLarge{2};

struct StoreFixture {
  explicit StoreFixture(uint32_t max_slots = UINT32_MAX) {
    faulty::reset();
    BOOST_REQUIRE(store.start({.block_sizes = kSizes,
                               .max_span_bytes = 8 * kMiB,
                               .min_span_bytes = Arena::kAlignment,
                               .max_slots = max_slots}));
  }
  ~StoreFixture() {
    store.stop();
    faulty::reset();
  }
  StateByte& state(const void* block) const {
    return store.arena().state(store.arena().granule_at(store.arena().offset(block)));
  }
  std::vector<void*> take_dirty(ClassIndex index, uint32_t count) {
    std::vector<void*> blocks(count);
    BOOST_REQUIRE(store.take(index, hint, blocks.data(), count) == count);
    for (void* block : blocks) {
      std::memset(block, 0x5a, kSizes[raw(index) - 1U]);
      state(block).store(live_state(0));
    }
    return blocks;
  }
  void put(ClassIndex index, const std::vector<void*>& blocks) {
    for (void* block : blocks) {
      state(block).store(SlotState::kFree);
      BOOST_REQUIRE(store.put(index, hint, &block, 1) == nullptr);
    }
  }
  stats::Snapshot snapshot() const {
    stats::Snapshot result;
    store.collect(result);
    return result;
  }

  SlotStore store;
  uint32_t hint = 0;
};

BOOST_FIXTURE_TEST_SUITE(slot_store, StoreFixture)

BOOST_AUTO_TEST_CASE(a_start_that_fails_holds_nothing) {
  for (uint64_t call = 0; call < 3; ++call) {  // arena, states, freelists
    const uint64_t reserved = faulty::reserved_bytes();
    faulty::fail(faulty::Call::kReserve, call, UINT64_MAX);
    SlotStore other;
    BOOST_TEST(!other.start(
        {.block_sizes = kSizes, .max_span_bytes = 8 * kMiB, .min_span_bytes = 8 * kMiB}));
    BOOST_TEST(faulty::reserved_bytes() == reserved);
    BOOST_TEST(!other.arena().owns(&other));
    faulty::reset();
  }
}

BOOST_AUTO_TEST_CASE(each_class_has_a_span_for_itself) {
  for (const ClassIndex index : {kTwelve, kLarge}) {
    std::vector<void*> blocks = take_dirty(index, store.central(index).slots());
    BOOST_TEST(blocks.size() == 8 * kMiB / kSizes[raw(index) - 1U]);
    for (const void* block : blocks) {
      const size_t offset = store.arena().offset(block);
      BOOST_REQUIRE(store.arena().span_at(offset) == raw(index) - 1U);
      const size_t last = offset + kSizes[raw(index) - 1U] - 1;
      BOOST_REQUIRE(store.block_of(store.arena().granule_at(last)) == block);
    }
    void* none = nullptr;
    BOOST_TEST(store.take(index, hint, &none, 1) == 0U);
  }
}

struct FewSlots : StoreFixture {
  FewSlots() : StoreFixture(5) {}
};

BOOST_FIXTURE_TEST_CASE(a_class_has_no_more_slots_than_configured, FewSlots) {
  void* blocks[6];
  BOOST_TEST(store.take(kTwelve, hint, blocks, 6) == 5U);
  BOOST_TEST(store.take(kLarge, hint, blocks, 6) == 5U);
}

BOOST_AUTO_TEST_CASE(a_block_put_twice_is_named) {
  void* block = take_dirty(kTwelve, 1).front();
  put(kTwelve, {block});
  BOOST_TEST(store.put(kTwelve, hint, &block, 1) == block);
}

BOOST_AUTO_TEST_CASE(memory_of_free_slots_goes_back_by_classes) {
  put(kTwelve, take_dirty(kTwelve, 10));
  put(kLarge, take_dirty(kLarge, 4));
  uint32_t cursor = 0;
  bool refused = false;
  BOOST_TEST(store.purge(kLarge, cursor, kGiB, refused) == kMiB);
  BOOST_TEST(!refused);
  BOOST_TEST(snapshot().pool_clean_bytes == kMiB);
  BOOST_TEST(snapshot().pool_free_bytes == kMiB + 120 * kKiB);
  void* block = nullptr;
  BOOST_REQUIRE(store.take(kLarge, hint, &block, 1) == 1U);
  BOOST_TEST((state(block).load() == SlotState::kClean));
  BOOST_TEST(static_cast<char*>(block)[100] == 0);
}

BOOST_AUTO_TEST_CASE(statistics_are_sums_of_the_classes) {
  std::vector<void*> blocks = take_dirty(kTwelve, 10);
  take_dirty(kLarge, 3);
  put(kTwelve, {blocks[0], blocks[1]});
  const stats::Snapshot now = snapshot();
  BOOST_TEST(now.pool_grown_bytes == 10 * 12 * kKiB + 3 * 256 * kKiB);
  BOOST_TEST(now.pool_free_bytes == 2 * 12 * kKiB);
  BOOST_TEST(now.pool_committed_bytes >= now.pool_grown_bytes);
  BOOST_TEST(now.classes[raw(kTwelve)].free == 2U);
  BOOST_TEST(now.classes[raw(kLarge)].free == 0U);
}

// What a child that is forked in the middle of a purge finds.
struct ForkedInPurge : StoreFixture {
  void run(bool purge_was_ours) {
    ours = purge_was_ours;
    put(kLarge, take_dirty(kLarge, 6));
    faulty::at_purge([](void* self) { static_cast<ForkedInPurge*>(self)->fork_once(); }, this);
    uint32_t cursor = 0;
    bool refused = false;
    store.purge(kLarge, cursor, kGiB, refused);
    BOOST_TEST(forks > 0);
    BOOST_TEST(bad_children == 0);
    BOOST_TEST(store.central(kLarge).count_free() == 6U);
  }
  void fork_once() {
    ++forks;
    const bool good = spillway::testing::holds_in_child([this] {
      store.recover_after_fork(ours);
      return (store.central(kLarge).count_free() == 6) != ours;
    });
    bad_children += good ? 0 : 1;
  }
  bool ours = false;
  int forks = 0;
  int bad_children = 0;
};

BOOST_FIXTURE_TEST_CASE(a_child_gets_the_slots_that_a_lost_thread_was_purging, ForkedInPurge) {
  run(false);
}

BOOST_FIXTURE_TEST_CASE(a_purge_that_a_fork_interrupted_keeps_its_slots, ForkedInPurge) {
  run(true);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

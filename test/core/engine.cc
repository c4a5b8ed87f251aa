// SPDX-License-Identifier: MIT
#include "alloc/core/engine.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "test/core/fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(engine)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_thread_without_a_cache_is_served, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  void* const block = f.allocate(thread_state, kSmall);
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST((thread_state.bins.get() == &kNoCacheYet));
  f.free(thread_state, block);
  BOOST_TEST(f.snapshot().uncached_total == 2U);
  BOOST_TEST(f.snapshot().thread_caches == 0U);
  BOOST_TEST(f.snapshot().pool_live_bytes == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(attach_detach_and_life_after_it, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(f.engine.attach(thread_state));
  BOOST_TEST(!f.engine.attach(thread_state));
  void* const kept = f.allocate(thread_state, kTwelve);
  f.free(thread_state, f.allocate(thread_state, kTwelve));
  BOOST_TEST(f.snapshot().thread_caches == 1U);
  f.engine.detach(thread_state);
  BOOST_TEST(f.snapshot().thread_caches == 0U);
  BOOST_TEST(f.snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(!f.engine.attach(thread_state));
  f.free(thread_state, kept);
  BOOST_TEST(f.snapshot().pool_live_bytes == 0U);
  f.engine.detach(thread_state);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_signal_handler_inside_the_bins_leaves_them_alone, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(f.engine.attach(thread_state));
  void* const before = f.allocate(thread_state, kSmall);
  const uint64_t cached = f.snapshot().pool_cached_bytes;
  {
    const BusyScope interrupted(thread_state);
    void* const block = f.allocate(thread_state, kSmall);
    BOOST_TEST(block != before);
    f.free(thread_state, block);
    f.engine.flush(thread_state);
    BOOST_TEST(f.snapshot().pool_cached_bytes == cached);
  }
  f.free(thread_state, before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(state_tells_clean_from_used, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(f.engine.attach(thread_state));
  void* const block = f.engine.take(thread_state, kSmall);
  StateByte& state = f.state_of(block);
  BOOST_TEST((state.load() == SlotState::kClean));
  f.mark_live(block);
  f.free(thread_state, block);
  BOOST_TEST((state.load() == SlotState::kFree));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_freed_block_keeps_its_bytes, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(f.engine.attach(thread_state));
  void* const block = f.allocate(thread_state, kTwelve);
  auto* bytes = static_cast<unsigned char*>(block);
  std::memset(bytes, 0x5a, 12 * kKiB);
  f.free(thread_state, block);
  f.engine.detach(thread_state);
  for (size_t i = 0; i < 12 * kKiB; ++i) {
    BOOST_REQUIRE(bytes[i] == 0x5a);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(the_same_block_given_twice_is_noticed, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  void* const block = f.allocate(thread_state, kSmall);
  f.free(thread_state, block);
  f.engine.give(thread_state, kSmall, block);
  BOOST_TEST(f.double_frees == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_copy_in_two_caches_is_noticed_when_the_second_spills, Store,
                              Stores) {
  EngineFixture<Store> f;
  ThreadState one = new_state();
  ThreadState other = new_state();
  BOOST_REQUIRE(f.engine.attach(one));
  BOOST_REQUIRE(f.engine.attach(other));
  f.free(other, f.allocate(other, kSmall));
  void* const block = f.allocate(one, kSmall);
  f.free(one, block);
  f.mark_live(block);  // as the second thread still saw it
  f.free(other, block);
  f.engine.detach(one);
  f.engine.detach(other);
  BOOST_TEST(f.double_frees == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(statistics_add_up_at_rest, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(f.engine.attach(thread_state));
  std::vector<void*> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(f.allocate(thread_state, i % 2 == 0 ? kSmall : kTwelve));
    if (i % 3 == 0) {
      f.free(thread_state, held.back());
      held.pop_back();
    }
  }
  const stats::Snapshot now = f.snapshot();
  BOOST_TEST(now.allocations_total == 100U);
  BOOST_TEST(now.classes[raw(kSmall)].live + now.classes[raw(kTwelve)].live == held.size());
  BOOST_TEST(now.pool_live_bytes + now.pool_cached_bytes + now.pool_free_bytes ==
             now.pool_grown_bytes);
  BOOST_TEST(now.pool_grown_bytes <= now.pool_committed_bytes);
  BOOST_TEST(now.pool_committed_bytes <= now.pool_reserved_bytes);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(blocks_of_a_class_do_not_overlap_and_fill_the_arena, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(f.engine.attach(thread_state));
  std::vector<void*> blocks;
  for (void* block; (block = f.allocate(thread_state, kTwelve)) != nullptr;) {
    blocks.push_back(block);
  }
  BOOST_TEST(blocks.size() == f.room_for(kTwelve));
  std::sort(blocks.begin(), blocks.end());
  for (size_t i = 1; i < blocks.size(); ++i) {
    BOOST_REQUIRE(f.offset(blocks[i]) - f.offset(blocks[i - 1]) >= 12 * kKiB);
  }
  for (void* const block : blocks) {
    f.free(thread_state, block);
  }
  BOOST_TEST((f.allocate(thread_state, kTwelve) != nullptr));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bytes_taken_are_counted, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState cached = new_state();
  ThreadState uncached = new_state();
  BOOST_REQUIRE(f.engine.attach(cached));
  f.allocate(uncached, kLarge);
  BOOST_TEST(f.engine.taken_bytes() == kMiB);
  f.allocate(cached, kLarge);
  BOOST_TEST(f.engine.taken_bytes() == 2 * kMiB);
  f.engine.detach(cached);
  BOOST_TEST(f.engine.taken_bytes() == 2 * kMiB);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(bytes_in_caches_are_counted_up_to_a_bound, Store, Stores) {
  EngineFixture<Store> f;
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(f.engine.attach(thread_state));
  BOOST_TEST(f.engine.cached_bytes_up_to(UINT64_MAX) == 0U);
  f.free(thread_state, f.allocate(thread_state, kTwelve));
  const uint64_t cached = f.snapshot().pool_cached_bytes;
  BOOST_REQUIRE(cached >= 12 * kKiB);
  BOOST_TEST(f.engine.cached_bytes_up_to(12 * kKiB) == cached);
}

// --- what only a page heap does

using HeapFixture = EngineFixture<PageHeap>;

BOOST_FIXTURE_TEST_CASE(aligned_blocks_are_counted, HeapFixture) {
  ThreadState thread_state = new_state();
  void* block = engine.take_aligned(kTwelve, 64 * kKiB);
  BOOST_REQUIRE(block != nullptr);
  mark_live(block);
  BOOST_TEST(reinterpret_cast<uintptr_t>(block) % (64 * kKiB) == 0U);
  BOOST_TEST(snapshot().classes[raw(kTwelve)].live == 1U);
  BOOST_TEST(engine.taken_bytes() == 12 * kKiB);
  free(thread_state, block);
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
  BOOST_TEST(everything_is_free());
}

BOOST_FIXTURE_TEST_CASE(a_resized_block_is_counted_where_it_is, HeapFixture) {
  ThreadState thread_state = new_state();
  void* block = allocate(thread_state, kTwelve);
  BOOST_REQUIRE(engine.resize(block, kColoured, 64 * kKiB));
  BOOST_TEST(snapshot().classes[raw(kTwelve)].live == 0U);
  BOOST_TEST(snapshot().classes[raw(kColoured)].live == 1U);
  BOOST_TEST((class_of(block) == kColoured));
  BOOST_REQUIRE(engine.resize(block, kNoClass, kMiB + kKiB));
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
  BOOST_TEST(snapshot().large_blocks == 1U);
  BOOST_REQUIRE(engine.resize(block, kSmall, 4 * kKiB));
  BOOST_TEST(snapshot().large_blocks == 0U);
  BOOST_TEST(snapshot().pool_live_bytes == 4 * kKiB);
  free(thread_state, block);
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
  BOOST_TEST(everything_is_free());
}

BOOST_FIXTURE_TEST_CASE(a_block_that_cannot_be_resized_is_what_it_was, HeapFixture) {
  ThreadState thread_state = new_state();
  void* block = allocate(thread_state, kTwelve);
  void* behind = allocate(thread_state, kTwelve);
  BOOST_REQUIRE(behind == static_cast<char*>(block) + 12 * kKiB);
  BOOST_TEST(!engine.resize(block, kColoured, 64 * kKiB));
  BOOST_TEST(snapshot().classes[raw(kTwelve)].live == 2U);
  BOOST_TEST(snapshot().classes[raw(kColoured)].live == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_engine_that_gave_up_what_is_untouched_works_with_the_rest, HeapFixture) {
  ThreadState thread_state = new_state();
  BOOST_REQUIRE(engine.attach(thread_state));
  void* block = allocate(thread_state, kTwelve);
  const uint64_t reserved = os::faulty::reserved_bytes();
  engine.give_up_untouched();
  BOOST_TEST(os::faulty::reserved_bytes() + 32 * kMiB < reserved);
  BOOST_TEST((allocate(thread_state, kTwelve) != nullptr));
  free(thread_state, block);
  size_t got = 0;
  while (allocate(thread_state, kTwelve) != nullptr) {
    ++got;
  }
  BOOST_TEST(got > 0U);
  BOOST_TEST(got < room_for(kTwelve));
  ThreadState late = new_state();
  BOOST_TEST(!engine.attach(late));
  BOOST_TEST(engine.arena().owns(engine.arena().at(engine.arena().bytes() - 1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

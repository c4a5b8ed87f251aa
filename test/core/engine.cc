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

BOOST_FIXTURE_TEST_CASE(a_thread_without_a_cache_is_served, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  void* const block = allocate(anchor, kSmall);
  BOOST_REQUIRE(block != nullptr);
  BOOST_TEST((anchor.bins.get() == &kNoCacheYet));
  free(anchor, block);
  BOOST_TEST(snapshot().uncached_total == 2U);
  BOOST_TEST(snapshot().thread_caches == 0U);
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
}

BOOST_FIXTURE_TEST_CASE(attach_detach_and_life_after_it, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  BOOST_TEST(!engine.attach(anchor));
  void* const kept = allocate(anchor, kTwelve);
  free(anchor, allocate(anchor, kTwelve));
  BOOST_TEST(snapshot().thread_caches == 1U);
  engine.detach(anchor);
  BOOST_TEST(snapshot().thread_caches == 0U);
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(!engine.attach(anchor));
  free(anchor, kept);
  BOOST_TEST(snapshot().pool_live_bytes == 0U);
  engine.detach(anchor);
}

BOOST_FIXTURE_TEST_CASE(a_signal_handler_inside_the_bins_leaves_them_alone, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  void* const before = allocate(anchor, kSmall);
  const uint64_t cached = snapshot().pool_cached_bytes;
  {
    const BusyScope interrupted(anchor);
    void* const block = allocate(anchor, kSmall);
    BOOST_TEST(block != before);
    free(anchor, block);
    engine.flush(anchor);
    BOOST_TEST(snapshot().pool_cached_bytes == cached);
  }
  free(anchor, before);
}

BOOST_FIXTURE_TEST_CASE(state_tells_clean_from_used, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  void* const block = engine.take(anchor, kSmall);
  StateByte& state = state_of(block);
  BOOST_TEST((state.load() == SlotState::kClean));
  mark_live(block);
  free(anchor, block);
  BOOST_TEST((state.load() == SlotState::kFree));
}

BOOST_FIXTURE_TEST_CASE(a_freed_block_keeps_its_bytes, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  void* const block = allocate(anchor, kTwelve);
  auto* bytes = static_cast<unsigned char*>(block);
  std::memset(bytes, 0x5a, 12 * kKiB);
  free(anchor, block);
  engine.detach(anchor);
  for (size_t i = 0; i < 12 * kKiB; ++i) {
    BOOST_REQUIRE(bytes[i] == 0x5a);
  }
}

BOOST_FIXTURE_TEST_CASE(blocks_of_a_class_do_not_overlap_and_fill_the_span, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  std::vector<void*> blocks;
  for (void* block; (block = allocate(anchor, kTwelve)) != nullptr;) {
    blocks.push_back(block);
  }
  BOOST_TEST(blocks.size() == engine.geometry().of(kTwelve).slots);
  std::sort(blocks.begin(), blocks.end());
  for (size_t i = 1; i < blocks.size(); ++i) {
    BOOST_REQUIRE(static_cast<char*>(blocks[i]) - static_cast<char*>(blocks[i - 1]) ==
                  static_cast<ptrdiff_t>(12 * kKiB));
  }
  for (void* const block : blocks) {
    free(anchor, block);
  }
  BOOST_TEST((allocate(anchor, kTwelve) != nullptr));
}

BOOST_FIXTURE_TEST_CASE(coloured_blocks_keep_to_their_slots_and_start_at_all_lines, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  std::vector<void*> blocks;
  for (void* block; (block = allocate(anchor, kColoured)) != nullptr;) {
    blocks.push_back(block);
  }
  BOOST_TEST(blocks.size() == engine.geometry().of(kColoured).slots);
  std::sort(blocks.begin(), blocks.end());
  const size_t stride = 17 * kGranuleSize;
  const ClassGeometry& geometry = engine.geometry().of(kColoured);
  const size_t start = engine.arena().offset(blocks[0]) - geometry.colour(SlotIndex{0});
  for (uint32_t i = 0; i < blocks.size(); ++i) {
    const size_t offset = engine.arena().offset(blocks[i]);
    BOOST_REQUIRE(offset - start == i * stride + geometry.colour(SlotIndex{i}));
    const Granule last = engine.arena().granule_at(offset + 64 * kKiB - 1);
    BOOST_REQUIRE(engine.block_of(last) == blocks[i]);
    BOOST_REQUIRE(raw(engine.slot_start(last)) == raw(engine.arena().granule_at(offset)));
  }
  for (void* const block : blocks) {
    free(anchor, block);
  }
  engine.flush(anchor);
  BOOST_TEST(double_frees == 0);
  BOOST_TEST(snapshot().pool_free_bytes == snapshot().pool_grown_bytes);
}

BOOST_FIXTURE_TEST_CASE(a_block_given_back_without_its_colour_is_the_same_block, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  void* first = allocate(anchor, kColoured);
  void* second = allocate(anchor, kColoured);
  BOOST_REQUIRE(inside_granule(engine.arena().offset(second)) != 0U);
  const Granule start = engine.arena().granule_at(engine.arena().offset(second));
  free(anchor, engine.arena().address(start));
  BOOST_TEST(engine.class_at(kColoured).is_free(second));
  BOOST_TEST(allocate(anchor, kColoured) == second);
  free(anchor, first);
  free(anchor, second);
}

BOOST_FIXTURE_TEST_CASE(the_same_block_given_twice_is_noticed, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  void* const block = allocate(anchor, kSmall);
  free(anchor, block);
  engine.give(anchor, kSmall, block);
  BOOST_TEST(double_frees == 1);
}

BOOST_FIXTURE_TEST_CASE(a_copy_in_two_caches_is_noticed_when_the_second_spills, EngineFixture) {
  ThreadAnchor one = new_anchor();
  ThreadAnchor other = new_anchor();
  BOOST_REQUIRE(engine.attach(one));
  BOOST_REQUIRE(engine.attach(other));
  free(other, allocate(other, kSmall));
  void* const block = allocate(one, kSmall);
  free(one, block);
  mark_live(block);  // as the second thread still saw it
  free(other, block);
  engine.detach(one);
  engine.detach(other);
  BOOST_TEST(double_frees == 1);
}

BOOST_FIXTURE_TEST_CASE(statistics_add_up_at_rest, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  std::vector<void*> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(allocate(anchor, i % 2 == 0 ? kSmall : kTwelve));
    if (i % 3 == 0) {
      free(anchor, held.back());
      held.pop_back();
    }
  }
  const stats::Snapshot now = snapshot();
  BOOST_TEST(now.allocations_total == 100U);
  BOOST_TEST(now.classes[raw(kSmall)].live + now.classes[raw(kTwelve)].live == held.size());
  BOOST_TEST(now.pool_live_bytes + now.pool_cached_bytes + now.pool_free_bytes ==
             now.pool_grown_bytes);
  BOOST_TEST(now.pool_grown_bytes <= now.pool_committed_bytes);
  BOOST_TEST(now.pool_committed_bytes <= now.pool_reserved_bytes);
}

BOOST_FIXTURE_TEST_CASE(bytes_taken_and_grown_are_counted, EngineFixture) {
  ThreadAnchor cached = new_anchor();
  ThreadAnchor uncached = new_anchor();
  BOOST_REQUIRE(engine.attach(cached));
  allocate(uncached, kLarge);
  BOOST_TEST(engine.taken_bytes() == kMiB);
  BOOST_TEST(engine.grown_bytes() == kMiB);
  allocate(cached, kLarge);
  BOOST_TEST(engine.taken_bytes() == 2 * kMiB);
  engine.detach(cached);
  BOOST_TEST(engine.taken_bytes() == 2 * kMiB);
  BOOST_TEST(engine.grown_bytes() == 2 * kMiB);
}

BOOST_FIXTURE_TEST_CASE(cooled_and_purged_blocks_come_back_clean, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  void* kept = allocate(anchor, kLarge);
  void* block = allocate(anchor, kLarge);
  std::memset(kept, 1, kMiB);
  std::memset(block, 2, kMiB);
  free(anchor, block);
  engine.cool();
  uint32_t cursor = 0;
  bool refused = false;
  BOOST_TEST(engine.purge(kLarge, cursor, kGiB, refused) == kMiB);
  BOOST_TEST(engine.purge(kLarge, cursor, kGiB, refused) == 0U);
  BOOST_TEST(!refused);
  BOOST_TEST((take(anchor, kLarge) == block));
  BOOST_TEST((state_of(block).load() == SlotState::kClean));
  const auto* bytes = static_cast<const char*>(block);
  BOOST_TEST(std::all_of(bytes, bytes + kMiB, [](char byte) { return byte == 0; }));
  const auto* others = static_cast<const char*>(kept);
  BOOST_TEST(std::all_of(others, others + kMiB, [](char byte) { return byte == 1; }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

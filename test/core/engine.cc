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
  const Granule block = allocate(anchor, kSmall);
  BOOST_REQUIRE(block != kNoGranule);
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
  const Granule kept = allocate(anchor, kTwelve);
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
  const Granule before = allocate(anchor, kSmall);
  const uint64_t cached = snapshot().pool_cached_bytes;
  {
    const BusyScope interrupted(anchor);
    const Granule block = allocate(anchor, kSmall);
    BOOST_TEST(raw(block) != raw(before));
    free(anchor, block);
    engine.flush(anchor);
    BOOST_TEST(snapshot().pool_cached_bytes == cached);
  }
  free(anchor, before);
}

BOOST_FIXTURE_TEST_CASE(state_tells_clean_from_used, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  const Granule block = engine.take(anchor, kSmall);
  StateByte& state = engine.arena().state(block);
  BOOST_TEST((state.load() == SlotState::kClean));
  state.store(live_state(kSmall));
  free(anchor, block);
  BOOST_TEST((state.load() == SlotState::kFree));
}

BOOST_FIXTURE_TEST_CASE(a_freed_block_keeps_its_bytes, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  const Granule block = allocate(anchor, kTwelve);
  auto* bytes = static_cast<unsigned char*>(engine.arena().address(block));
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
  std::vector<Granule> blocks;
  for (Granule block; (block = allocate(anchor, kTwelve)) != kNoGranule;) {
    blocks.push_back(block);
  }
  BOOST_TEST(blocks.size() == engine.geometry().of(kTwelve).slots);
  std::sort(blocks.begin(), blocks.end());
  for (size_t i = 1; i < blocks.size(); ++i) {
    BOOST_REQUIRE(raw(blocks[i]) - raw(blocks[i - 1]) == 3U);
  }
  for (const Granule block : blocks) {
    free(anchor, block);
  }
  BOOST_TEST((allocate(anchor, kTwelve) != kNoGranule));
}

BOOST_FIXTURE_TEST_CASE(the_same_block_given_twice_is_noticed, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  const Granule block = allocate(anchor, kSmall);
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
  const Granule block = allocate(one, kSmall);
  free(one, block);
  engine.arena().state(block).store(live_state(kSmall));  // as the second thread still saw it
  free(other, block);
  engine.detach(one);
  engine.detach(other);
  BOOST_TEST(double_frees == 1);
}

BOOST_FIXTURE_TEST_CASE(statistics_add_up_at_rest, EngineFixture) {
  ThreadAnchor anchor = new_anchor();
  BOOST_REQUIRE(engine.attach(anchor));
  std::vector<Granule> held;
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

// Which block a thread without bins gets: its own class's or one with memory.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <initializer_list>
#include <vector>

#include "alloc/core/upkeep.h"
#include "test/core/thread_cache_fixture.h"

namespace spillway::core {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

// A thread whose bins hold nothing, so that each request is a choice among free blocks.
struct Chooser : EngineFixture {
  static constexpr std::array<uint32_t, 5> kSizes = {64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB,
                                                     kMiB};
  static constexpr ClassIndex kAsked{1};
  static constexpr ClassIndex kMiBs{5};

  static Engine::Config choices(size_t span_bytes, CacheBudget::Config budget) {
    Engine::Config config = engine_config(budget, span_bytes);
    config.block_sizes = kSizes;
    return config;
  }
  explicit Chooser(size_t span_bytes = 512 * kMiB, CacheBudget::Config budget = {})
      : EngineFixture(choices(span_bytes, budget)) {
    BOOST_REQUIRE(started);
    os::fake::stop_clock();
    BOOST_REQUIRE(engine.attach(anchor));
  }
  // A free block with memory in each of these classes.
  void provide(std::initializer_list<uint32_t> sizes) {
    for (const uint32_t size : sizes) {
      const auto at = std::find(kSizes.begin(), kSizes.end(), size) - kSizes.begin();
      free(other, allocate(other, ClassIndex{static_cast<uint8_t>(at + 1)}));
    }
  }
  void grow_pool(uint64_t bytes) {
    while (engine.grown_bytes() < bytes) {
      grown.push_back(allocate(other, kMiBs));
      BOOST_REQUIRE(grown.back() != nullptr);
    }
  }
  void hurry_up() {
    for (int i = 0; i < 17; ++i) {
      ask(kHurry);
    }
  }
  // The size of the block that a request for one of kAsked gets; 0: none.
  uint32_t ask(uint64_t nanoseconds) {
    os::fake::advance_clock(nanoseconds);
    const void* block = allocate(anchor, kAsked);
    return block == nullptr ? 0
                            : engine.geometry()
                                  .of(engine.arena().class_of(
                                      engine.arena().granule_at(engine.arena().offset(block))))
                                  .block_size;
  }

  std::vector<void*> grown;  // by grow_pool()
  ThreadAnchor anchor = new_anchor();
  ThreadAnchor other = new_anchor();  // without a cache: gets what it asks for
};
struct LongSpans : Chooser {
  LongSpans() : Chooser(2048 * kMiB) {}
};
struct WithBins : Chooser {
  WithBins() : Chooser(512 * kMiB, kAmple) {}
};
struct ShortSpans : Chooser {
  ShortSpans() : Chooser(Arena::kSpanAlignment) {}
};

BOOST_AUTO_TEST_SUITE(thread_cache_choice)

BOOST_FIXTURE_TEST_CASE(in_the_smallest_pools_the_largest_block_serves, Chooser) {
  BOOST_TEST(ask(kLeisure) == 512 * kKiB);  // untouched
  provide({64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB, kMiB});
  for (const size_t expected : {512 * kKiB, 128 * kKiB, 80 * kKiB, 64 * kKiB, 512 * kKiB}) {
    BOOST_TEST(ask(kLeisure) == expected);
  }
}

BOOST_FIXTURE_TEST_CASE(in_medium_pools_up_to_twice_the_size_serves, Chooser) {
  for (const uint64_t pool : {16 * kMiB, 256 * kMiB}) {
    grow_pool(pool);
    provide({64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB, kMiB});
    for (const size_t expected : {64 * kKiB, 80 * kKiB, 128 * kKiB, 64 * kKiB}) {
      BOOST_TEST(ask(kLeisure) == expected);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(in_larger_pools_a_quarter_more_serves, LongSpans) {
  grow_pool(512 * kMiB);
  provide({64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB, kMiB});
  for (const size_t expected : {64 * kKiB, 80 * kKiB, 64 * kKiB}) {
    BOOST_TEST(ask(kLeisure) == expected);
  }
}

BOOST_FIXTURE_TEST_CASE(in_large_pools_only_the_own_class_serves, LongSpans) {
  grow_pool(1024 * kMiB);
  provide({64 * kKiB, 80 * kKiB, 128 * kKiB, 512 * kKiB, kMiB});
  for (const size_t expected : {64 * kKiB, 64 * kKiB}) {
    BOOST_TEST(ask(kLeisure) == expected);
  }
}

BOOST_FIXTURE_TEST_CASE(the_pool_counts_as_large_as_its_memory_lately, Chooser) {
  grow_pool(64 * kMiB);
  Upkeep upkeep;
  upkeep.configure(500);
  for (void* const block : grown) {
    free(other, block);
  }
  BOOST_TEST(upkeep.purge_everything(engine) == 64 * kMiB);
  BOOST_TEST(ask(kLeisure) == 64 * kKiB);
  upkeep.run(engine);  // looks
  BOOST_TEST(ask(kLeisure) == 512 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(a_thread_that_hurries_for_want_of_company_takes_what_has_memory, Chooser) {
  grow_pool(16 * kMiB);
  for (int i = 0; i < 17; ++i) {
    ask(300);
  }
  provide({128 * kKiB});
  BOOST_TEST(ask(300) == 128 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(a_pressed_thread_gets_what_it_asks_for, Chooser) {
  grow_pool(128 * kMiB);
  hurry_up();
  provide({128 * kKiB});
  BOOST_TEST(ask(kHurry) == 64 * kKiB);
}

BOOST_FIXTURE_TEST_CASE(but_a_larger_block_where_new_ones_are_unwanted, Chooser) {
  grow_pool(128 * kMiB);
  hurry_up();
  provide({80 * kKiB, 128 * kKiB, 512 * kKiB});
  engine.fresh_bytes().set_unwanted(true);
  for (const size_t expected : {80 * kKiB, 128 * kKiB, 64 * kKiB}) {
    BOOST_TEST(ask(kHurry) == expected);
  }
}

BOOST_FIXTURE_TEST_CASE(its_own_larger_blocks_come_first, WithBins) {
  constexpr ClassIndex kLarger{2};  // 80 KiB
  grow_pool(128 * kMiB);
  hurry_up();
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    os::fake::advance_clock(kHurry);
    blocks.push_back(allocate(anchor, kLarger));
  }
  for (void* const block : blocks) {
    free(anchor, block);
  }
  const auto cached = [this](ClassIndex index) { return snapshot().classes[raw(index)].cached; };
  while (cached(kAsked) != 0) {
    ask(kHurry);
  }
  const uint64_t before = cached(kLarger);
  BOOST_REQUIRE(before > 0U);
  engine.fresh_bytes().set_unwanted(true);
  BOOST_TEST(ask(kHurry) == 80 * kKiB);
  BOOST_TEST(cached(kLarger) == before - 1);
}

BOOST_FIXTURE_TEST_CASE(a_full_larger_class_leaves_the_own_one, ShortSpans) {
  uint32_t got = 0;
  while (got < 1000 && ask(kLeisure) != 0) {
    ++got;
  }
  BOOST_TEST(got >= engine.geometry().of(kAsked).slots);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

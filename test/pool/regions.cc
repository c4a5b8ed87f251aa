// SPDX-License-Identifier: MIT
#include "spillway/regions.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/fixture.h"
#include "test/pool/worker.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kBuffers = 12;
// Of the last one five fit into a region, and three regions hold all.
constexpr size_t kSizes[] = {4 * kKiB, 12 * kKiB, kMiB, 200 * kMiB};
constexpr size_t kRegions = 6;

PoolConfig pinned() {
  return PoolConfig()
      .with_classes({std::begin(kSizes), std::end(kSizes)})
      .with_max_per_class(kBuffers)
      .with_thread_cache(ThreadCachePolicy::exact(4))
      .with_pinned();
}

bool are_same(const std::vector<Region>& some, const std::vector<Region>& others) {
  return std::equal(some.begin(), some.end(), others.begin(), others.end(),
                    [](const Region& one, const Region& other) {
                      return one.id == other.id && one.base == other.base &&
                             one.length == other.length;
                    });
}

struct Pinned {
  explicit Pinned(const PoolConfig& config = pinned()) : pool(make_pool(config)) {
    pool.on_region([this](const Region& region) { told.push_back(region); });
  }

  std::vector<Buffer> take_everything() {
    std::vector<Buffer> all;
    for (const size_t size : kSizes) {
      for (Buffer& buffer : take_all(pool, size)) {
        all.push_back(std::move(buffer));
      }
    }
    return all;
  }
  std::byte* address(const RegionOffset& at) const {
    return pool.regions().at(at.id).base + at.offset;
  }

  Pool pool;
  std::vector<Region> told;
};

// Numbered in order, of a sensible length, and apart.
void check_regions(const std::vector<Region>& regions) {
  for (size_t i = 0; i < regions.size(); ++i) {
    BOOST_TEST(regions[i].id == i);
    BOOST_TEST(regions[i].length > 0U);
    BOOST_TEST(regions[i].length <= kGiB);
  }
  std::vector<Region> by_place = regions;
  std::sort(by_place.begin(), by_place.end(),
            [](const Region& one, const Region& other) { return one.base < other.base; });
  for (size_t i = 1; i < by_place.size(); ++i) {
    BOOST_TEST((by_place[i - 1].base + by_place[i - 1].length <= by_place[i].base));
  }
}

BOOST_AUTO_TEST_SUITE(pool_regions)

BOOST_FIXTURE_TEST_CASE(each_is_told_once, Pinned) {
  BOOST_TEST(pool.regions().empty());
  const Buffer first = pool.alloc(1);
  BOOST_REQUIRE(told.size() == 1U);
  BOOST_TEST(told[0].length == kBuffers * kSizes[0]);
  for (int round = 0; round < 2; ++round) {
    take_everything();
    BOOST_TEST(told.size() == kRegions);
  }
  check_regions(told);
  BOOST_TEST(are_same(told, pool.regions()));
}

BOOST_FIXTURE_TEST_CASE(every_buffer_lies_in_one_wholly, Pinned) {
  const std::vector<Buffer> all = take_everything();
  BOOST_TEST(all.size() == std::size(kSizes) * kBuffers);
  for (const Buffer& buffer : all) {
    const std::byte* const last = buffer.data() + buffer.capacity() - 1;
    const std::optional<RegionOffset> start = pool.locate(buffer.data());
    const std::optional<RegionOffset> end = pool.locate(last);
    BOOST_REQUIRE(start.has_value());
    BOOST_REQUIRE(end.has_value());
    BOOST_TEST(start->id == end->id);
    BOOST_TEST(address(*start) == buffer.data());
    BOOST_TEST(address(*end) == last);
    BOOST_TEST(end->offset < pool.regions().at(end->id).length);
  }
}

BOOST_FIXTURE_TEST_CASE(all_of_one_has_memory_at_once, Pinned) {
  const Buffer buffer = pool.alloc(kSizes[3]);
  BOOST_REQUIRE(told.size() == 1U);
  BOOST_TEST(told[0].length == 5 * kSizes[3]);
  told[0].base[0] = told[0].base[told[0].length - 1] = std::byte{1};
  BOOST_TEST(resident_pages(told[0].base + told[0].length - 1, 1) == 1U);
}

BOOST_FIXTURE_TEST_CASE(other_memory_is_nowhere, Pinned) {
  const std::vector<Buffer> all = take_everything();
  const Buffer unpooled = pool.alloc(kSizes[0]);
  BOOST_TEST(!unpooled.is_pooled());
  const Pinned other;
  for (const void* pointer :
       {static_cast<const void*>(unpooled.data()), static_cast<const void*>(&unpooled),
        static_cast<const void*>(nullptr)}) {
    BOOST_TEST(!pool.locate(pointer).has_value());
  }
  BOOST_TEST(!other.pool.locate(all.front().data()).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_callback_is_told_what_is_there_already, Pinned) {
  const std::vector<Buffer> some = take(pool, SIZE_MAX, kSizes[3]);
  BOOST_TEST(told.size() == 3U);
  std::vector<Region> told_later;
  pool.on_region([&told_later](const Region& region) { told_later.push_back(region); });
  BOOST_TEST(are_same(told_later, told));
  take_everything();
  BOOST_TEST(told.size() == 3U);
  BOOST_TEST(told_later.size() == kRegions);
  check_regions(told_later);
  pool.on_region({});
}

BOOST_AUTO_TEST_CASE(prefill_adds_all) {
  const PoolConfig config = pinned().with_classes({std::begin(kSizes), std::begin(kSizes) + 3});
  const Pinned prefilled(config.with_prefill());
  BOOST_TEST(prefilled.told.size() == 3U);
  check_regions(prefilled.told);
  BOOST_TEST(are_same(prefilled.told, prefilled.pool.regions()));
  for (const Region& region : prefilled.told) {
    BOOST_TEST(resident_pages(region.base, region.length) == pages_of(region.length));
  }
}

BOOST_FIXTURE_TEST_CASE(told_by_the_thread_that_allocates_before_it_has_the_buffer, Pinned) {
  std::thread::id teller;
  bool located = false;
  pool.on_region([&](const Region& region) {
    teller = std::this_thread::get_id();
    located = pool.locate(region.base).has_value();
  });
  std::thread::id allocating;
  Buffer buffer;
  std::thread([&] {
    allocating = std::this_thread::get_id();
    buffer = pool.alloc(1);
  }).join();
  BOOST_TEST((teller == allocating));
  BOOST_TEST(!located);
  BOOST_TEST(pool.locate(buffer.data()).has_value());
}

BOOST_FIXTURE_TEST_CASE(the_callback_may_use_the_pool, Pinned) {
  std::vector<Buffer> gained;
  pool.on_region([&](const Region& region) {
    told.push_back(region);
    BOOST_TEST(pool.regions().size() == told.size());
    if (told.size() < std::size(kSizes)) {
      gained.push_back(pool.alloc(kSizes[told.size()]));
    }
  });
  const Buffer buffer = pool.alloc(kSizes[0]);
  BOOST_TEST(told.size() == std::size(kSizes));
  BOOST_TEST(count_pooled(gained) == std::size(kSizes) - 1);
  check_regions(told);
}

BOOST_AUTO_TEST_CASE(threads_tell_of_each_once) {
  for (int round = 0; round < 10; ++round) {
    Pool pool = make_pool(pinned());
    std::mutex mutex;
    std::vector<Region> told;
    pool.on_region([&](const Region& region) {
      const std::lock_guard lock(mutex);
      told.push_back(region);
    });
    std::vector<std::vector<Buffer>> held(4);
    in_threads(4, [&](size_t thread) {
      for (const size_t size : kSizes) {
        for (Buffer& buffer : take(pool, kBuffers / 4, size)) {
          held[thread].push_back(std::move(buffer));
        }
      }
    });
    std::sort(told.begin(), told.end(),
              [](const Region& one, const Region& other) { return one.id < other.id; });
    check_regions(told);
    BOOST_TEST(are_same(told, pool.regions()));
    for (const std::vector<Buffer>& mine : held) {
      for (const Buffer& buffer : mine) {
        BOOST_TEST(pool.locate(buffer.data()).has_value());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(without_pinning_there_are_none) {
  Pinned loose(pinned().with_pinned(false));
  for (const Buffer& buffer : loose.take_everything()) {
    BOOST_TEST(!loose.pool.locate(buffer.data()).has_value());
  }
  BOOST_TEST(loose.pool.regions().empty());
  BOOST_TEST(loose.told.empty());
}

BOOST_AUTO_TEST_CASE(memory_stays_as_long_as_a_buffer_does) {
  Buffer last;
  const std::byte* base = nullptr;
  {
    Pool pool =
        make_pool(one_class(8, ThreadCachePolicy::exact(2), kMiB).with_pinned().with_prefill());
    base = pool.regions().at(0).base;
    last = pool.alloc(1);
    const Buffer returned = pool.alloc(1);
  }
  BOOST_TEST(resident_pages(base, 8 * kMiB) == pages_of(8 * kMiB));
}

BOOST_FIXTURE_TEST_CASE(purge_gives_nothing_back, Pinned) {
  std::vector<Buffer> buffers = take(pool, SIZE_MAX, kMiB);
  for (Buffer& buffer : buffers) {
    fill_up(buffer, std::byte{1});
  }
  buffers.clear();
  pool.flush();
  BOOST_TEST(pool.purge() == 0U);
  BOOST_REQUIRE(told.size() == 1U);
  BOOST_TEST(resident_pages(told[0].base, told[0].length) == pages_of(told[0].length));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

// SPDX-License-Identifier: MIT
// What is left of a pool while buffers are in use. Point C11 of alloc/docs/POOL.md.
#include <boost/test/unit_test.hpp>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/mapped_bytes.h"
#include "test/pool/fixture.h"
#include "test/pool/worker.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_end)

BOOST_AUTO_TEST_CASE(c11_buffers_stay_valid_without_their_pool) {
  Buffer buffer;
  Buffer unpooled;
  SharedBuffer shared;
  SharedBuffer slice;
  RawBuffer raw;
  Tenant tenant;
  {
    Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
    tenant = pool.tenant("late");
    buffer = pool.alloc(1, tenant);
    fill_up(buffer, std::byte{1});
    unpooled = pool.alloc(100 * kKiB);
    fill_up(unpooled, std::byte{2});
    Buffer third = pool.alloc(1, tenant);
    fill_up(third, std::byte{3});
    shared = std::move(third).freeze();
    slice = shared.slice(100, 100);
    Buffer fourth = pool.alloc(1, tenant);
    fill_up(fourth, std::byte{4});
    raw = RawBuffer::from(std::move(fourth));
  }
  BOOST_TEST(tenant.live_bytes() == 12 * kKiB);
  BOOST_TEST(all_are(buffer.span(), std::byte{1}));
  BOOST_TEST(buffer.is_pooled());
  BOOST_TEST(all_are(unpooled.span(), std::byte{2}));
  BOOST_TEST(!unpooled.is_pooled());
  unpooled.release();
  BOOST_TEST(all_are(shared.span(), std::byte{3}));
  BOOST_TEST(!shared.is_unique());
  shared = SharedBuffer();
  BOOST_TEST(all_are(slice.span(), std::byte{3}));
  expected<Buffer, SharedBuffer> again = std::move(slice).to_buffer();
  BOOST_REQUIRE(again.has_value());
  BOOST_TEST(again->capacity() == 4 * kKiB - 100);
  again->release();
  BOOST_TEST(tenant.live_bytes() == 8 * kKiB);
  buffer.release();
  Buffer last = RawBuffer::adopt(raw);
  BOOST_TEST(all_are(last.span(), std::byte{4}));
}

// There is no pool to take more from, but a resize may still find memory elsewhere.
BOOST_AUTO_TEST_CASE(c11_a_resize_without_the_pool_loses_nothing) {
  for (const size_t size : {8 * kKiB, 100 * kKiB}) {
    Buffer buffer;
    Buffer witness;
    {
      Pool pool = make_pool(PoolConfig().with_sizes(4 * kKiB, 8 * kKiB));
      buffer = pool.alloc(1);
      fill_up(buffer, std::byte{1});
      witness = pool.alloc(1);
      fill_up(witness, std::byte{2});
    }
    const bool resized = buffer.resize(size, std::byte{1});
    BOOST_TEST(buffer.size() == (resized ? size : 4 * kKiB));
    BOOST_TEST(all_are(buffer.span(), std::byte{1}));
    buffer.release();
    BOOST_REQUIRE(resident_pages(witness.data(), 4 * kKiB) == 1U);
    BOOST_TEST(all_are(witness.span(), std::byte{2}));
  }
}

BOOST_AUTO_TEST_CASE(c11_the_pool_s_end_frees_what_is_free_at_once) {
  constexpr size_t kBuffers = 16;
  for (const size_t cache : {size_t{0}, size_t{8}}) {
    Buffer kept;
    std::vector<const std::byte*> starts;
    {
      Pool pool = make_pool(one_class(kBuffers, ThreadCachePolicy::exact(cache), kMiB));
      std::vector<Buffer> buffers = take(pool, SIZE_MAX, kMiB);
      BOOST_REQUIRE(buffers.size() == kBuffers);
      for (Buffer& buffer : buffers) {
        fill_up(buffer, std::byte{5});
        starts.push_back(buffer.data());
      }
      kept = std::move(buffers[kBuffers / 2]);
      buffers.clear();
      for (const std::byte* start : starts) {
        BOOST_TEST(resident_pages(start, kMiB) == pages_of(kMiB));
      }
    }
    for (const std::byte* start : starts) {
      BOOST_TEST(resident_pages(start, kMiB) == (start == kept.data() ? pages_of(kMiB) : 0U));
    }
    BOOST_TEST(all_are(kept.span(), std::byte{5}));
    const std::byte* const start = kept.data();
    kept.release();
    BOOST_TEST(resident_pages(start, kMiB) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c11_the_rest_goes_as_it_comes_back) {
  constexpr size_t kBuffers = 8;
  std::vector<Buffer> buffers;
  {
    Pool pool = make_pool(one_class(kBuffers, ThreadCachePolicy::exact(8), kMiB));
    buffers = take(pool, SIZE_MAX, kMiB);
    BOOST_REQUIRE(buffers.size() == kBuffers);
    for (Buffer& buffer : buffers) {
      fill_up(buffer, std::byte{6});
    }
  }
  Worker worker;
  while (!buffers.empty()) {
    const std::byte* const start = buffers.back().data();
    BOOST_TEST(all_are(buffers.back().span(), std::byte{6}));
    if (buffers.size() % 2 == 0) {
      buffers.pop_back();
    } else {
      worker.run([&buffers] { buffers.pop_back(); });
    }
    BOOST_TEST(resident_pages(start, kMiB) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c11_buffers_in_other_threads_caches_go_with_these) {
  Worker worker;
  std::vector<const std::byte*> starts;
  {
    Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(4), kMiB));
    worker.run([&pool, &starts] {
      std::vector<Buffer> buffers = take(pool, 4, kMiB);
      for (Buffer& buffer : buffers) {
        fill_up(buffer, std::byte{7});
        starts.push_back(buffer.data());
      }
    });
    BOOST_TEST(first_class(pool).cached == 4U);
  }
  worker.end();
  for (const std::byte* start : starts) {
    BOOST_TEST(resident_pages(start, kMiB) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c11_threads_with_caches_of_gone_pools_go_on) {
  Worker worker;
  for (int round = 0; round < 50; ++round) {
    Buffer kept;
    {
      Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
      worker.run([&pool, &kept] {
        kept = std::move(take(pool, 4).front());
        fill_up(kept, std::byte{8});
      });
      take(pool);
    }
    Pool other = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
    size_t taken = 0;
    worker.run([&other, &taken, &kept] {
      std::vector<Buffer> buffers = take(other);
      taken = buffers.size();
      for (Buffer& buffer : buffers) {
        fill_up(buffer, std::byte{9});
      }
      if (all_are(kept.span(), std::byte{8})) {
        kept.release();
      }
    });
    BOOST_TEST(taken == 8U);
    BOOST_TEST(!kept);
    worker.run([&other] { other.flush(); });
    check_places(other, 0, 0, 8);
  }
}

BOOST_AUTO_TEST_CASE(c11_thread_local_objects_outlive_the_pool) {
  Worker worker;
  const std::byte* start = nullptr;
  {
    Pool pool = make_pool(one_class(2, ThreadCachePolicy::exact(2), kMiB));
    worker.run([&pool, &start] {
      thread_local Keeper keeper;
      keeper.buffer = pool.alloc(kMiB);
      fill_up(keeper.buffer, std::byte{10});
      start = keeper.buffer.data();
    });
  }
  BOOST_TEST(resident_pages(start, kMiB) == pages_of(kMiB));
  worker.end();
  BOOST_TEST(resident_pages(start, kMiB) == 0U);
}

BOOST_AUTO_TEST_CASE(c11_nothing_is_left_of_many_pools) {
  const auto round = [] {
    std::optional<Pool> pool = make_pool(one_class(64, ThreadCachePolicy::exact(4), kMiB));
    Buffer kept = pool->alloc(kMiB);
    std::thread([&pool] { take(*pool, 4, kMiB); }).join();
    SharedBuffer shared = pool->alloc_len(kMiB).freeze();
    pool.reset();
    std::thread([&shared] { shared = SharedBuffer(); }).join();
  };
  for (int i = 0; i < 10; ++i) {
    round();
  }
  const uint64_t before = spillway::testing::mapped_bytes();
  for (int i = 0; i < 100; ++i) {
    round();
  }
  BOOST_TEST(spillway::testing::mapped_bytes() <= before + 64 * kMiB);
}

BOOST_AUTO_TEST_CASE(c11_a_moved_pool_is_the_same_pool) {
  Pool first = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
  const Buffer buffer = first.alloc(1);
  Pool second = std::move(first);
  BOOST_TEST(first_class(second).live == 1U);
  Pool third = make_pool(one_class(2, ThreadCachePolicy::exact(2)));
  third = std::move(second);
  BOOST_TEST(first_class(third).live == 1U);
  BOOST_TEST(take(third).size() == 7U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

// SPDX-License-Identifier: MIT
#include "spillway/tenant.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "test/pool/fixture.h"
#include "test/pool/tiered.h"
#include "test/pool/worker.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_tenants)

BOOST_FIXTURE_TEST_CASE(b7_the_total_is_the_sum_of_tenants, Tiered) {
  BOOST_TEST(live_bytes() == 0U);
  const Buffer one = pool.alloc(1, pool.tenant("alpha"));
  const Buffer two = pool.alloc(kMedium, pool.tenant("beta"));
  const Buffer three = pool.alloc(kMedium + 1, pool.tenant("beta"));
  pool.tenant("gamma").record_allocation(77);
  BOOST_TEST(usage_of("alpha").live_bytes == kSmall);
  BOOST_TEST(usage_of("beta").live_bytes == kMedium + kLarge);
  BOOST_TEST(usage_of("gamma").live_bytes == 77U);
  BOOST_TEST(live_bytes() == kSmall + kMedium + kLarge + 77);
}

BOOST_FIXTURE_TEST_CASE(b7_a_release_of_too_much_leaves_zero, Tiered) {
  pool.tenant("alpha").record_allocation(1000);
  pool.tenant("beta").record_allocation(500);
  pool.tenant("alpha").record_release(5000);
  BOOST_TEST(usage_of("alpha").live_bytes == 0U);
  BOOST_TEST(live_bytes() == 500U);
  pool.tenant("unknown").record_release(UINT64_MAX);
  BOOST_TEST(usage_of("unknown").live_bytes == 0U);
  BOOST_TEST(live_bytes() == 500U);
  pool.tenant("alpha").record_allocation(3);
  BOOST_TEST(live_bytes() == 503U);
}

BOOST_FIXTURE_TEST_CASE(b7_recorded_allocations_stop_at_the_largest_number, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  tenant.record_allocation(UINT64_MAX - 10);
  BOOST_TEST(tenant.live_bytes() == UINT64_MAX - 10);
  tenant.record_allocation(11);
  BOOST_TEST(tenant.live_bytes() == UINT64_MAX);
  tenant.record_allocation(UINT64_MAX);
  BOOST_TEST(tenant.live_bytes() == UINT64_MAX);
  BOOST_TEST(exceeded("alpha") == 3U);
  tenant.record_release(UINT64_MAX);
  BOOST_TEST(tenant.live_bytes() == 0U);
  tenant.record_allocation(5);
  BOOST_TEST(live_bytes() == 5U);
}

BOOST_FIXTURE_TEST_CASE(b7_so_does_a_buffer_that_was_released_twice_over, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  Buffer buffer = pool.alloc(1, tenant);
  tenant.record_release(2 * kSmall);
  BOOST_TEST(tenant.live_bytes() == 0U);
  buffer.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
  BOOST_TEST(live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b7_the_total_holds_with_many_threads, Tiered) {
  constexpr size_t kThreads = 4;
  constexpr size_t kHeld = 8;
  const std::string names[] = {"alpha", "beta", "gamma"};
  std::atomic<size_t> finished{0};
  std::vector<std::vector<Buffer>> held(kThreads);
  std::thread observer([&] {
    while (finished.load() < kThreads) {
      // A total below zero would be far above this: what is held, and one more in each hand.
      if (pool.statistics().live_bytes > kThreads * (kHeld + 1) * (kMedium + 100)) {
        BOOST_ERROR("the total is out of bounds");
        return;
      }
      std::this_thread::yield();
    }
  });
  in_threads(kThreads, [&](size_t thread) {
    std::vector<Buffer>& mine = held[thread];
    mine.resize(kHeld);
    uint64_t random = thread + 1;
    for (int i = 0; i < 4000; ++i) {
      random = random * 6364136223846793005U + 1442695040888963407U;
      const Tenant tenant = pool.tenant(names[(random >> 40) % 3]);
      Buffer& buffer = mine[(random >> 50) % kHeld];
      buffer = pool.alloc((random >> 45) % 2 == 0 ? kSmall : kMedium, tenant);
      tenant.record_allocation(100);
      tenant.record_release(100);
    }
    finished.fetch_add(1);
  });
  observer.join();
  uint64_t expected = 0;
  for (const std::vector<Buffer>& mine : held) {
    for (const Buffer& buffer : mine) {
      expected += buffer.capacity();
    }
  }
  BOOST_TEST(live_bytes() == expected);
  in_threads(kThreads, [&](size_t thread) { held[(thread + 1) % kThreads].clear(); });
  BOOST_TEST(live_bytes() == 0U);
  for (const std::string& name : names) {
    BOOST_TEST(usage_of(name).live_bytes == 0U);
  }
}

BOOST_FIXTURE_TEST_CASE(b8_a_buffer_counts_its_capacity_until_it_is_gone, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  {
    Buffer buffer = pool.alloc(1, tenant);
    BOOST_TEST(tenant.live_bytes() == kSmall);
    buffer.clear();
    BOOST_TEST(buffer.set_size(kSmall));
    BOOST_TEST(tenant.live_bytes() == kSmall);
    const Buffer moved = std::move(buffer);
    BOOST_TEST(tenant.live_bytes() == kSmall);
  }
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_every_kind_of_allocation_counts, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  {
    const Buffer buffers[] = {
        pool.alloc(1, tenant),
        pool.alloc_len(1, tenant),
        pool.alloc_zeroed(1, tenant),
        pool.acquire(1, tenant),
        *pool.try_alloc(1, tenant),
        *pool.try_alloc_len(1, tenant),
        *pool.try_alloc_zeroed(1, tenant),
    };
    BOOST_TEST(tenant.live_bytes() == 7 * kSmall);
  }
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_unpooled_buffers_count_exactly, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  Buffer oversize = pool.alloc(kHuge + 1, tenant);
  BOOST_TEST(tenant.live_bytes() == kHuge + 1);
  oversize.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
  const std::vector<Buffer> all = alloc_many(64, kMedium);
  Buffer unpooled = pool.alloc(kMedium - 1, tenant);
  BOOST_TEST(!unpooled.is_pooled());
  BOOST_TEST(tenant.live_bytes() == kMedium - 1);
  unpooled.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_buffers_without_a_tenant_are_not_counted, Tiered) {
  const Buffer buffer = pool.alloc(1);
  BOOST_TEST(live_bytes() == 0U);
  BOOST_TEST(pool.statistics().tenants.empty());
}

BOOST_FIXTURE_TEST_CASE(b8_another_thread_may_end_it, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  std::vector<Buffer> buffers = alloc_many(10, kMedium, tenant);
  std::thread([theirs = std::move(buffers)]() mutable { theirs.clear(); }).join();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_a_resized_buffer_stays_its_tenants, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  Buffer buffer = pool.alloc(1, tenant);
  BOOST_TEST(buffer.resize(kSmall + 1));
  BOOST_TEST(tenant.live_bytes() == kMedium);
  BOOST_TEST(buffer.resize(kHuge + 1));
  BOOST_TEST(tenant.live_bytes() == kHuge + 1);
  buffer.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_shared_memory_counts_once_until_the_last_is_gone, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  for (const size_t size : {kSmall, kHuge + 1}) {
    SharedBuffer shared = pool.alloc_len(size, tenant).freeze();
    BOOST_TEST(tenant.live_bytes() == size);
    const SharedBuffer part = shared.slice(10, 20);
    BOOST_TEST(tenant.live_bytes() == size);
    shared = SharedBuffer();
    BOOST_TEST(tenant.live_bytes() == size);
    std::thread([last = part]() mutable { last = SharedBuffer(); }).join();
    BOOST_TEST(tenant.live_bytes() == size);
  }
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_a_buffer_that_was_shared_stays_its_tenants, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  SharedBuffer shared = pool.alloc_len(100, tenant).freeze();
  shared.advance(40);
  auto buffer = std::move(shared).to_buffer();
  BOOST_REQUIRE(buffer.has_value());
  BOOST_TEST(buffer->capacity() == kSmall - 40);
  BOOST_TEST(tenant.live_bytes() == kSmall);
  buffer->release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_so_does_one_that_went_through_a_c_interface, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  const RawBuffer freed = RawBuffer::from(pool.alloc(1, tenant));
  const RawBuffer adopted = RawBuffer::from(pool.alloc(kMedium, tenant));
  BOOST_TEST(tenant.live_bytes() == kSmall + kMedium);
  freed.free_function(freed.data, freed.hint);
  BOOST_TEST(tenant.live_bytes() == kMedium);
  RawBuffer::adopt(adopted).release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_accounting_outlives_the_pool, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  std::vector<Buffer> buffers = alloc_many(2, kSmall, tenant);
  buffers.push_back(pool.alloc(kHuge + 1, tenant));
  { const Pool gone = std::move(pool); }
  BOOST_TEST(tenant.live_bytes() == 2 * kSmall + kHuge + 1);
  buffers.pop_back();
  buffers.pop_back();
  BOOST_TEST(tenant.live_bytes() == kSmall);
  BOOST_TEST(tenant.usage().name == "alpha");
}

BOOST_FIXTURE_TEST_CASE(b8_manual_records, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  const Buffer buffer = pool.alloc(1, tenant);
  tenant.record_allocation(500);
  BOOST_TEST(tenant.live_bytes() == kSmall + 500);
  tenant.record_release(200);
  BOOST_TEST(tenant.live_bytes() == kSmall + 300);
  BOOST_TEST(live_bytes() == kSmall + 300);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

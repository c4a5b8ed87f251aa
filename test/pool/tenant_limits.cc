// SPDX-License-Identifier: MIT
// Soft limits of tenants: who exceeds them, and who is told.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "test/pool/counting_new.h"
#include "test/pool/fixture.h"
#include "test/pool/tiered.h"
#include "test/pool/worker.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

// What a callback was told, and by whom.
struct Calls : Tiered {
  Calls() {
    pool.on_tenant_limit([this](const TenantUsage& usage) {
      usages.push_back(usage);
      threads.insert(std::this_thread::get_id());
    });
  }

  std::vector<TenantUsage> usages;
  std::set<std::thread::id> threads;
};

BOOST_AUTO_TEST_SUITE(pool_tenant_limits)

BOOST_FIXTURE_TEST_CASE(b6_unknown_tenants_start_with_the_default, Tiered) {
  BOOST_TEST(pool.tenant("new").usage().soft_limit_bytes == 256 * kMiB);
  BOOST_TEST(usage_of("new").soft_limit_bytes == 256 * kMiB);
  const Tiered other(PoolConfig::tiered().with_tenant_soft_limit(12345));
  BOOST_TEST(other.pool.tenant("new").usage().soft_limit_bytes == 12345U);
}

BOOST_FIXTURE_TEST_CASE(b6_a_name_is_one_tenant, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  tenant.record_allocation(100);
  pool.tenant("alpha").record_allocation(10);
  BOOST_TEST(tenant.live_bytes() == 110U);
  BOOST_TEST(usage_of("alpha").live_bytes == 110U);
  BOOST_TEST(pool.tenant("Alpha").live_bytes() == 0U);
  BOOST_TEST(!Tenant());
  BOOST_TEST(!!tenant);
}

BOOST_FIXTURE_TEST_CASE(b6_each_allocation_made_while_over_counts, Tiered) {
  pool.set_tenant_soft_limit("alpha", 2 * kSmall);
  const Tenant tenant = pool.tenant("alpha");
  BOOST_TEST(tenant.usage().soft_limit_bytes == 2 * kSmall);
  std::vector<Buffer> buffers = alloc_many(2, kSmall, tenant);
  BOOST_TEST(exceeded("alpha") == 0U);  // at the limit is not over it
  for (uint64_t over = 1; over <= 3; ++over) {
    buffers.push_back(pool.alloc(kSmall, tenant));
    BOOST_TEST(buffers.back().is_pooled());
    BOOST_TEST(exceeded("alpha") == over);
  }
  BOOST_TEST(pool.try_alloc(kSmall, tenant).has_value());
  BOOST_TEST(exceeded("alpha") == 4U);
  buffers.clear();
  BOOST_TEST(exceeded("alpha") == 4U);
  pool.alloc(kSmall, tenant).release();
  BOOST_TEST(exceeded("alpha") == 4U);
}

BOOST_FIXTURE_TEST_CASE(b6_a_limit_of_its_own_leaves_others_alone, Tiered) {
  pool.set_tenant_soft_limit("alpha", 0);
  const Buffer one = pool.alloc(1, pool.tenant("alpha"));
  const Buffer other = pool.alloc(1, pool.tenant("beta"));
  BOOST_TEST(exceeded("alpha") == 1U);
  BOOST_TEST(exceeded("beta") == 0U);
}

BOOST_FIXTURE_TEST_CASE(b6_a_limit_may_change_at_any_time, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  const std::vector<Buffer> buffers = alloc_many(3, kSmall, tenant);
  BOOST_TEST(exceeded("alpha") == 0U);
  pool.set_tenant_soft_limit("alpha", kSmall);
  BOOST_TEST(exceeded("alpha") == 0U);
  pool.alloc(1, tenant).release();
  BOOST_TEST(exceeded("alpha") == 1U);
  pool.set_tenant_soft_limit("alpha", kMiB);
  pool.alloc(1, tenant).release();
  BOOST_TEST(exceeded("alpha") == 1U);
  BOOST_TEST(tenant.live_bytes() == 3 * kSmall);
}

BOOST_FIXTURE_TEST_CASE(b6_recorded_allocations_count_as_well, Tiered) {
  pool.set_tenant_soft_limit("alpha", 1024);
  const Tenant tenant = pool.tenant("alpha");
  tenant.record_allocation(2048);
  tenant.record_allocation(512);
  BOOST_TEST(exceeded("alpha") == 2U);
  BOOST_TEST(tenant.live_bytes() == 2560U);
}

BOOST_FIXTURE_TEST_CASE(b6_a_crossing_is_told_once, Calls) {
  pool.set_tenant_soft_limit("alpha", 2 * kSmall);
  const Tenant tenant = pool.tenant("alpha");
  std::vector<Buffer> buffers = alloc_many(2, kSmall, tenant);
  BOOST_TEST(usages.empty());
  buffers.push_back(pool.alloc(kSmall, tenant));
  BOOST_REQUIRE(usages.size() == 1U);
  BOOST_TEST(usages[0].name == "alpha");
  BOOST_TEST(usages[0].live_bytes == 3 * kSmall);
  BOOST_TEST(usages[0].soft_limit_bytes == 2 * kSmall);
  buffers.push_back(pool.alloc(kSmall, tenant));
  buffers.pop_back();
  buffers.push_back(pool.alloc(kSmall, tenant));  // was never below
  BOOST_TEST(usages.size() == 1U);
  buffers.resize(2);
  buffers.push_back(pool.alloc(kSmall, tenant));
  BOOST_TEST(usages.size() == 2U);
}

BOOST_FIXTURE_TEST_CASE(b6_a_crossing_is_told_without_a_name_when_there_is_no_memory, Tiered) {
  TenantUsage told{"nothing"};
  int calls = 0;
  pool.on_tenant_limit([&](const TenantUsage& usage) {
    ++calls;
    told.name.assign(usage.name);
    told.live_bytes = usage.live_bytes;
    told.soft_limit_bytes = usage.soft_limit_bytes;
  });
  const std::string name(200, 'n');
  pool.set_tenant_soft_limit(name, 10);
  const Tenant tenant = pool.tenant(name);
  {
    const RefusingNew refusing(0);
    tenant.record_allocation(11);
  }
  BOOST_TEST(calls == 1);
  BOOST_TEST(told.name.empty());
  BOOST_TEST(told.live_bytes == 11U);
  BOOST_TEST(told.soft_limit_bytes == 10U);
  const Buffer buffer = pool.alloc(1, tenant);
  BOOST_TEST(exceeded(name) == 2U);
}

BOOST_FIXTURE_TEST_CASE(b6_told_by_the_thread_that_allocates, Calls) {
  pool.set_tenant_soft_limit("alpha", 0);
  std::thread::id allocating;
  std::thread([&] {
    allocating = std::this_thread::get_id();
    pool.alloc(1, pool.tenant("alpha")).release();
  }).join();
  BOOST_TEST(usages.size() == 1U);
  BOOST_TEST((threads == std::set<std::thread::id>{allocating}));
}

BOOST_FIXTURE_TEST_CASE(b6_every_kind_of_allocation_tells, Calls) {
  pool.set_tenant_soft_limit("alpha", 0);
  const Tenant tenant = pool.tenant("alpha");
  pool.alloc(1, tenant).release();
  pool.alloc_len(1, tenant).release();
  pool.alloc_zeroed(1, tenant).release();
  pool.acquire(1, tenant).release();
  pool.alloc(kHuge + 1, tenant).release();
  pool.try_alloc(1, tenant)->release();
  pool.try_alloc_len(1, tenant)->release();
  pool.try_alloc_zeroed(1, tenant)->release();
  BOOST_TEST(usages.size() == 8U);
  BOOST_TEST(exceeded("alpha") == 8U);
  BOOST_TEST(live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b6_what_is_refused_is_not_counted, Calls) {
  pool.set_tenant_soft_limit("alpha", 0);
  const Tenant tenant = pool.tenant("alpha");
  BOOST_TEST(!pool.try_alloc(kHuge + 1, tenant).has_value());
  const std::vector<Buffer> all = alloc_many(64, kSmall);
  BOOST_TEST(!pool.try_alloc(kSmall, tenant).has_value());
  BOOST_TEST(!pool.alloc(SIZE_MAX, tenant));
  BOOST_TEST(usages.empty());
  BOOST_TEST(exceeded("alpha") == 0U);
  BOOST_TEST(live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b6_the_callback_may_use_the_pool, Tiered) {
  pool.set_tenant_soft_limit("alpha", kSmall);
  std::vector<Buffer> gained;
  uint64_t seen = 0;
  pool.on_tenant_limit([&](const TenantUsage& usage) {
    seen = pool.statistics().live_bytes;
    gained.push_back(pool.alloc(kSmall, pool.tenant(usage.name)));
    gained.push_back(pool.alloc(kSmall, pool.tenant("beta")));
    pool.set_tenant_soft_limit(usage.name, kMiB);
    pool.on_tenant_limit({});
  });
  const std::vector<Buffer> buffers = alloc_many(3, kSmall, pool.tenant("alpha"));
  BOOST_TEST(seen == 2 * kSmall);
  BOOST_TEST(gained.size() == 2U);
  BOOST_TEST(exceeded("alpha") == 2U);  // the second, and the first in the callback
  BOOST_TEST(usage_of("alpha").soft_limit_bytes == kMiB);
  BOOST_TEST(live_bytes() == 5 * kSmall);
}

BOOST_FIXTURE_TEST_CASE(b6_a_callback_replaces_the_one_before, Calls) {
  pool.set_tenant_soft_limit("alpha", 0);
  int calls = 0;
  pool.on_tenant_limit([&calls](const TenantUsage&) { ++calls; });
  pool.alloc(1, pool.tenant("alpha")).release();
  BOOST_TEST(usages.empty());
  BOOST_TEST(calls == 1);
  pool.on_tenant_limit({});
  pool.alloc(1, pool.tenant("alpha")).release();
  BOOST_TEST(calls == 1);
}

BOOST_FIXTURE_TEST_CASE(b6_a_resize_above_the_limit_is_no_crossing, Calls) {
  pool.set_tenant_soft_limit("calls", kSmall + 1);
  const Tenant tenant = pool.tenant("calls");
  const Buffer other = pool.alloc(kSmall, tenant);
  Buffer buffer = pool.alloc(kSmall, tenant);
  const size_t before = usages.size();
  BOOST_TEST(buffer.resize(kSmall + 1));
  BOOST_TEST(usages.size() == before);
  BOOST_TEST(tenant.usage().soft_limit_exceeded_total == 2U);
}

BOOST_FIXTURE_TEST_CASE(b6_a_resize_crosses_with_its_final_size_alone, Calls) {
  pool.set_tenant_soft_limit("alpha", kMedium);
  Buffer buffer = pool.alloc(kSmall, pool.tenant("alpha"));
  BOOST_TEST(buffer.resize(kMedium));  // together with the old one it would be too much
  BOOST_TEST(exceeded("alpha") == 0U);
  BOOST_TEST(usages.empty());
  BOOST_TEST(buffer.resize(kMedium + 1));
  BOOST_TEST(exceeded("alpha") == 1U);
  BOOST_REQUIRE(usages.size() == 1U);
  BOOST_TEST(usages[0].live_bytes == kLarge);
}

BOOST_FIXTURE_TEST_CASE(b6_threads_cross_a_limit_once_and_count_each_time, Tiered) {
  constexpr size_t kThreads = 4;
  constexpr size_t kEach = 16;
  constexpr size_t kUnder = 30;
  pool.set_tenant_soft_limit("alpha", kUnder * kSmall);
  std::atomic<int> calls{0};
  pool.on_tenant_limit([&calls](const TenantUsage&) { calls.fetch_add(1); });
  std::vector<std::vector<Buffer>> held(kThreads);
  in_threads(kThreads, [&](size_t thread) {
    const Tenant tenant = pool.tenant("alpha");
    for (size_t i = 0; i < kEach; ++i) {
      held[thread].push_back(pool.alloc(kSmall, tenant));
    }
  });
  BOOST_TEST(calls.load() == 1);
  BOOST_TEST(exceeded("alpha") == kThreads * kEach - kUnder);
  BOOST_TEST(live_bytes() == kThreads * kEach * kSmall);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

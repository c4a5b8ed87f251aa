// SPDX-License-Identifier: MIT
// What tenants are charged, and when a soft limit tells. The whole of it, with forks and the ends
// of threads, is in test/preload/tenants.c.
#include "alloc/heap/tenants.h"

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

stats::TenantSnapshot usage_of(int tenant) {
  stats::TenantSnapshot usage;
  BOOST_REQUIRE(read_tenant(tenant, usage));
  return usage;
}

BOOST_FIXTURE_TEST_SUITE(heap_tenants, HeapFixture)

BOOST_AUTO_TEST_CASE(threads_that_make_one_name_at_once_share_it) {
  constexpr unsigned kThreads = 4;
  constexpr unsigned kNames = 10;
  std::atomic<unsigned> ready{0};
  int made[kThreads][kNames] = {};
  std::vector<std::thread> threads;
  for (unsigned number = 0; number < kThreads; ++number) {
    threads.emplace_back([&, number] {
      for (++ready; ready != kThreads;) {
        std::this_thread::yield();
      }
      for (unsigned name = 0; name < kNames; ++name) {
        made[number][name] = create_tenant("together" + std::to_string(name), 1000 + name);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (unsigned name = 0; name < kNames; ++name) {
    BOOST_TEST(made[0][name] > 0);
    BOOST_TEST(usage_of(made[0][name]).tenant == "together" + std::to_string(name));
    BOOST_TEST(usage_of(made[0][name]).soft_limit_bytes == 1000 + name);
    for (unsigned number = 1; number < kThreads; ++number) {
      BOOST_TEST(made[number][name] == made[0][name]);
    }
  }
  BOOST_TEST(last_tenant() >= static_cast<int>(kNames));
}

BOOST_AUTO_TEST_CASE(what_is_no_tenant_has_no_figures) {
  stats::TenantSnapshot usage;
  BOOST_TEST(!read_tenant(0, usage));
  BOOST_TEST(!read_tenant(-1, usage));
  BOOST_TEST(!read_tenant(kMaxTenants, usage));
  BOOST_TEST(!read_tenant(kMaxTenants + 1, usage));
  BOOST_TEST(!set_tenant_limit(0, 1));
  charge_tenant(kNoTenant, 4096);
  credit_tenant(kNoTenant, 8192);
  recharge_tenant(kNoTenant, 64, 128);
  note_uncharged(kNoTenant);
  BOOST_TEST(!read_tenant(0, usage));
}

BOOST_AUTO_TEST_CASE(charges_add_up) {
  const int number = create_tenant("sums", kNoLimit);
  const auto tenant = static_cast<uint8_t>(number);
  constexpr uint64_t kHalf = 512 * kGiB;
  charge_tenant(tenant, kHalf);
  charge_tenant(tenant, kHalf - 64);
  BOOST_TEST(usage_of(number).live_bytes == 2 * kHalf - 64);
  BOOST_TEST(usage_of(number).live_blocks == 2U);
  recharge_tenant(tenant, kHalf - 64, 64);
  BOOST_TEST(usage_of(number).live_bytes == kHalf + 64);
  recharge_tenant(tenant, 64, 128);
  credit_tenant(tenant, kHalf);
  BOOST_TEST(usage_of(number).live_bytes == 128U);
  BOOST_TEST(usage_of(number).live_blocks == 1U);
  credit_tenant(tenant, 128);
  note_uncharged(tenant);
  const stats::TenantSnapshot usage = usage_of(number);
  BOOST_TEST(usage.live_bytes == 0U);
  BOOST_TEST(usage.live_blocks == 0U);
  BOOST_TEST(usage.peak_bytes == 2 * kHalf - 64);
  BOOST_TEST(usage.allocations_total == 2U);
  BOOST_TEST(usage.uncharged_total == 1U);
  BOOST_TEST(usage.soft_limit_exceeded_total == 0U);
}

int calls;

BOOST_AUTO_TEST_CASE(a_crossing_is_told_once_and_not_in_a_signal_handler) {
  const int number = create_tenant("crossing", 64000);
  const auto tenant = static_cast<uint8_t>(number);
  calls = 0;
  set_tenant_callback([](int, uint64_t live, uint64_t limit) {
    ++calls;
    BOOST_TEST(live > limit);
    BOOST_TEST(limit == 64000U);
  });
  charge_tenant(tenant, 64000);
  BOOST_TEST(calls == 0);
  {
    const core::BusyScope busy(thread_state);
    charge_tenant(tenant, 6400);
  }
  BOOST_TEST(calls == 0);
  BOOST_TEST(usage_of(number).soft_limit_crossed_total == 0U);
  charge_tenant(tenant, 6400);
  charge_tenant(tenant, 6400);
  BOOST_TEST(calls == 1);
  BOOST_TEST(usage_of(number).soft_limit_exceeded_total == 3U);
  // Back to just below the limit, and again above: it stayed there.
  credit_tenant(tenant, 6400);
  credit_tenant(tenant, 6400);
  credit_tenant(tenant, 6400);
  charge_tenant(tenant, 6400);
  BOOST_TEST(calls == 1);
  credit_tenant(tenant, 6400);
  credit_tenant(tenant, 64000);
  charge_tenant(tenant, 64064);
  BOOST_TEST(calls == 2);
  BOOST_TEST(usage_of(number).soft_limit_crossed_total == 2U);
  credit_tenant(tenant, 64064);
  set_tenant_callback(nullptr);
  BOOST_TEST(usage_of(number).live_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(a_thread_without_a_cache_can_enter_none) {
  const int number = create_tenant("entered", kNoLimit);
  std::thread([&] {
    heap.engine.detach(thread_state);
    BOOST_TEST(enter_tenant(number) == -EAGAIN);
    BOOST_TEST(enter_tenant(kNoTenant) == 0);
    BOOST_TEST(tenant_of_thread() == kNoTenant);
    free(allocate(64 * kKiB));
    BOOST_TEST(usage_of(number).allocations_total == 0U);
  }).join();
}

BOOST_AUTO_TEST_CASE(only_threads_in_a_tenant_are_metered) {
  const int number = create_tenant("entered", kNoLimit);
  const int other = create_tenant("other", kNoLimit);
  free(allocate(4 * kKiB));  // the thread gets its cache
  const core::BinTable* const own = thread_state.bins.get();
  BOOST_REQUIRE(enter_tenant(number) == 0);
  BOOST_TEST((thread_state.bins.get() == &core::kCacheMetered));
  BOOST_TEST(enter_tenant(other) == number);
  BOOST_TEST((thread_state.bins.get() == &core::kCacheMetered));
  std::thread([] {
    free(allocate(4 * kKiB));
    BOOST_TEST((thread_state.bins.get() != &core::kCacheMetered));
  }).join();
  BOOST_TEST(enter_tenant(kNoTenant) == other);
  BOOST_TEST(thread_state.bins.get() == own);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap

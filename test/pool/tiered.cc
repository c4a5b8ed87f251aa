// A pool of four classes with tenants.
#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "alloc/base/bits.h"
#include "spillway/pool.h"

namespace spillway {
namespace {

constexpr size_t kSmall = 4 * kKiB;
constexpr size_t kMedium = 64 * kKiB;
constexpr size_t kLarge = kMiB;
constexpr size_t kHuge = 10 * kMiB;

struct Tiered {
  explicit Tiered(const PoolConfig& config = PoolConfig::tiered()) : created(Pool::create(config)) {
    BOOST_REQUIRE(created.has_value());
  }

  PoolClassStatistics class_named(std::string_view name) const {
    for (const PoolClassStatistics& one : pool.statistics().classes) {
      if (one.name == name) {
        return one;
      }
    }
    BOOST_FAIL("no class of this name");
    return {};
  }
  std::vector<Buffer> alloc_many(size_t count, size_t size, Tenant tenant = {}) {
    std::vector<Buffer> buffers;
    for (size_t i = 0; i < count; ++i) {
      buffers.push_back(pool.alloc(size, tenant));
      BOOST_REQUIRE(buffers.back());
    }
    return buffers;
  }
  // As the snapshot has it.
  TenantUsage usage_of(std::string_view name) const {
    std::optional<TenantUsage> found;
    for (const TenantUsage& usage : pool.statistics().tenants) {
      if (usage.name == name) {
        BOOST_TEST(!found.has_value());
        found = usage;
      }
    }
    BOOST_REQUIRE(found.has_value());
    return *found;
  }
  uint64_t exceeded(std::string_view name) const {
    return usage_of(name).soft_limit_exceeded_total;
  }
  // What all tenants hold, after a check that the total says the same.
  uint64_t live_bytes() const {
    const PoolStatistics statistics = pool.statistics();
    const uint64_t sum = std::accumulate(
        statistics.tenants.begin(), statistics.tenants.end(), uint64_t{0},
        [](uint64_t before, const TenantUsage& usage) { return before + usage.live_bytes; });
    BOOST_TEST(statistics.live_bytes == sum);
    return sum;
  }

  expected<Pool, std::string> created;
  Pool& pool = *created;
};

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

// Does it in so many threads at once; the argument counts them.
template <typename Work>
void in_threads(size_t count, Work work) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back(work, i);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

size_t count_pooled(const std::vector<Buffer>& buffers) {
  return static_cast<size_t>(std::count_if(buffers.begin(), buffers.end(),
                                           [](const Buffer& one) { return one.is_pooled(); }));
}

bool has_line(const std::string& text, const std::string& line) {
  return ('\n' + text).find('\n' + line + '\n') != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(tiered)

BOOST_FIXTURE_TEST_CASE(b1_four_classes_with_names, Tiered) {
  const std::vector<PoolClassStatistics> classes = pool.statistics().classes;
  const std::pair<std::string, uint64_t> cases[] = {
      {"small", kSmall}, {"medium", kMedium}, {"large", kLarge}, {"huge", kHuge}};
  BOOST_REQUIRE(classes.size() == 4U);
  for (size_t i = 0; i < classes.size(); ++i) {
    BOOST_TEST(classes[i].name == cases[i].first);
    BOOST_TEST(classes[i].size == cases[i].second);
  }
}

BOOST_FIXTURE_TEST_CASE(b1_requests_at_the_bounds_of_classes, Tiered) {
  const std::pair<size_t, size_t> cases[] = {
      {1, kSmall},           {kSmall, kSmall}, {kSmall + 1, kMedium}, {kMedium, kMedium},
      {kMedium + 1, kLarge}, {kLarge, kLarge}, {kLarge + 1, kHuge},   {kHuge, kHuge}};
  for (const auto& [asked, expected] : cases) {
    const Buffer buffer = pool.alloc(asked);
    BOOST_TEST(buffer.is_pooled());
    BOOST_TEST(buffer.capacity() == expected);
  }
  const Buffer oversize = pool.alloc(kHuge + 1);
  BOOST_TEST(!oversize.is_pooled());
  BOOST_TEST(oversize.capacity() == kHuge + 1);
}

BOOST_FIXTURE_TEST_CASE(b2_a_buffer_comes_empty_with_its_class_capacity, Tiered) {
  for (int round = 0; round < 2; ++round) {  // fresh, then reused
    Buffer buffer = pool.alloc(8 * kKiB);
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.capacity() == kMedium);
    BOOST_TEST(buffer.append("used"));
  }
  BOOST_TEST(class_named("medium").hits == 1U);
}

BOOST_FIXTURE_TEST_CASE(b2_appending_within_the_capacity_does_not_move, Tiered) {
  Buffer buffer = pool.alloc(1);
  const std::byte* const data = buffer.data();
  const std::string piece(100, 'p');
  std::string expected;
  while (expected.size() + piece.size() <= kSmall) {
    BOOST_REQUIRE(buffer.append(piece));
    BOOST_REQUIRE(buffer.data() == data);
    expected += piece;
  }
  const std::string rest(kSmall - expected.size(), 'r');
  BOOST_TEST(buffer.append(rest));
  BOOST_TEST(buffer.data() == data);
  BOOST_TEST(buffer.view() == expected + rest);
  BOOST_TEST(!buffer.append("x"));
  BOOST_TEST(buffer.append(""));
  BOOST_TEST(buffer.data() == data);
  BOOST_TEST(buffer.view() == expected + rest);
}

BOOST_FIXTURE_TEST_CASE(b2_what_is_too_long_is_not_appended_in_part, Tiered) {
  Buffer buffer = pool.alloc(1);
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(!buffer.append(std::string(kSmall - 2, 'x')));
  BOOST_TEST(buffer.view() == "abc");
}

BOOST_FIXTURE_TEST_CASE(b2_a_buffer_may_be_appended_to_itself, Tiered) {
  Buffer buffer = pool.alloc(1);
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(buffer.append(buffer.view()));
  BOOST_TEST(buffer.append(buffer.view().substr(1, 2)));
  BOOST_TEST(buffer.view() == "abcabcbc");
}

BOOST_FIXTURE_TEST_CASE(b3_given_back_by_release, Tiered) {
  Buffer buffer = pool.alloc(kSmall);
  BOOST_TEST(class_named("small").live == 1U);
  buffer.release();
  BOOST_TEST(class_named("small").live == 0U);
  BOOST_TEST(!buffer);
  BOOST_TEST(buffer.capacity() == 0U);
  buffer.release();
  BOOST_TEST(class_named("small").live == 0U);
  const Buffer again = pool.alloc(kSmall);
  BOOST_TEST(class_named("small").hits == 1U);
}

BOOST_FIXTURE_TEST_CASE(b3_given_back_by_the_destructor, Tiered) {
  { const Buffer buffer = pool.alloc(kSmall); }
  BOOST_TEST(class_named("small").live == 0U);
  const Buffer again = pool.alloc(kSmall);
  BOOST_TEST(class_named("small").hits == 1U);
}

BOOST_FIXTURE_TEST_CASE(b4_at_most_64_of_each_class, Tiered) {
  for (const size_t size : {kSmall, kMedium, kLarge, kHuge}) {
    const std::vector<Buffer> buffers = alloc_many(70, size);
    BOOST_TEST(count_pooled(buffers) == 64U);
  }
  for (const PoolClassStatistics& one : pool.statistics().classes) {
    BOOST_TEST(one.live == 0U);
    BOOST_TEST(one.cached + one.free == 64U);
  }
}

BOOST_FIXTURE_TEST_CASE(b5_hits_and_misses_of_each_class, Tiered) {
  pool.alloc(kSmall).release();
  pool.alloc(1).release();
  pool.alloc(100).release();
  pool.alloc(kMedium).release();
  BOOST_TEST(class_named("small").hits == 2U);
  BOOST_TEST(class_named("small").misses() == 1U);
  BOOST_TEST(class_named("small").allocations == 3U);
  BOOST_TEST(class_named("medium").hits == 0U);
  BOOST_TEST(class_named("medium").misses() == 1U);
  BOOST_TEST(class_named("large").misses() == 0U);
  BOOST_TEST(pool.statistics().oversized == 0U);
}

BOOST_FIXTURE_TEST_CASE(b5_exhausted_ones_are_misses_too, Tiered) {
  const std::vector<Buffer> buffers = alloc_many(67, kSmall);
  BOOST_TEST(class_named("small").created == 64U);
  BOOST_TEST(class_named("small").exhausted == 3U);
  BOOST_TEST(class_named("small").misses() == 67U);
}

BOOST_FIXTURE_TEST_CASE(b5_oversize_total, Tiered) {
  pool.alloc(kHuge + 1).release();
  pool.alloc(5 * kHuge).release();
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.oversized == 2U);
  BOOST_TEST(statistics.misses == 2U);
  for (const PoolClassStatistics& one : statistics.classes) {
    BOOST_TEST(one.misses() == 0U);
    BOOST_TEST(one.hits == 0U);
  }
}

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

BOOST_FIXTURE_TEST_CASE(b8_untracked_buffers_count_exactly, Tiered) {
  const Tenant tenant = pool.tenant("alpha");
  Buffer oversize = pool.alloc(kHuge + 1, tenant);
  BOOST_TEST(tenant.live_bytes() == kHuge + 1);
  oversize.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
  const std::vector<Buffer> all = alloc_many(64, kMedium);
  Buffer untracked = pool.alloc(kMedium - 1, tenant);
  BOOST_TEST(!untracked.is_pooled());
  BOOST_TEST(tenant.live_bytes() == kMedium - 1);
  untracked.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_FIXTURE_TEST_CASE(b8_buffers_of_nobody_are_not_counted, Tiered) {
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

BOOST_FIXTURE_TEST_CASE(b9_one_snapshot_has_it_all, Tiered) {
  pool.set_tenant_soft_limit("alpha", kSmall);
  const std::vector<Buffer> held = alloc_many(3, kSmall, pool.tenant("alpha"));
  pool.alloc(kSmall).release();
  pool.alloc(kSmall).release();
  pool.alloc(kHuge + 1).release();
  const PoolStatistics statistics = pool.statistics();
  BOOST_TEST(statistics.allocations == 6U);
  BOOST_TEST(statistics.recycles == 1U);
  BOOST_TEST(statistics.misses == 5U);
  BOOST_TEST(statistics.oversized == 1U);
  BOOST_TEST(statistics.untracked == 1U);
  BOOST_TEST(statistics.live_bytes == 3 * kSmall);
  BOOST_REQUIRE(statistics.classes.size() == 4U);
  const PoolClassStatistics& small = statistics.classes[0];
  BOOST_TEST(small.allocations == 5U);
  BOOST_TEST(small.created == 4U);
  BOOST_TEST(small.hits == 1U);
  BOOST_TEST(small.exhausted == 0U);
  BOOST_TEST(small.live == 3U);
  BOOST_REQUIRE(statistics.tenants.size() == 1U);
  BOOST_TEST(statistics.tenants[0].name == "alpha");
  BOOST_TEST(statistics.tenants[0].live_bytes == 3 * kSmall);
  BOOST_TEST(statistics.tenants[0].soft_limit_bytes == kSmall);
  BOOST_TEST(statistics.tenants[0].soft_limit_exceeded_total == 2U);
}

BOOST_FIXTURE_TEST_CASE(b9_prometheus, Tiered) {
  pool.set_tenant_soft_limit("alpha", kSmall);
  const std::vector<Buffer> held = alloc_many(3, kSmall, pool.tenant("alpha"));
  const Buffer other = pool.alloc(kMedium, pool.tenant("a \"b\"\\"));
  pool.alloc(kHuge + 1).release();
  const std::string text = pool.statistics().prometheus();
  for (const char* line :
       {"spillway_pool_soft_limit_exceeded_total{tenant_id=\"alpha\"} 2",
        "spillway_pool_soft_limit_exceeded_total{tenant_id=\"a \\\"b\\\"\\\\\"} 0",
        "spillway_pool_tenant_live_bytes{tenant_id=\"alpha\"} 12288",
        "spillway_pool_tenant_live_bytes{tenant_id=\"a \\\"b\\\"\\\\\"} 65536",
        "spillway_pool_class_live{class=\"small\"} 3",
        "spillway_pool_class_misses_total{class=\"medium\"} 1",
        "spillway_pool_class_misses_total{class=\"huge\"} 0", "spillway_pool_oversized_total 1",
        "spillway_pool_allocations_total 5"}) {
    BOOST_TEST(has_line(text, line), line);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

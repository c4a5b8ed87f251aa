// SPDX-License-Identifier: MIT
// The kernel refuses: when a pool is made, when it grows, when it gives memory back. The answer is
// the documented one, nothing is lost, and work goes on when there is memory again.
#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/os/faulty_memory.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

namespace faulty = os::faulty;

constexpr size_t kSizes[] = {4 * kKiB, 64 * kKiB, kMiB};
constexpr size_t kMaxPerClass = 12;

struct Faults {
  Faults() { faulty::reset(); }
  ~Faults() { faulty::reset(); }
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
};

PoolConfig three_classes() {
  return PoolConfig()
      .with_classes({std::begin(kSizes), std::end(kSizes)})
      .with_max_per_class(kMaxPerClass)
      .with_thread_cache(ThreadCachePolicy::exact(4));
}

// Asks for all buffers of all classes and writes to them. The only error there may be is that there
// is no memory.
size_t take_all(Pool& pool, std::vector<Buffer>& buffers) {
  size_t got = 0;
  for (const size_t size : kSizes) {
    for (size_t i = 0; i < kMaxPerClass; ++i) {
      expected<Buffer, PoolError> buffer = pool.try_alloc_len(size);
      if (buffer.has_value()) {
        ++got;
        buffer->span().front() = buffer->span().back() = std::byte{1};
        buffers.push_back(std::move(*buffer));
      } else {
        BOOST_TEST((buffer.error() == PoolError::kNoMemory));
      }
    }
  }
  return got;
}

constexpr size_t kAll = std::size(kSizes) * kMaxPerClass;

// Nothing is in use, and every buffer can be had.
void check_whole(Pool& pool) {
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.live == 0U);
  }
  std::vector<Buffer> buffers;
  BOOST_TEST(take_all(pool, buffers) == kAll);
  const expected<Buffer, PoolError> more = pool.try_alloc(kSizes[0]);
  BOOST_REQUIRE(!more.has_value());
  BOOST_TEST((more.error() == PoolError::kExhausted));
}

// What alloc() gives when a class cannot grow: a block of its own, or nothing.
void check_makeshift(const Buffer& buffer, size_t size) {
  BOOST_TEST(!buffer.is_pooled());
  BOOST_TEST(buffer.capacity() == (buffer ? size : 0U));
}

BOOST_FIXTURE_TEST_SUITE(pool_faults, Faults)

BOOST_AUTO_TEST_CASE(creation_fails_cleanly_at_every_call) {
  for (const bool prefill : {false, true}) {
    for (const faulty::Call call : {faulty::Call::kReserve, faulty::Call::kCommit}) {
      { const Pool first = make_pool(three_classes()); }  // what is made once is made now
      faulty::reset();
      const uint64_t reserved = faulty::reserved_bytes();
      uint64_t needed = 0;
      {
        const Pool pool = make_pool(three_classes().with_prefill(prefill));
        needed = faulty::calls(call);
      }
      BOOST_TEST((needed > 0U || (call == faulty::Call::kCommit && !prefill)));
      for (uint64_t number = 0; number < needed; ++number) {
        faulty::reset();
        faulty::fail(call, number, UINT64_MAX);
        expected<Pool, std::string> pool = Pool::create(three_classes().with_prefill(prefill));
        if (pool.has_value()) {
          faulty::reset();  // it can do without
          check_whole(*pool);
        } else {
          BOOST_TEST(!pool.error().empty());
          BOOST_TEST(pool.error().find('\n') == std::string::npos);
          BOOST_TEST(faulty::reserved_bytes() == reserved);
        }
      }
      faulty::reset();
      Pool pool = make_pool(three_classes().with_prefill(prefill));
      check_whole(pool);
    }
  }
}

BOOST_AUTO_TEST_CASE(creation_fails_when_there_is_no_address_space) {
  faulty::fail(faulty::Call::kReserve, 0, UINT64_MAX);
  BOOST_TEST(!Pool::create(three_classes()).has_value());
  spillway_pool_config config;
  BOOST_TEST(spillway_pool_config_init(&config, sizeof config, SPILLWAY_POOL_DEFAULT) ==
             SPILLWAY_POOL_OK);
  spillway_pool* pool = nullptr;
  char why[256];
  BOOST_TEST(spillway_pool_create(&config, &pool, why, sizeof why) == SPILLWAY_POOL_NO_MEMORY);
  BOOST_TEST((pool == nullptr));
  BOOST_TEST(std::string(why).starts_with("the system refuses "), why);
  faulty::reset();
  BOOST_TEST(Pool::create(three_classes()).has_value());
}

BOOST_AUTO_TEST_CASE(prefill_is_whole_or_an_error) {
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  const auto pool = Pool::create(three_classes().with_prefill());
  BOOST_REQUIRE(!pool.has_value());
  BOOST_TEST(!pool.error().empty());
}

BOOST_AUTO_TEST_CASE(one_refused_commit_anywhere_costs_at_most_some_requests) {
  uint64_t commits = 0;
  {
    Pool pool = make_pool(three_classes());
    faulty::reset();
    std::vector<Buffer> buffers;
    BOOST_TEST(take_all(pool, buffers) == kAll);
    commits = faulty::calls(faulty::Call::kCommit);
  }
  BOOST_TEST(commits > 0U);
  for (uint64_t number = 0; number < commits; ++number) {
    faulty::reset();
    Pool pool = make_pool(three_classes());
    faulty::fail(faulty::Call::kCommit, number, 1);
    std::vector<Buffer> buffers;
    const size_t got = take_all(pool, buffers);
    BOOST_TEST(got <= kAll);
    BOOST_TEST(got > 0U);
    buffers.clear();
    check_whole(pool);
  }
}

BOOST_AUTO_TEST_CASE(commits_refused_for_good_leave_what_there_is) {
  Pool pool = make_pool(three_classes());
  {
    std::vector<Buffer> first;
    first.push_back(pool.alloc(kSizes[0]));
    BOOST_TEST(first.back().is_pooled());
  }
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  std::vector<Buffer> buffers;
  const size_t got = take_all(pool, buffers);
  BOOST_TEST(got >= 1U);
  BOOST_TEST(got < kAll);
  buffers.clear();
  for (int i = 0; i < 100; ++i) {
    BOOST_TEST(pool.try_alloc(kSizes[0]).has_value());
  }
  faulty::reset();
  check_whole(pool);
}

BOOST_AUTO_TEST_CASE(alloc_makes_do_without_the_class) {
  Pool pool = make_pool(three_classes());
  const Tenant tenant = pool.tenant("patient");
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  for (const size_t size : {3 * kKiB, 50 * kKiB, kMiB}) {
    check_makeshift(pool.alloc(size, tenant), size);
    check_makeshift(pool.alloc_len(size, tenant), size);
    check_makeshift(pool.alloc_zeroed(size, tenant), size);
    const Buffer zeroed = pool.alloc_zeroed(size, tenant);
    BOOST_TEST(all_are(zeroed.span(), std::byte{0}));
    const expected<Buffer, PoolError> refused = pool.try_alloc(size, tenant);
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error() == PoolError::kNoMemory));
  }
  BOOST_TEST(tenant.live_bytes() == 0U);
  BOOST_TEST(pool.statistics().live_bytes == 0U);
  faulty::reset();
  BOOST_TEST(pool.alloc(kMiB, tenant).is_pooled());
  check_whole(pool);
}

BOOST_AUTO_TEST_CASE(blocks_got_for_one_request_may_be_refused) {
  Pool pool = make_pool(three_classes().with_pool_min_size(kKiB));
  const Tenant tenant = pool.tenant("unlucky");
  faulty::fail(faulty::Call::kReserve, 0, UINT64_MAX);
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  for (const size_t size : {size_t{100}, 2 * kMiB}) {
    check_makeshift(pool.alloc(size, tenant), size);
    check_makeshift(pool.alloc_zeroed(size, tenant), size);
  }
  const expected<Buffer, PoolError> small = pool.try_alloc(100, tenant);
  if (!small.has_value()) {
    BOOST_TEST((small.error() == PoolError::kNoMemory));
  }
  BOOST_TEST(tenant.live_bytes() == (small.has_value() ? 100U : 0U));
  faulty::reset();
  const Buffer now = pool.alloc(2 * kMiB, tenant);
  BOOST_TEST(static_cast<bool>(now));
}

BOOST_AUTO_TEST_CASE(a_refused_resize_changes_nothing) {
  Pool pool = make_pool(three_classes());
  Buffer buffer = pool.alloc(100);
  BOOST_TEST(buffer.append("kept"));
  faulty::fail(faulty::Call::kReserve, 0, UINT64_MAX);
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  for (const size_t size : {5 * kKiB, 4 * kMiB}) {
    const size_t capacity = buffer.capacity();
    const std::byte* const start = buffer.data();
    if (!buffer.resize(size)) {
      BOOST_TEST(buffer.size() == 4U);
      BOOST_TEST(buffer.capacity() == capacity);
      BOOST_TEST(buffer.data() == start);
    }
    BOOST_TEST(buffer.view().substr(0, 4) == "kept");
    BOOST_TEST(buffer.set_size(4));
  }
  faulty::reset();
  BOOST_TEST(buffer.resize(4 * kMiB));
  BOOST_TEST(buffer.view().substr(0, 4) == "kept");
  buffer.release();
  check_whole(pool);
}

BOOST_AUTO_TEST_CASE(a_thread_without_a_cache_still_gets_buffers) {
  Pool pool = make_pool(three_classes());
  {
    std::vector<Buffer> buffers;
    BOOST_TEST(take_all(pool, buffers) == kAll);  // no growth is needed below
  }
  pool.flush();
  faulty::fail(faulty::Call::kReserve, 0, UINT64_MAX);
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  size_t got = 0;
  std::thread([&pool, &got] {
    for (int i = 0; i < 10; ++i) {
      got += pool.try_alloc(kSizes[1]).has_value() ? 1U : 0U;
    }
  }).join();
  BOOST_TEST(got == 10U);
  faulty::reset();
  check_whole(pool);
}

BOOST_AUTO_TEST_CASE(a_refused_purge_loses_nothing) {
  Pool pool = make_pool(three_classes());
  const auto use_all = [&pool] {
    std::vector<Buffer> buffers;
    BOOST_TEST(take_all(pool, buffers) == kAll);
  };
  use_all();
  pool.flush();
  faulty::fail(faulty::Call::kPurge, 0, UINT64_MAX);
  BOOST_TEST(pool.purge() == 0U);
  for (const size_t size : kSizes) {
    const Buffer zeroed = pool.alloc_zeroed(size);
    BOOST_TEST(all_are(zeroed.span(), std::byte{0}));
  }
  check_whole(pool);
  pool.flush();
  faulty::reset();
  BOOST_TEST(pool.purge() >= kMaxPerClass * kMiB);
  check_whole(pool);
}

BOOST_AUTO_TEST_CASE(a_region_that_gets_no_memory_is_no_region) {
  Pool pool = make_pool(three_classes().with_pinned());
  size_t told = 0;
  pool.on_region([&told](const Region&) { ++told; });
  faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
  for (const size_t size : kSizes) {
    const expected<Buffer, PoolError> refused = pool.try_alloc(size);
    BOOST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error() == PoolError::kNoMemory));
    check_makeshift(pool.alloc(size), size);
  }
  BOOST_TEST(told == 0U);
  BOOST_TEST(pool.regions().empty());
  faulty::reset();
  check_whole(pool);
  BOOST_TEST(told == std::size(kSizes));
}

BOOST_AUTO_TEST_CASE(a_region_that_was_refused_once_is_added_later) {
  const Faults faults;
  // The first chunk of the class is committed for the arena and its states; the region comes after.
  for (uint32_t call = 0; call < 8; ++call) {
    Pool pool = make_pool(PoolConfig()
                              .with_classes({kMiB})
                              .with_max_per_class(kMaxPerClass)
                              .with_thread_cache(ThreadCachePolicy::exact(4))
                              .with_pinned());
    faulty::fail(faulty::Call::kCommit, call, 1);
    const expected<Buffer, PoolError> first = pool.try_alloc(1);
    faulty::reset();
    const expected<Buffer, PoolError> second = pool.try_alloc(1);
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(pool.locate(second->data()).has_value());
    BOOST_TEST(pool.regions().size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_pool_that_never_got_memory_goes_quietly) {
  const uint64_t reserved = faulty::reserved_bytes();
  {
    Pool pool = make_pool(three_classes());
    faulty::fail(faulty::Call::kCommit, 0, UINT64_MAX);
    std::vector<Buffer> buffers;
    BOOST_TEST(take_all(pool, buffers) == 0U);
  }
  BOOST_TEST(faulty::reserved_bytes() == reserved);
}

BOOST_AUTO_TEST_CASE(every_reservation_is_released_with_the_last_buffer) {
  {
    Pool first = make_pool(three_classes());
    const Buffer any = first.alloc(1);  // this thread's table stays
  }
  const uint64_t reserved = faulty::reserved_bytes();
  Buffer last;
  {
    Pool pool = make_pool(three_classes());
    std::vector<Buffer> buffers;
    std::thread([&pool, &buffers] { take_all(pool, buffers); }).join();
    const Buffer unpooled = pool.alloc(3 * kMiB);
    last = std::move(buffers.back());
  }
  BOOST_TEST(faulty::reserved_bytes() > reserved);
  last.release();
  BOOST_TEST(faulty::reserved_bytes() == reserved);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

// SPDX-License-Identifier: MIT
// A child of a process whose threads are at work in the pool: it has none of them, but all of the
// pool.
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/child.h"
#include "test/pool/fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SPILLWAY_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SPILLWAY_TEST_SANITIZED 1
#endif
#endif

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)
using spillway::testing::Ending;
using spillway::testing::run_in_child;

boost::test_tools::assertion_result can_fork_with_threads(boost::unit_test::test_unit_id /*id*/) {
  boost::test_tools::assertion_result result(true);
#ifdef SPILLWAY_TEST_SANITIZED
  result = false;
  result.message() << "AddressSanitizer's and ThreadSanitizer's own locks may be held in the child";
#endif
  return result;
}

constexpr size_t kBuffers = 64;
constexpr size_t kSizes[] = {4 * kKiB, 8 * kKiB, 16 * kKiB};

PoolConfig config() {
  return PoolConfig()
      .with_sizes(kSizes[0], kSizes[2])
      .with_max_per_class(kBuffers)
      .with_thread_cache(ThreadCachePolicy::exact(8));
}

void must(bool good) {
  if (!good) {
    std::abort();
  }
}

// Threads at work in one pool until the end.
class Business {
 public:
  explicit Business(Pool& pool) : pool_(pool) {
    start([this](unsigned round) {
      pool_.tenant(std::to_string(round % 100)).record_allocation(1);
      must(pool_.statistics().classes.size() == std::size(kSizes));
    });
    start([this](unsigned round) { pool_.alloc(kSizes[round % 3]).release(); });
    start([this](unsigned round) {
      std::vector<Buffer> held = take(pool_, 20, kSizes[round % 3]);
      SharedBuffer shared = pool_.alloc(100 * kKiB, pool_.tenant("shared")).freeze();
      const SharedBuffer copy = shared;
      if (round % 4 == 0) {
        pool_.flush();
        pool_.purge();
      }
    });
    start([](unsigned /*round*/) {
      expected<Pool, std::string> passing = Pool::create(config());
      must(passing.has_value());
      passing->on_tenant_limit([](const TenantUsage&) {});
      const Buffer outlives = passing->alloc(1);
      { const Pool gone = std::move(*passing); }
    });
  }
  ~Business() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  Business(const Business&) = delete;
  Business& operator=(const Business&) = delete;

 private:
  template <typename Work>
  void start(Work work) {
    threads_.emplace_back([this, work] {
      for (unsigned round = 0; !stop_; ++round) {
        work(round);
      }
    });
  }

  Pool& pool_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

// In the child: all that a process can do with a pool.
void use_and_end(std::optional<Pool>& pool, const SharedBuffer& kept) {
  for (int round = 0; round < 2; ++round) {
    for (const size_t size : kSizes) {
      std::vector<Buffer> buffers = take(*pool, SIZE_MAX, size);
      must(buffers.size() <= kBuffers);
      std::set<const std::byte*> starts;
      for (Buffer& buffer : buffers) {
        must(starts.insert(buffer.data()).second);
        must(buffer.data() != kept.data());
        fill_up(buffer, std::byte{1});
      }
    }
    const Tenant tenant = pool->tenant("child" + std::to_string(round));
    const Buffer mine = pool->alloc(1, tenant);
    must(mine && tenant.live_bytes() == mine.capacity());
    must(pool->statistics().live_bytes >= mine.capacity());
    std::thread([&pool] { pool->alloc(1, pool->tenant("thread")).release(); }).join();
    pool->flush();
    pool->purge();
  }
  const Buffer survivor = pool->alloc(1);
  pool.reset();
  must(static_cast<bool>(survivor) && kept.view() == "kept");
  std::optional<Pool> next(make_pool(config()));
  must(take(*next).size() == kBuffers);
}

BOOST_AUTO_TEST_SUITE(pool_fork, *boost::unit_test::precondition(can_fork_with_threads))

BOOST_AUTO_TEST_CASE(a_child_of_busy_threads_has_the_pool) {
  std::optional<Pool> pool(make_pool(config()));
  const SharedBuffer kept = frozen_text(*pool, "kept");
  {
    const Business business(*pool);
    const auto fork_once = [&pool, &kept] {
      const Ending ending = run_in_child([&pool, &kept] {
        alarm(300);
        use_and_end(pool, kept);
      });
      BOOST_TEST(ending.status == 0, "status " << ending.status << ": " << ending.message);
    };
    for (int i = 0; i < 50; ++i) {
      if (i % 2 == 0) {
        fork_once();
      } else {
        std::thread(fork_once).join();  // one without a cache
      }
    }
  }
  pool->flush();
  BOOST_TEST(kept.view() == "kept");
  BOOST_TEST(first_class(*pool).live == 1U);
  BOOST_TEST(take_all(*pool, kSizes[0]).size() == kBuffers - 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

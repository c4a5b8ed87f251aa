// SPDX-License-Identifier: MIT
// What a thread keeps for itself, and when it passes that on. Points C8 and C10 of
// alloc/docs/POOL.md.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/fixture.h"
#include "test/pool/worker.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_thread_cache)

BOOST_AUTO_TEST_CASE(c8_a_full_cache_spills_half_and_an_empty_one_takes_half) {
  for (const size_t capacity : {size_t{4}, size_t{8}, size_t{16}}) {
    Pool pool = make_pool(one_class(64, ThreadCachePolicy::exact(capacity)));
    std::vector<Buffer> buffers = take(pool);
    BOOST_REQUIRE(buffers.size() == 64U);
    check_places(pool, 64, 0, 0);

    give(buffers, capacity);
    check_places(pool, 64 - capacity, capacity, 0);
    const std::byte* const newcomer = buffers.back().data();
    give(buffers, 1);
    check_places(pool, 63 - capacity, capacity / 2 + 1, capacity / 2);

    std::vector<Buffer> again = take(pool, 1);
    BOOST_TEST(again.front().data() == newcomer);
    for (size_t i = 0; i < capacity / 2; ++i) {
      again.push_back(pool.alloc(1));
    }
    check_places(pool, 64 - capacity / 2, 0, capacity / 2);
    again.push_back(pool.alloc(1));
    check_places(pool, 65 - capacity / 2, capacity / 2 - 1, 0);
    BOOST_TEST(take(pool).size() == capacity / 2 - 1);
  }
}

// Another thread that purges looks after the caches of idle ones for a moment.
class Purger {
 public:
  explicit Purger(Pool& pool) : thread_([this, &pool] { run(pool); }) {}
  ~Purger() {
    stop_ = true;
    thread_.join();
  }
  Purger(const Purger&) = delete;
  Purger& operator=(const Purger&) = delete;
  int purges() const { return purges_; }

 private:
  void run(Pool& pool) {
    while (!stop_) {
      pool.purge();
      ++purges_;
      std::this_thread::yield();
    }
  }
  std::atomic<bool> stop_{false};
  std::atomic<int> purges_{0};
  std::thread thread_;
};

BOOST_AUTO_TEST_CASE(c8_a_threads_own_buffers_are_there_while_another_one_purges) {
  Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(8)));
  const Purger purger(pool);
  for (int round = 0; round < 200 || purger.purges() < 20; ++round) {
    std::vector<Buffer> all = take(pool);
    BOOST_REQUIRE(all.size() == 8U);
    for (Buffer& buffer : all) {
      buffer.append("used");
    }
    if (round % 16 == 0) {  // idle for a moment
      std::this_thread::yield();
    }
  }
}

BOOST_AUTO_TEST_CASE(c10_flushed_means_visible_while_another_thread_purges) {
  Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(8)));
  const Purger purger(pool);
  Worker worker;
  for (int round = 0; round < 50 || purger.purges() < 20; ++round) {
    worker.run([&] {
      BOOST_REQUIRE(take(pool).size() == 8U);
      pool.flush();
    });
    BOOST_REQUIRE(take(pool).size() == 8U);
    pool.flush();
  }
}

BOOST_AUTO_TEST_CASE(c8_a_refill_takes_what_there_is) {
  Pool pool = make_pool(one_class(64, ThreadCachePolicy::exact(16)));
  std::vector<Buffer> buffers = take(pool);
  give(buffers, 3);
  pool.flush();
  check_places(pool, 61, 0, 3);
  buffers.push_back(pool.alloc(1));
  BOOST_TEST(buffers.back().is_pooled());
  check_places(pool, 62, 2, 0);
}

BOOST_AUTO_TEST_CASE(c8_small_caches_move_single_buffers) {
  for (const size_t capacity : {size_t{1}, size_t{2}, size_t{3}}) {
    Pool pool = make_pool(one_class(64, ThreadCachePolicy::exact(capacity)));
    std::vector<Buffer> buffers = take(pool);
    BOOST_REQUIRE(buffers.size() == 64U);

    give(buffers, capacity - 1);
    const std::byte* const last_cached = buffers.back().data();
    give(buffers, 1);
    check_places(pool, 64 - capacity, capacity, 0);
    const std::byte* const overflow = buffers.back().data();
    give(buffers, 1);
    check_places(pool, 63 - capacity, capacity, 1);
    give(buffers, 1);
    check_places(pool, 62 - capacity, capacity, 2);

    const std::vector<Buffer> first = take(pool, 1);
    BOOST_TEST(first.front().data() == last_cached);
    const std::vector<Buffer> others = take(pool, capacity - 1);
    check_places(pool, 62, 0, 2);
    const std::vector<Buffer> shared_one = take(pool, 1);
    check_places(pool, 63, 0, 1);
    const std::vector<Buffer> shared_other = take(pool, 1);
    check_places(pool, 64, 0, 0);
    BOOST_TEST((shared_one.front().data() == overflow || shared_other.front().data() == overflow));
  }
}

BOOST_AUTO_TEST_CASE(c8_without_a_cache_nothing_stays_with_the_thread) {
  for (const ThreadCachePolicy policy :
       {ThreadCachePolicy::disabled(), ThreadCachePolicy::exact(0)}) {
    Pool pool = make_pool(one_class(64, policy));
    std::vector<Buffer> buffers = take(pool);
    BOOST_TEST(buffers.size() == 64U);
    give(buffers, 10);
    check_places(pool, 54, 0, 10);
    buffers.push_back(pool.alloc(1));
    check_places(pool, 55, 0, 9);
  }
}

BOOST_AUTO_TEST_CASE(c8_automatic_caches_have_the_documented_size) {
  // 64 / (2 * 4) for each of four threads; then too little to share out.
  Pool pool = make_pool(one_class(64, ThreadCachePolicy::automatic()).with_parallelism(4));
  BOOST_TEST(pool.config().thread_cache_buffers() == 8U);
  std::vector<Buffer> buffers = take(pool);
  BOOST_TEST(buffers.size() == 64U);
  give(buffers, 9);
  check_places(pool, 55, 5, 4);
  buffers.clear();
  BOOST_TEST(first_class(pool).cached <= 8U);

  Pool poor = make_pool(one_class(1, ThreadCachePolicy::automatic()).with_parallelism(4));
  { const Buffer only = poor.alloc(1); }
  check_places(poor, 0, 0, 1);
}

BOOST_AUTO_TEST_CASE(c8_returned_buffers_come_before_new_ones) {
  Pool pool = make_pool(one_class(64, ThreadCachePolicy::disabled()));
  const std::byte* first = pool.alloc(1).data();
  for (int i = 0; i < 10; ++i) {
    BOOST_TEST(pool.alloc(1).data() == first);
  }
  BOOST_TEST(first_class(pool).created == 1U);
  BOOST_TEST(first_class(pool).hits == 10U);

  Pool cached = make_pool(one_class(64, ThreadCachePolicy::exact(8)));
  first = cached.alloc(1).data();
  for (int i = 0; i < 10; ++i) {
    BOOST_TEST(cached.alloc(1).data() == first);
  }
  BOOST_TEST(first_class(cached).created == 1U);
  BOOST_TEST(first_class(cached).hits == 10U);
}

BOOST_AUTO_TEST_CASE(c8_the_cache_comes_before_what_all_threads_share) {
  Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
  std::vector<Buffer> buffers = take(pool);
  give(buffers, 4);
  pool.flush();
  const std::byte* const cached = buffers.back().data();
  give(buffers, 1);
  check_places(pool, 3, 1, 4);
  BOOST_TEST(pool.alloc(1).data() == cached);
  BOOST_TEST(pool.alloc(1).data() == cached);
}

BOOST_AUTO_TEST_CASE(c10_flush_empties_all_caches_of_this_thread_and_no_other) {
  Pool pool = make_pool(PoolConfig()
                            .with_sizes(4 * kKiB, 8 * kKiB)
                            .with_max_per_class(16)
                            .with_thread_cache(ThreadCachePolicy::exact(4)));
  const auto keep_two_of_each = [&pool] {
    for (const size_t size : {4 * kKiB, 8 * kKiB}) {
      std::vector<Buffer> buffers = take(pool, 2, size);
    }
  };
  Worker worker;
  for (const size_t size : {4 * kKiB, 8 * kKiB}) {
    take(pool, SIZE_MAX, size);  // from now on all of them have been used
  }
  pool.flush();
  keep_two_of_each();
  pool.flush();
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.cached == 0U);
    BOOST_TEST(each.free == 16U);
  }
  keep_two_of_each();
  worker.run(keep_two_of_each);
  pool.flush();
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.cached == 2U);
    BOOST_TEST(each.free == 14U);
  }
  worker.run([&pool] { pool.flush(); });
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.cached == 0U);
    BOOST_TEST(each.free == 16U);
  }
}

BOOST_AUTO_TEST_CASE(c10_a_cache_is_flushed_and_used_again_at_any_time) {
  Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(8)));
  pool.flush();
  for (int i = 0; i < 10; ++i) {
    std::vector<Buffer> buffers = take(pool);
    BOOST_TEST(buffers.size() == 8U);
    pool.flush();
    pool.flush();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

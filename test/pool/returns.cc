// SPDX-License-Identifier: MIT
// Memory is handed out once and goes back once. Point C9 of alloc/docs/POOL.md.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <latch>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/child.h"
#include "test/pool/fixture.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

using spillway::testing::Ending;
using spillway::testing::run_in_child;

BOOST_AUTO_TEST_SUITE(pool_returns)

BOOST_AUTO_TEST_CASE(c9_each_buffer_is_handed_out_once) {
  for (const size_t cache : {size_t{0}, size_t{1}, size_t{4}}) {
    Pool pool = make_pool(one_class(100, ThreadCachePolicy::exact(cache)));
    for (int round = 0; round < 3; ++round) {
      std::vector<Buffer> buffers = take_all(pool, 4 * kKiB);
      BOOST_TEST(buffers.size() == 100U);
      std::set<const std::byte*> starts;
      for (const Buffer& buffer : buffers) {
        starts.insert(buffer.data());
      }
      BOOST_REQUIRE(starts.size() == buffers.size());
      const std::byte* before = nullptr;
      for (const std::byte* start : starts) {
        BOOST_TEST((before == nullptr || static_cast<size_t>(start - before) >= 4 * kKiB));
        before = start;
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(c9_threads_together_get_each_buffer_once) {
  constexpr size_t kThreads = 4;
  Pool pool = make_pool(one_class(200));
  std::vector<Buffer> taken[kThreads];
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<Buffer>& mine : taken) {
    threads.emplace_back([&pool, &start, &mine] {
      start.arrive_and_wait();
      for (auto buffer = pool.try_alloc(1); buffer.has_value(); buffer = pool.try_alloc(1)) {
        mine.push_back(std::move(*buffer));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::set<const std::byte*> starts;
  size_t count = 0;
  for (const std::vector<Buffer>& mine : taken) {
    for (const Buffer& buffer : mine) {
      starts.insert(buffer.data());
      ++count;
    }
  }
  BOOST_TEST(count == 200U);
  BOOST_TEST(starts.size() == 200U);
}

// The process ends with one line that says what happened to a buffer of which size.
void check_double_return(const Ending& ending, const char* size) {
  BOOST_TEST(ending.was_killed_by(SIGABRT));
  BOOST_TEST(ending.message.starts_with("spillway: "));
  BOOST_TEST(std::count(ending.message.begin(), ending.message.end(), '\n') == 1);
  BOOST_TEST(ending.message.ends_with("\n"));
  BOOST_TEST(ending.message.find("twice") != std::string::npos, ending.message);
  BOOST_TEST(ending.message.find(size) != std::string::npos, ending.message);
}

BOOST_AUTO_TEST_CASE(c9_a_second_return_ends_the_process) {
  for (const size_t cache : {size_t{0}, size_t{1}, size_t{4}}) {
    Pool pool = make_pool(two_classes(8).with_thread_cache(ThreadCachePolicy::exact(cache)));
    check_double_return(run_in_child([&pool] {
                          const RawBuffer raw = RawBuffer::from(pool.alloc_len(5000));
                          give_back(raw);
                          give_back(raw);
                        }),
                        "8192");
  }
}

BOOST_AUTO_TEST_CASE(c9_a_second_return_is_found_wherever_the_buffer_is) {
  Pool pool = make_pool(two_classes(8).with_thread_cache(ThreadCachePolicy::exact(4)));
  check_double_return(run_in_child([&pool] {
                        const RawBuffer raw = RawBuffer::from(pool.alloc(1));
                        give_back(raw);
                        pool.flush();
                        give_back(raw);
                      }),
                      "4096");
  check_double_return(run_in_child([&pool] {
                        const RawBuffer raw = RawBuffer::from(pool.alloc(1));
                        give_back(raw);
                        pool.flush();
                        pool.purge();
                        give_back(raw);
                      }),
                      "4096");
  check_double_return(run_in_child([&pool] {
                        const RawBuffer raw = RawBuffer::from(pool.alloc(1));
                        std::thread([&raw] { give_back(raw); }).join();
                        give_back(raw);
                      }),
                      "4096");
  check_double_return(run_in_child([&pool] {
                        const RawBuffer raw = RawBuffer::from(pool.alloc(1));
                        RawBuffer::adopt(raw).release();
                        give_back(raw);
                      }),
                      "4096");
}

// Returns one buffer by two threads at once.
void return_twice_at_once(const RawBuffer& raw) {
  std::latch start(2);
  const auto race = [&start, &raw] {
    start.arrive_and_wait();
    give_back(raw);
  };
  std::thread one(race);
  std::thread other(race);
  one.join();
  other.join();
}

BOOST_AUTO_TEST_CASE(c9_two_returns_at_the_same_time_are_found) {
  Pool pool = make_pool(two_classes(8).with_thread_cache(ThreadCachePolicy::exact(4)));
  check_double_return(
      run_in_child([&pool] { return_twice_at_once(RawBuffer::from(pool.alloc(1))); }), "4096");
}

BOOST_AUTO_TEST_CASE(c9_two_returns_after_the_pools_end_are_found) {
  for (int round = 0; round < 20; ++round) {
    check_double_return(run_in_child([] {
                          std::optional<Pool> pool(make_pool(two_classes(8)));
                          const Buffer keeps_the_rest = pool->alloc(1);
                          const RawBuffer raw = RawBuffer::from(pool->alloc(1));
                          pool.reset();
                          return_twice_at_once(raw);
                        }),
                        "4096");
  }
}

BOOST_AUTO_TEST_CASE(c9_one_return_is_no_error) {
  Pool pool = make_pool(two_classes(8));
  const Ending ending = run_in_child([&pool] {
    for (int i = 0; i < 20; ++i) {
      give_back(RawBuffer::from(pool.alloc(1)));
      give_back(RawBuffer::from(pool.alloc(100000)));
    }
  });
  BOOST_TEST(ending.status == 0);
  BOOST_TEST(ending.message == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

// SPDX-License-Identifier: MIT
// What ending threads leave. Point C10 of alloc/docs/POOL.md.
#include <pthread.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/fixture.h"
#include "test/pool/worker.h"

namespace spillway {
namespace {

using namespace pool::testing;  // NOLINT(google-build-using-namespace)

BOOST_AUTO_TEST_SUITE(pool_thread_end)

// A pool of 16 buffers, all of which have been used and are free for all threads.
Pool used_pool() {
  Pool pool = make_pool(one_class(16, ThreadCachePolicy::exact(8)));
  BOOST_TEST(take(pool).size() == 16U);
  pool.flush();
  check_places(pool, 0, 0, 16);
  return pool;
}

BOOST_AUTO_TEST_CASE(c10_a_thread_s_end_gives_its_cache_to_all) {
  Pool pool = used_pool();
  for (int i = 0; i < 20; ++i) {
    size_t taken = 0;
    std::thread([&pool, &taken] { taken = take(pool).size(); }).join();
    BOOST_TEST(taken == 16U);
    check_places(pool, 0, 0, 16);
  }
}

BOOST_AUTO_TEST_CASE(c10_a_cache_is_seen_in_the_statistics_until_its_thread_ends) {
  Pool pool = used_pool();
  Worker worker;
  worker.run([&pool] { take(pool, 8); });
  BOOST_TEST(first_class(pool).cached == 8U);
  worker.end();
  check_places(pool, 0, 0, 16);
}

BOOST_AUTO_TEST_CASE(c10_others_get_the_buffers_of_an_ended_thread) {
  Pool pool = make_pool(one_class(4, ThreadCachePolicy::exact(4)));
  std::thread([&pool] { take(pool); }).join();
  BOOST_TEST(take(pool).size() == 4U);
}

BOOST_AUTO_TEST_CASE(c10_thread_local_objects_made_before_the_pool_is_used) {
  Pool pool = used_pool();
  std::thread([&pool] {
    thread_local Keeper keeper;
    keeper.pool = &pool;
    keeper.buffer = pool.alloc(1);
    keeper.shared = pool.alloc_len(10).freeze();
  }).join();
  check_places(pool, 0, 0, 16);
}

BOOST_AUTO_TEST_CASE(c10_thread_local_objects_made_after_the_pool_is_used) {
  Pool pool = used_pool();
  std::thread([&pool] {
    Buffer first = pool.alloc(1);
    thread_local Keeper keeper;
    keeper.pool = &pool;
    keeper.buffer = std::move(first);
    keeper.shared = pool.alloc_len(10).freeze();
  }).join();
  check_places(pool, 0, 0, 16);
}

BOOST_AUTO_TEST_CASE(c10_thread_local_objects_with_another_thread_s_buffers) {
  Pool pool = used_pool();
  Buffer buffer = pool.alloc(1);
  SharedBuffer shared = pool.alloc_len(10).freeze();
  pool.flush();
  std::thread([&buffer, &shared] {  // which never allocates
    thread_local Keeper keeper;
    keeper.buffer = std::move(buffer);
    keeper.shared = std::move(shared);
  })
      .join();
  check_places(pool, 0, 0, 16);
}

// Called at a thread's end, later than destructors of thread-local objects; asks to be called again
// and again, but not in the last round that there is: the sanitizers leave then.
struct LateReturn {
  pthread_key_t key = 0;
  Pool* pool = nullptr;
  std::vector<Buffer> buffers;
  int calls = 0;
};
void return_late(void* argument) {
  auto* late = static_cast<LateReturn*>(argument);
  ++late->calls;
  if (!late->buffers.empty()) {
    late->buffers.pop_back();
  }
  take(*late->pool, 2);
  if (late->calls < 3) {
    pthread_setspecific(late->key, late);
  }
}

BOOST_AUTO_TEST_CASE(c10_destructors_of_thread_keys) {
  Pool pool = used_pool();
  for (const bool key_before_use : {false, true}) {
    LateReturn late;
    late.pool = &pool;
    std::thread([&pool, &late, key_before_use] {
      if (key_before_use) {
        pthread_key_create(&late.key, return_late);
      }
      late.buffers = take(pool, 3);
      if (!key_before_use) {
        pthread_key_create(&late.key, return_late);
      }
      pthread_setspecific(late.key, &late);
    }).join();
    pthread_key_delete(late.key);
    BOOST_TEST(late.calls == 3);
    check_places(pool, 0, 0, 16);
  }
}

BOOST_AUTO_TEST_CASE(c10_threads_end_in_any_order) {
  constexpr size_t kThreads = 4;
  std::array<size_t, kThreads> order = {0, 1, 2, 3};
  Pool pool = used_pool();
  do {
    Worker workers[kThreads];
    std::vector<Buffer> buffers[kThreads];
    for (size_t i = 0; i < kThreads; ++i) {
      workers[i].run([&pool, &mine = buffers[i]] { mine = take(pool, 3); });
    }
    for (size_t i = 0; i < kThreads; ++i) {  // to the neighbour, who caches them
      workers[(i + 1) % kThreads].run([&mine = buffers[i]] { give(mine, mine.size()); });
    }
    for (const size_t each : order) {
      workers[each].end();
    }
    check_places(pool, 0, 0, 16);
  } while (std::next_permutation(order.begin(), order.end()));
}

BOOST_AUTO_TEST_CASE(c10_buffers_come_back_from_other_threads) {
  Pool pool = used_pool();
  for (int round = 0; round < 10; ++round) {
    std::vector<Buffer> buffers = take(pool);
    BOOST_TEST(buffers.size() == 16U);
    std::vector<SharedBuffer> shared;
    for (Buffer& buffer : buffers) {
      shared.push_back(std::move(buffer).freeze());
    }
    std::vector<SharedBuffer> copies = shared;
    std::thread one([&shared] { shared.clear(); });
    std::thread other([&copies] { copies.clear(); });
    one.join();
    other.join();
    check_places(pool, 0, 0, 16);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

// Where buffers are between their users: thread caches, what all threads share, threads that end
// and pools that are gone. Points C8, C10 to C13 and C16 of the reference pool.
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"

namespace spillway {
namespace {

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;

Pool make_pool(const PoolConfig& config) {
  expected<Pool, std::string> pool = Pool::create(config);
  BOOST_REQUIRE_MESSAGE(pool.has_value(), (pool.has_value() ? std::string() : pool.error()));
  return std::move(*pool);
}

PoolConfig one_class(size_t max_per_class, ThreadCachePolicy cache, size_t size = 4 * kKiB) {
  return PoolConfig()
      .with_sizes(size, size)
      .with_max_per_class(max_per_class)
      .with_thread_cache(cache);
}

PoolClassStatistics first_class(const Pool& pool) { return pool.statistics().classes.at(0); }

void check_places(const Pool& pool, uint64_t live, uint64_t cached, uint64_t free) {
  const PoolClassStatistics now = first_class(pool);
  BOOST_TEST(now.live == live);
  BOOST_TEST(now.cached == cached);
  BOOST_TEST(now.free == free);
}

// As many buffers of the class as there are, up to `most`.
std::vector<Buffer> take(Pool& pool, size_t most = SIZE_MAX, size_t size = 4 * kKiB) {
  std::vector<Buffer> buffers;
  while (buffers.size() < most) {
    expected<Buffer, PoolError> buffer = pool.try_alloc(size);
    if (!buffer.has_value()) {
      break;
    }
    buffers.push_back(std::move(*buffer));
  }
  return buffers;
}
// Gives the last ones back, the very last first.
void give(std::vector<Buffer>& buffers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    buffers.pop_back();
  }
}

// Pages of the range that have memory.
size_t resident_pages(const void* start, size_t bytes) {
  const size_t page = static_cast<size_t>(getpagesize());
  const uintptr_t first = reinterpret_cast<uintptr_t>(start) / page * page;
  size_t count = 0;
  for (size_t at = 0; at < bytes; at += page) {
    unsigned char state = 0;
    if (mincore(reinterpret_cast<void*>(first + at), page, &state) == 0) {
      count += state & 1U;
    }
  }
  return count;
}
size_t pages_of(size_t bytes) { return bytes / static_cast<size_t>(getpagesize()); }

// What the process has mapped.
size_t mapped_pages() {
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages;
}

void fill(Buffer& buffer, std::byte value) {
  buffer.set_size(buffer.capacity());
  std::fill(buffer.begin(), buffer.end(), value);
}
bool all_are(std::span<const std::byte> bytes, std::byte value) {
  return std::all_of(bytes.begin(), bytes.end(), [value](std::byte each) { return each == value; });
}

// For thread-local objects.
struct Keeper {
  Buffer buffer;
  SharedBuffer shared;
  Pool* pool = nullptr;  // to allocate from at the end
  ~Keeper() {
    if (pool != nullptr) {
      take(*pool, 3);
    }
  }
};

// A thread that does what it is told, and ends when told.
class Worker {
 public:
  Worker() : thread_([this] { serve(); }) {}
  ~Worker() { end(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Returns when it is done.
  void run(std::function<void()> task) {
    std::unique_lock lock(mutex_);
    task_ = std::move(task);
    changed_.notify_all();
    changed_.wait(lock, [this] { return task_ == nullptr; });
  }
  void end() {
    if (thread_.joinable()) {
      run([this] { ending_ = true; });
      thread_.join();
    }
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      changed_.wait(lock, [this] { return task_ != nullptr; });
      task_();
      task_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;
  bool ending_ = false;
  std::thread thread_;
};

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

BOOST_AUTO_TEST_SUITE(pool_end)

BOOST_AUTO_TEST_CASE(c11_buffers_stay_valid_without_their_pool) {
  Buffer buffer;
  Buffer untracked;
  SharedBuffer shared;
  SharedBuffer slice;
  RawBuffer raw;
  Tenant tenant;
  {
    Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
    tenant = pool.tenant("late");
    buffer = pool.alloc(1, tenant);
    fill(buffer, std::byte{1});
    untracked = pool.alloc(100 * kKiB);
    fill(untracked, std::byte{2});
    Buffer third = pool.alloc(1, tenant);
    fill(third, std::byte{3});
    shared = std::move(third).freeze();
    slice = shared.slice(100, 100);
    Buffer fourth = pool.alloc(1, tenant);
    fill(fourth, std::byte{4});
    raw = RawBuffer::from(std::move(fourth));
  }
  BOOST_TEST(tenant.live_bytes() == 12 * kKiB);
  BOOST_TEST(all_are(buffer.span(), std::byte{1}));
  BOOST_TEST(buffer.is_pooled());
  BOOST_TEST(all_are(untracked.span(), std::byte{2}));
  BOOST_TEST(!untracked.is_pooled());
  untracked.release();
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
      fill(buffer, std::byte{1});
      witness = pool.alloc(1);
      fill(witness, std::byte{2});
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
        fill(buffer, std::byte{5});
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
      fill(buffer, std::byte{6});
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
        fill(buffer, std::byte{7});
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
        fill(kept, std::byte{8});
      });
      take(pool);
    }
    Pool other = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
    size_t taken = 0;
    worker.run([&other, &taken, &kept] {
      std::vector<Buffer> buffers = take(other);
      taken = buffers.size();
      for (Buffer& buffer : buffers) {
        fill(buffer, std::byte{9});
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
      fill(keeper.buffer, std::byte{10});
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
  const size_t before = mapped_pages();
  for (int i = 0; i < 100; ++i) {
    round();
  }
  BOOST_TEST(mapped_pages() <= before + pages_of(64 * kMiB));
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

BOOST_AUTO_TEST_SUITE(pool_capacity)

BOOST_AUTO_TEST_CASE(c12_prefilled_buffers_are_there_and_have_memory) {
  constexpr size_t kBuffers = 20;
  for (const bool pinned : {false, true}) {
    Pool pool = make_pool(PoolConfig()
                              .with_classes({12 * kKiB, 64 * kKiB})
                              .with_max_per_class(kBuffers)
                              .with_prefill()
                              .with_pinned(pinned)
                              .with_thread_cache(ThreadCachePolicy::exact(4)));
    for (const size_t size : {12 * kKiB, 64 * kKiB}) {
      const std::vector<Buffer> buffers = take(pool, SIZE_MAX, size);
      BOOST_TEST(buffers.size() == kBuffers);
      for (const Buffer& buffer : buffers) {
        BOOST_TEST(resident_pages(buffer.data(), size) == pages_of(size));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(c12_prefilled_memory_is_zero) {
  Pool pool = make_pool(one_class(8, ThreadCachePolicy::disabled()).with_prefill());
  for (int i = 0; i < 8; ++i) {
    BOOST_TEST(all_are(pool.alloc_zeroed(4 * kKiB).span(), std::byte{0}));
    BOOST_TEST(all_are(pool.acquire(1).span(), std::byte{0}));
  }
}

BOOST_AUTO_TEST_CASE(c12_without_prefill_there_is_no_memory) {
  const Pool kept = make_pool(PoolConfig::storage());
  Pool pool = make_pool(one_class(8, ThreadCachePolicy::exact(4), kMiB));
  for (const Buffer& buffer : take(pool, SIZE_MAX, kMiB)) {
    BOOST_TEST(resident_pages(buffer.data(), kMiB) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c12_there_are_exactly_max_per_class_in_each_class) {
  for (const bool prefill : {false, true}) {
    for (const size_t most : {size_t{1}, size_t{3}, size_t{64}, size_t{65}, size_t{200}}) {
      for (const size_t cache : {size_t{0}, size_t{1}, most / 2, most}) {
        Pool pool = make_pool(PoolConfig()
                                  .with_classes({4 * kKiB, 12 * kKiB, 20 * kKiB})
                                  .with_max_per_class(most)
                                  .with_prefill(prefill)
                                  .with_thread_cache(ThreadCachePolicy::exact(cache)));
        for (const size_t size : {4 * kKiB, 12 * kKiB, 20 * kKiB}) {
          BOOST_TEST(take(pool, SIZE_MAX, size).size() == most);
          BOOST_TEST(take(pool, SIZE_MAX, size).size() == most);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(c12_several_threads_share_what_there_is) {
  for (const bool prefill : {false, true}) {
    Pool pool = make_pool(one_class(100, ThreadCachePolicy::disabled()).with_prefill(prefill));
    std::vector<Buffer> taken[4];
    std::latch start(4);
    std::vector<std::thread> threads;
    for (std::vector<Buffer>& mine : taken) {
      threads.emplace_back([&pool, &start, &mine] {
        start.arrive_and_wait();
        mine = take(pool);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    size_t count = 0;
    for (const std::vector<Buffer>& mine : taken) {
      count += mine.size();
    }
    BOOST_TEST(count == 100U);
  }
}

BOOST_AUTO_TEST_CASE(c13_each_class_counts_what_it_created_and_refused) {
  Pool pool = make_pool(PoolConfig()
                            .with_sizes(4 * kKiB, 8 * kKiB)
                            .with_max_per_class(3)
                            .with_thread_cache(ThreadCachePolicy::disabled()));
  take(pool, 3, 4 * kKiB);  // three at the same time
  for (int round = 0; round < 4; ++round) {
    std::vector<Buffer> buffers = take(pool, SIZE_MAX, 4 * kKiB);
    BOOST_TEST(buffers.size() == 3U);
    BOOST_TEST(!pool.alloc(4 * kKiB).is_pooled());
  }
  { const Buffer other = pool.alloc(8 * kKiB); }
  BOOST_TEST(!pool.try_alloc(8 * kKiB + 1).has_value());
  BOOST_TEST(!pool.alloc(8 * kKiB + 1).is_pooled());

  const PoolStatistics now = pool.statistics();
  const PoolClassStatistics& small = now.classes.at(0);
  BOOST_TEST(small.allocations == 15U);
  BOOST_TEST(small.created == 3U);
  BOOST_TEST(small.hits == 12U);
  BOOST_TEST(small.exhausted == 8U);
  BOOST_TEST(small.misses() == 11U);
  const PoolClassStatistics& large = now.classes.at(1);
  BOOST_TEST(large.created == 1U);
  BOOST_TEST(large.hits == 0U);
  BOOST_TEST(large.exhausted == 0U);
  BOOST_TEST(now.oversized == 2U);
  BOOST_TEST(now.untracked == 5U);
  BOOST_TEST(now.recycles == 12U);
}

BOOST_AUTO_TEST_CASE(c13_purged_buffers_are_created_again) {
  Pool pool = make_pool(one_class(3, ThreadCachePolicy::disabled()));
  take(pool);
  BOOST_TEST(first_class(pool).created == 3U);
  pool.purge();
  take(pool);
  BOOST_TEST(first_class(pool).created == 6U);
  BOOST_TEST(first_class(pool).hits == 0U);
}

BOOST_AUTO_TEST_CASE(c13_counters_are_complete_while_threads_live) {
  Pool pool = make_pool(one_class(16, ThreadCachePolicy::exact(4)));
  Worker worker;
  worker.run([&pool] {
    for (int i = 0; i < 100; ++i) {
      take(pool, 2);
    }
  });
  const PoolClassStatistics now = first_class(pool);
  BOOST_TEST(now.allocations == 200U);
  BOOST_TEST(now.created + now.hits == 200U);
  worker.end();
  BOOST_TEST(first_class(pool).allocations == 200U);
}

BOOST_AUTO_TEST_CASE(c16_pools_of_one_thread_share_nothing) {
  constexpr size_t kPools = 5;
  std::vector<Pool> pools;
  std::set<const std::byte*> starts[kPools];
  for (auto& mine : starts) {
    pools.push_back(make_pool(one_class(8, ThreadCachePolicy::exact(4))));
    for (const Buffer& buffer : take(pools.back())) {
      mine.insert(buffer.data());
    }
    BOOST_TEST(mine.size() == 8U);
  }
  for (int round = 0; round < 10; ++round) {
    std::vector<Buffer> buffers[kPools];
    for (int i = 0; i < 8; ++i) {
      for (size_t each = 0; each < kPools; ++each) {
        buffers[each].push_back(pools[each].alloc(1));
        BOOST_TEST(buffers[each].back().is_pooled());
        BOOST_TEST(starts[each].contains(buffers[each].back().data()));
      }
    }
    for (size_t each = 0; each < kPools; ++each) {
      BOOST_TEST(first_class(pools[each]).live == 8U);
    }
  }
  for (const Pool& pool : pools) {
    BOOST_TEST(first_class(pool).live == 0U);
    BOOST_TEST(first_class(pool).cached <= 4U);
  }
}

BOOST_AUTO_TEST_CASE(c16_flushing_one_pool_leaves_the_others) {
  Pool one = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
  Pool other = make_pool(one_class(8, ThreadCachePolicy::exact(4)));
  for (Pool* pool : {&one, &other}) {
    std::vector<Buffer> buffers = take(*pool);
    give(buffers, 2);
    buffers.clear();
  }
  const uint64_t cached = first_class(other).cached;
  BOOST_TEST(cached > 0U);
  one.flush();
  check_places(one, 0, 0, 8);
  BOOST_TEST(first_class(other).cached == cached);
}

BOOST_AUTO_TEST_CASE(c16_a_new_pool_has_nothing_of_those_before) {
  for (int i = 0; i < 100; ++i) {
    Pool pool = make_pool(one_class(4, ThreadCachePolicy::exact(4)));
    check_places(pool, 0, 0, first_class(pool).free);
    for (int round = 0; round < 2; ++round) {
      std::vector<Buffer> buffers = take(pool);
      BOOST_TEST(buffers.size() == 4U);
      for (Buffer& buffer : buffers) {
        fill(buffer, std::byte{11});
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(c16_many_pools_at_a_time) {
  std::vector<std::unique_ptr<Pool>> pools;
  for (int i = 0; i < 40; ++i) {
    pools.push_back(std::make_unique<Pool>(make_pool(one_class(4, ThreadCachePolicy::exact(4)))));
  }
  std::thread([&pools] {
    for (const auto& pool : pools) {
      take(*pool);
    }
  }).join();
  while (!pools.empty()) {
    BOOST_TEST(take(*pools.back()).size() == 4U);
    pools.pop_back();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

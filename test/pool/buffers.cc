// What one thread sees of buffers: which memory it gets, what they do with it, and that it goes
// back once. Points C5 to C7, C9, C14 and C15 of the reference pool.
#include "spillway/buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <latch>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "alloc/base/attributes.h"
#include "spillway/pool.h"
#include "test/heap/child.h"

namespace {
std::atomic<uint64_t> heap_allocations{0};
}  // namespace

// Apart, so that no compiler compares the two sides of a pair after taking in one of them.
SPILLWAY_NOINLINE void* operator new(size_t bytes) {
  heap_allocations.fetch_add(1, std::memory_order_relaxed);
  void* const block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}
SPILLWAY_NOINLINE void* operator new(size_t bytes, std::align_val_t alignment) {
  heap_allocations.fetch_add(1, std::memory_order_relaxed);
  const size_t multiple = static_cast<size_t>(alignment);
  void* const block = std::aligned_alloc(multiple, (bytes + multiple - 1) / multiple * multiple);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}
SPILLWAY_NOINLINE void operator delete(void* block) noexcept { std::free(block); }
SPILLWAY_NOINLINE void operator delete(void* block, size_t /*bytes*/) noexcept { std::free(block); }
SPILLWAY_NOINLINE void operator delete(void* block, std::align_val_t /*alignment*/) noexcept {
  std::free(block);
}
SPILLWAY_NOINLINE void operator delete(void* block, size_t /*bytes*/,
                                       std::align_val_t /*alignment*/) noexcept {
  std::free(block);
}

namespace spillway {
namespace {

using heap::testing::Ending;
using heap::testing::run_in_child;

constexpr size_t kKiB = 1024;
constexpr size_t kMiB = 1024 * kKiB;

Pool make_pool(const PoolConfig& config) {
  expected<Pool, std::string> pool = Pool::create(config);
  BOOST_REQUIRE_MESSAGE(pool.has_value(), (pool.has_value() ? std::string() : pool.error()));
  return std::move(*pool);
}

// 4 and 8 KiB, without thread caches.
PoolConfig two_classes(size_t max_per_class) {
  return PoolConfig()
      .with_sizes(4 * kKiB, 8 * kKiB)
      .with_max_per_class(max_per_class)
      .with_thread_cache(ThreadCachePolicy::disabled());
}
PoolConfig one_class(size_t size, size_t max_per_class) {
  return two_classes(max_per_class).with_sizes(size, size);
}

PoolClassStatistics first_class(const Pool& pool) { return pool.statistics().classes.at(0); }

bool all_are(std::span<const std::byte> bytes, std::byte value) {
  return std::all_of(bytes.begin(), bytes.end(), [value](std::byte each) { return each == value; });
}
void fill(std::span<std::byte> bytes, std::byte value) {
  std::fill(bytes.begin(), bytes.end(), value);
}
bool is_aligned(const void* pointer, size_t alignment) {
  return reinterpret_cast<uintptr_t>(pointer) % alignment == 0;
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

// Every buffer that the class of this size has left.
std::vector<Buffer> take_all(Pool& pool, size_t size) {
  std::vector<Buffer> buffers;
  for (;;) {
    expected<Buffer, PoolError> buffer = pool.try_alloc(size);
    if (!buffer.has_value()) {
      BOOST_TEST((buffer.error() == PoolError::kExhausted));
      return buffers;
    }
    buffers.push_back(std::move(*buffer));
  }
}

void give_back(const RawBuffer& raw) { raw.free_function(raw.data, raw.hint); }

SharedBuffer frozen_text(Pool& pool, std::string_view text) {
  Buffer buffer = pool.alloc(text.size());
  BOOST_REQUIRE(buffer.append(text));
  return std::move(buffer).freeze();
}

BOOST_AUTO_TEST_SUITE(pool_requests)

BOOST_AUTO_TEST_CASE(c5_errors_have_names) {
  BOOST_TEST(std::string(name_of(PoolError::kOversized)) == "oversized");
  BOOST_TEST(std::string(name_of(PoolError::kExhausted)) == "exhausted");
}

BOOST_AUTO_TEST_CASE(c5_try_alloc_refuses_what_is_larger_than_the_largest_class) {
  Pool pool = make_pool(two_classes(4));
  for (const size_t size : {8 * kKiB + 1, 16 * kMiB, SIZE_MAX}) {
    BOOST_TEST(!pool.try_alloc_len(size).has_value());
    BOOST_TEST(!pool.try_alloc_zeroed(size).has_value());
    const expected<Buffer, PoolError> buffer = pool.try_alloc(size);
    BOOST_REQUIRE(!buffer.has_value());
    BOOST_TEST((buffer.error() == PoolError::kOversized));
  }
  const PoolStatistics now = pool.statistics();
  BOOST_TEST(now.oversized == 9U);
  BOOST_TEST(now.untracked == 0U);
  BOOST_TEST(pool.try_alloc(8 * kKiB).has_value());
}

BOOST_AUTO_TEST_CASE(c5_try_alloc_refuses_when_the_class_is_exhausted) {
  Pool pool = make_pool(two_classes(2));
  std::vector<Buffer> buffers = take_all(pool, 1);
  BOOST_TEST(buffers.size() == 2U);
  const auto zeroed = pool.try_alloc_zeroed(4 * kKiB);
  const auto with_size = pool.try_alloc_len(4 * kKiB);
  BOOST_REQUIRE(!zeroed.has_value());
  BOOST_REQUIRE(!with_size.has_value());
  BOOST_TEST((zeroed.error() == PoolError::kExhausted));
  BOOST_TEST((with_size.error() == PoolError::kExhausted));
  BOOST_TEST(pool.statistics().untracked == 0U);
  BOOST_TEST(pool.try_alloc(4 * kKiB + 1).has_value());  // the other class
  buffers.pop_back();
  BOOST_TEST(pool.try_alloc(4 * kKiB).has_value());
}

BOOST_AUTO_TEST_CASE(c5_below_the_least_pooled_size_blocks_have_exactly_the_size) {
  Pool pool = make_pool(two_classes(2).with_pool_min_size(1 * kKiB));
  for (const size_t size : {size_t{1}, size_t{100}, kKiB - 1}) {
    const auto buffer = pool.try_alloc_len(size);
    BOOST_REQUIRE(buffer.has_value());
    BOOST_TEST(!buffer->is_pooled());
    BOOST_TEST(buffer->size() == size);
    BOOST_TEST(buffer->capacity() == size);
    BOOST_TEST(is_aligned(buffer->data(), 64));
  }
  BOOST_TEST(!pool.alloc(100).is_pooled());
  BOOST_TEST(pool.alloc(kKiB).is_pooled());
  BOOST_TEST(pool.alloc(kKiB).capacity() == 4 * kKiB);
  BOOST_TEST(pool.statistics().untracked == 4U);
  BOOST_TEST(pool.statistics().oversized == 0U);
}

BOOST_AUTO_TEST_CASE(c6_alloc_serves_what_is_larger_than_the_largest_class) {
  Pool pool = make_pool(two_classes(2).with_alignment(4 * kKiB));
  for (const size_t size : {8 * kKiB + 1, 100 * kKiB + 3, 20 * kMiB}) {
    Buffer buffer = pool.alloc(size);
    BOOST_REQUIRE(static_cast<bool>(buffer));
    BOOST_TEST(!buffer.is_pooled());
    BOOST_TEST(buffer.size() == 0U);
    BOOST_TEST(buffer.capacity() == size);
    BOOST_TEST(is_aligned(buffer.data(), 4 * kKiB));
    fill(buffer.spare(), std::byte{7});
  }
  BOOST_TEST(pool.statistics().oversized == 3U);
  BOOST_TEST(pool.statistics().untracked == 3U);
}

BOOST_AUTO_TEST_CASE(c6_alloc_serves_when_the_class_is_exhausted) {
  Pool pool = make_pool(two_classes(2).with_alignment(kKiB));
  const std::vector<Buffer> buffers = take_all(pool, 4 * kKiB);
  {
    const Buffer more = pool.alloc_len(3000);
    BOOST_REQUIRE(static_cast<bool>(more));
    BOOST_TEST(!more.is_pooled());
    BOOST_TEST(more.size() == 3000U);
    BOOST_TEST(more.capacity() == 3000U);
    BOOST_TEST(is_aligned(more.data(), kKiB));
    const Buffer zeroed = pool.alloc_zeroed(3000);
    BOOST_TEST(!zeroed.is_pooled());
    BOOST_TEST(all_are(zeroed.span(), std::byte{0}));
  }
  // What was never pooled does not become so.
  BOOST_TEST(!pool.try_alloc(4 * kKiB).has_value());
  BOOST_TEST(first_class(pool).live == 2U);
  BOOST_TEST(first_class(pool).free == 0U);
  BOOST_TEST(pool.statistics().untracked == 2U);
}

BOOST_AUTO_TEST_CASE(c6_is_pooled_tells_for_all_forms_of_a_buffer) {
  Pool pool = make_pool(two_classes(2));
  BOOST_TEST(pool.alloc(1).is_pooled());
  BOOST_TEST(frozen_text(pool, "pooled").is_pooled());
  BOOST_TEST(frozen_text(pool, "pooled").slice(2, 3).is_pooled());
  BOOST_TEST(!frozen_text(pool, std::string(10000, 'x')).is_pooled());
  BOOST_TEST(!Buffer().is_pooled());
  BOOST_TEST(!SharedBuffer().is_pooled());
}

BOOST_AUTO_TEST_CASE(c7_alloc_gives_an_empty_buffer_of_the_smallest_class_that_fits) {
  Pool pool = make_pool(PoolConfig::page_buffers());
  const std::pair<size_t, size_t> expected_classes[] = {
      {0, 4096}, {1, 4096}, {4096, 4096}, {4097, 8192}, {65537, 131072}, {1048576, 1048576}};
  for (const auto& [asked, size] : expected_classes) {
    const Buffer buffer = pool.alloc(asked);
    BOOST_TEST(static_cast<bool>(buffer));
    BOOST_TEST(buffer.is_pooled());
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.capacity() == size);
  }
}

BOOST_AUTO_TEST_CASE(c7_alloc_len_gives_the_size) {
  Pool pool = make_pool(two_classes(2));
  for (const size_t size : {size_t{1}, 4 * kKiB, 4 * kKiB + 1}) {
    const Buffer buffer = pool.alloc_len(size);
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(buffer.capacity() == (size <= 4 * kKiB ? 4 : 8) * kKiB);
  }
}

BOOST_AUTO_TEST_CASE(c7_alloc_zeroed_clears_what_is_asked_and_nothing_else) {
  Pool pool = make_pool(one_class(4 * kKiB, 1));
  const std::byte* first = nullptr;
  for (const size_t size : {size_t{100}, size_t{1}, 4 * kKiB}) {
    {
      Buffer dirty = pool.alloc_len(4 * kKiB);
      fill(dirty.span(), std::byte{0xab});
      BOOST_TEST((first == nullptr || first == dirty.data()));
      first = dirty.data();
    }
    Buffer buffer = pool.alloc_zeroed(size);
    BOOST_REQUIRE(buffer.data() == first);
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(all_are(buffer.span(), std::byte{0}));
    BOOST_TEST(all_are(buffer.spare(), std::byte{0xab}));
  }
}

BOOST_AUTO_TEST_CASE(c7_alloc_zeroed_does_not_write_to_zero_memory) {
  Pool pool = make_pool(one_class(kMiB, 2));
  Buffer fresh = pool.alloc_zeroed(kMiB);
  BOOST_TEST(resident_pages(fresh.data(), kMiB) == 0U);
  BOOST_TEST(all_are(fresh.span(), std::byte{0}));
  fill(fresh.span(), std::byte{0xab});
  fresh.release();
  pool.flush();
  BOOST_TEST(pool.purge() >= kMiB);
  const Buffer one = pool.alloc_zeroed(kMiB);
  const Buffer other = pool.alloc_zeroed(kMiB);
  BOOST_TEST(resident_pages(one.data(), kMiB) + resident_pages(other.data(), kMiB) == 0U);
  BOOST_TEST(all_are(one.span(), std::byte{0}));
  BOOST_TEST(all_are(other.span(), std::byte{0}));
}

BOOST_AUTO_TEST_CASE(c7_alloc_zeroed_is_zero_whatever_was_done_before) {
  Pool pool = make_pool(two_classes(3).with_thread_cache(ThreadCachePolicy::exact(2)));
  for (int round = 0; round < 5; ++round) {
    std::vector<Buffer> buffers;
    for (int i = 0; i < 5; ++i) {  // two of them are not pooled
      buffers.push_back(pool.alloc_zeroed(4 * kKiB));
      BOOST_TEST(all_are(buffers.back().span(), std::byte{0}));
      fill(buffers.back().span(), std::byte{0xff});
    }
    buffers.clear();
    if (round % 2 == 1) {
      pool.flush();
      pool.purge();
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pool_returns)

BOOST_AUTO_TEST_CASE(c9_each_buffer_is_handed_out_once) {
  for (const size_t cache : {size_t{0}, size_t{1}, size_t{4}}) {
    Pool pool =
        make_pool(one_class(4 * kKiB, 100).with_thread_cache(ThreadCachePolicy::exact(cache)));
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
  Pool pool = make_pool(one_class(4 * kKiB, 200));
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

BOOST_AUTO_TEST_CASE(c9_two_returns_at_the_same_time_are_found) {
  Pool pool = make_pool(two_classes(8).with_thread_cache(ThreadCachePolicy::exact(4)));
  check_double_return(run_in_child([&pool] {
                        const RawBuffer raw = RawBuffer::from(pool.alloc(1));
                        std::latch start(2);
                        const auto race = [&start, &raw] {
                          start.arrive_and_wait();
                          give_back(raw);
                        };
                        std::thread one(race);
                        std::thread other(race);
                        one.join();
                        other.join();
                      }),
                      "4096");
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

BOOST_AUTO_TEST_SUITE(pool_alignment)

void check_alignment(const PoolConfig& config) {
  Pool pool = make_pool(config.with_max_per_class(3));
  std::vector<Buffer> buffers;
  for (const size_t size : config.sizes()) {
    for (int i = 0; i < 5; ++i) {  // two more than there are
      buffers.push_back(pool.alloc(size));
      BOOST_TEST(buffers.back().is_pooled() == (i < 3));
      BOOST_TEST(is_aligned(buffers.back().data(), config.alignment));
    }
  }
  buffers.push_back(pool.alloc(config.sizes().back() + 1));
  buffers.push_back(pool.alloc_zeroed(config.sizes().back() * 3 + 5));
  buffers.push_back(pool.alloc_len(1));
  for (const Buffer& buffer : buffers) {
    BOOST_TEST(static_cast<bool>(buffer));
    BOOST_TEST(is_aligned(buffer.data(), config.alignment));
  }
}

BOOST_AUTO_TEST_CASE(c14_powers_of_two) {
  for (size_t alignment = 1; alignment <= 4 * kKiB; alignment *= 8) {
    check_alignment(PoolConfig().with_alignment(alignment).with_sizes(4 * kKiB, 64 * kKiB));
  }
  check_alignment(PoolConfig().with_alignment(64).with_sizes(64, kKiB).with_pool_min_size(60));
}

BOOST_AUTO_TEST_CASE(c14_listed_sizes) {
  check_alignment(PoolConfig().with_classes({192, 320, 1344, 4160}));
  check_alignment(PoolConfig().with_alignment(kKiB).with_classes({3 * kKiB, 5 * kKiB, 24 * kKiB}));
  check_alignment(PoolConfig().with_alignment(8).with_classes({8, 24, 40, 1000}));
}

BOOST_AUTO_TEST_CASE(c14_more_than_a_page) {
  check_alignment(PoolConfig().with_alignment(64 * kKiB).with_sizes(64 * kKiB, 256 * kKiB));
  check_alignment(PoolConfig().with_alignment(2 * kMiB).with_sizes(2 * kMiB, 4 * kMiB));
  check_alignment(
      PoolConfig().with_alignment(64 * kKiB).with_classes({192 * kKiB, 320 * kKiB, 448 * kKiB}));
}

BOOST_AUTO_TEST_CASE(c14_also_without_pooling) {
  check_alignment(PoolConfig()
                      .with_alignment(4 * kKiB)
                      .with_sizes(4 * kKiB, 8 * kKiB)
                      .with_pool_min_size(4 * kKiB));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pool_buffer)

BOOST_AUTO_TEST_CASE(one_without_memory_does_nothing) {
  Buffer buffer;
  BOOST_TEST(!buffer);
  BOOST_TEST(buffer.size() == 0U);
  BOOST_TEST(buffer.capacity() == 0U);
  BOOST_TEST(buffer.view() == "");
  BOOST_TEST(buffer.spare().empty());
  BOOST_TEST(!buffer.append("x"));
  BOOST_TEST(buffer.append(""));
  BOOST_TEST(!buffer.set_size(1));
  BOOST_TEST(!buffer.resize(10));
  buffer.clear();
  buffer.release();
  BOOST_TEST(!buffer);
}

BOOST_AUTO_TEST_CASE(append_fills_up_to_the_capacity_and_does_not_move) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(4 * kKiB);
  const std::byte* const start = buffer.data();
  std::string expected_text;
  while (buffer.append("seven b")) {
    expected_text += "seven b";
  }
  BOOST_TEST(buffer.size() == 4 * kKiB / 7 * 7);
  BOOST_TEST((buffer.view() == expected_text));
  BOOST_TEST(!buffer.append(std::string(buffer.spare().size() + 1, 'x')));
  BOOST_TEST((buffer.view() == expected_text));
  BOOST_TEST(buffer.append(std::string(buffer.spare().size(), 'x')));
  BOOST_TEST(buffer.size() == buffer.capacity());
  BOOST_TEST(buffer.append(""));
  BOOST_TEST(!buffer.append("x"));
  BOOST_TEST(buffer.data() == start);
}

BOOST_AUTO_TEST_CASE(append_takes_the_buffer_s_own_bytes) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(100);
  BOOST_TEST(buffer.append("abcdef"));
  BOOST_TEST(buffer.append(buffer.view().substr(1, 3)));
  BOOST_TEST(buffer.view() == "abcdefbcd");
  BOOST_TEST(buffer.append(buffer.view()));
  BOOST_TEST(buffer.view() == "abcdefbcdabcdefbcd");
  buffer.clear();
  BOOST_TEST(buffer.empty());
  // From behind the size, and over the place where they go.
  std::memcpy(buffer.spare().data(), "0123456789", 10);
  BOOST_TEST(buffer.append(std::span<const std::byte>(buffer.data() + 2, 8)));
  BOOST_TEST(buffer.view() == "23456789");
}

BOOST_AUTO_TEST_CASE(set_size_stays_within_the_capacity) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(10);
  std::memcpy(buffer.spare().data(), "hello", 5);
  BOOST_TEST(buffer.set_size(5));
  BOOST_TEST(buffer.view() == "hello");
  BOOST_TEST(buffer.set_size(buffer.capacity()));
  BOOST_TEST(buffer.spare().empty());
  BOOST_TEST(buffer.set_size(2));
  for (const size_t size : {buffer.capacity() + 1, SIZE_MAX}) {
    BOOST_TEST(!buffer.set_size(size));
    BOOST_TEST(buffer.view() == "he");
  }
}

BOOST_AUTO_TEST_CASE(resize_within_the_capacity_fills_what_is_added) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(100);
  const std::byte* const start = buffer.data();
  fill(buffer.spare(), std::byte{0xee});
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(buffer.resize(6, std::byte{'x'}));
  BOOST_TEST(buffer.view() == "abcxxx");
  BOOST_TEST(buffer.resize(2));
  BOOST_TEST(buffer.view() == "ab");
  BOOST_TEST(buffer.resize(4 * kKiB));
  BOOST_TEST(all_are(buffer.span().subspan(2), std::byte{0}));
  BOOST_TEST(buffer.data() == start);
}

BOOST_AUTO_TEST_CASE(resize_beyond_the_capacity_moves_to_a_larger_class) {
  Pool pool = make_pool(two_classes(2));
  const Tenant tenant = pool.tenant("mover");
  Buffer buffer = pool.alloc(100, tenant);
  BOOST_TEST(buffer.append("abc"));
  BOOST_TEST(buffer.resize(5000, std::byte{'x'}));
  BOOST_TEST(buffer.is_pooled());
  BOOST_TEST(buffer.size() == 5000U);
  BOOST_TEST(buffer.capacity() == 8 * kKiB);
  BOOST_TEST(buffer.view().substr(0, 4) == "abcx");
  BOOST_TEST(all_are(buffer.span().subspan(3), std::byte{'x'}));
  BOOST_TEST(tenant.live_bytes() == 8 * kKiB);
  BOOST_TEST(pool.statistics().classes.at(0).live == 0U);
  BOOST_TEST(pool.statistics().classes.at(1).live == 1U);
  buffer.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(resize_beyond_the_largest_class_takes_exactly_the_size) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc_len(8 * kKiB);
  fill(buffer.span(), std::byte{'a'});
  for (const size_t size : {8 * kKiB + 1, 100 * kKiB, 3 * kMiB + 7}) {
    const size_t before = buffer.size();
    BOOST_TEST(buffer.resize(size, std::byte{'a'}));
    BOOST_TEST(!buffer.is_pooled());
    BOOST_TEST(buffer.size() == size);
    BOOST_TEST(buffer.capacity() == size);
    BOOST_TEST(before < size);
    BOOST_TEST(all_are(buffer.span(), std::byte{'a'}));
  }
  BOOST_TEST(pool.statistics().classes.at(1).live == 0U);
  // The class gets none of the other blocks.
  buffer.release();
  BOOST_TEST(take_all(pool, 8 * kKiB).size() == 2U);
}

BOOST_AUTO_TEST_CASE(resize_to_what_nobody_has_changes_nothing) {
  Pool pool = make_pool(two_classes(2));
  Buffer buffer = pool.alloc(100);
  BOOST_TEST(buffer.append("kept"));
  const std::byte* const start = buffer.data();
  for (const size_t size : {SIZE_MAX, SIZE_MAX / 2}) {
    BOOST_TEST(!buffer.resize(size));
    BOOST_TEST(buffer.view() == "kept");
    BOOST_TEST(buffer.data() == start);
  }
  BOOST_TEST(!pool.alloc(SIZE_MAX));
  BOOST_TEST(!pool.alloc_zeroed(SIZE_MAX - 4096));
}

BOOST_AUTO_TEST_CASE(moving_hands_the_memory_over) {
  Pool pool = make_pool(two_classes(4));
  Buffer first = pool.alloc(100);
  BOOST_TEST(first.append("first"));
  const std::byte* const start = first.data();
  Buffer second(std::move(first));
  BOOST_TEST(second.data() == start);
  BOOST_TEST(second.view() == "first");
  BOOST_TEST(!first);  // NOLINT(bugprone-use-after-move)
  BOOST_TEST(first.size() == 0U);
  BOOST_TEST(first.capacity() == 0U);
  BOOST_TEST(!first.append("x"));

  Buffer third = pool.alloc(100);
  BOOST_TEST(first_class(pool).live == 2U);
  third = std::move(second);
  BOOST_TEST(first_class(pool).live == 1U);
  BOOST_TEST(third.view() == "first");

  Buffer& same = third;
  third = std::move(same);
  BOOST_TEST(third.view() == "first");
  BOOST_TEST(third.data() == start);
  BOOST_TEST(first_class(pool).live == 1U);

  third = Buffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(swap_exchanges_everything) {
  Pool pool = make_pool(two_classes(4));
  const Tenant tenant = pool.tenant("swapper");
  Buffer small = pool.alloc(100, tenant);
  Buffer large = pool.alloc(5000);
  BOOST_TEST(small.append("small"));
  BOOST_TEST(large.append("large"));
  small.swap(large);
  BOOST_TEST(small.view() == "large");
  BOOST_TEST(small.capacity() == 8 * kKiB);
  BOOST_TEST(large.view() == "small");
  BOOST_TEST(large.capacity() == 4 * kKiB);
  small.release();
  BOOST_TEST(tenant.live_bytes() == 4 * kKiB);
  large.swap(large);
  BOOST_TEST(large.view() == "small");
  large.release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(a_raw_buffer_comes_back_as_it_was) {
  Pool pool = make_pool(two_classes(4));
  const Tenant tenant = pool.tenant("raw");
  for (const size_t size : {size_t{100}, size_t{5000}, size_t{50000}}) {
    Buffer buffer = pool.alloc(size, tenant);
    BOOST_TEST(buffer.append("raw bytes"));
    const size_t capacity = buffer.capacity();
    const RawBuffer raw = RawBuffer::from(std::move(buffer));
    BOOST_TEST(!buffer);  // NOLINT(bugprone-use-after-move)
    BOOST_TEST(raw.size == 9U);
    BOOST_TEST(std::memcmp(raw.data, "raw bytes", 9) == 0);
    BOOST_TEST(tenant.live_bytes() == capacity);
    Buffer again = RawBuffer::adopt(raw);
    BOOST_TEST(again.view() == "raw bytes");
    BOOST_TEST(again.capacity() == capacity);
    BOOST_TEST(again.data() == raw.data);
    again.release();
    BOOST_TEST(tenant.live_bytes() == 0U);
    const RawBuffer other = RawBuffer::from(pool.alloc_len(size, tenant));
    BOOST_TEST(other.size == size);
    give_back(other);
    BOOST_TEST(tenant.live_bytes() == 0U);
  }
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.live == 0U);
  }
}

BOOST_AUTO_TEST_CASE(a_raw_buffer_may_begin_inside_the_memory) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "header body");
  shared.advance(7);
  auto body = std::move(shared).to_buffer();
  BOOST_REQUIRE(body.has_value());
  const size_t capacity = body->capacity();
  const RawBuffer raw = RawBuffer::from(std::move(*body));
  BOOST_TEST(raw.size == 4U);
  BOOST_TEST(std::memcmp(raw.data, "body", 4) == 0);
  Buffer again = RawBuffer::adopt(raw);
  BOOST_TEST(again.view() == "body");
  BOOST_TEST(again.capacity() == capacity);
  give_back(RawBuffer::from(std::move(again)));
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(a_raw_buffer_may_begin_at_the_memory_s_end) {
  for (const size_t size : {4 * kKiB, 8 * kKiB, size_t{50000}}) {
    Pool pool = make_pool(two_classes(2));
    const Buffer neighbour = pool.alloc(size);
    SharedBuffer shared = pool.alloc_len(size).freeze();
    shared.advance(size);
    auto nothing = std::move(shared).to_buffer();
    BOOST_REQUIRE(nothing.has_value());
    BOOST_TEST(nothing->capacity() == 0U);
    const Buffer behind = pool.alloc(size);
    const Ending ending = run_in_child([&nothing] {
      Buffer again = RawBuffer::adopt(RawBuffer::from(std::move(*nothing)));
      give_back(RawBuffer::from(std::move(again)));
    });
    BOOST_TEST(ending.status == 0);
    BOOST_TEST(ending.message == "");
    const RawBuffer raw = RawBuffer::from(std::move(*nothing));
    if (ending.status == 0) {
      give_back(raw);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(pool_shared_buffer)

BOOST_AUTO_TEST_CASE(c15_freeze_keeps_the_memory_where_it_is) {
  Pool pool = make_pool(two_classes(4));
  for (const size_t size : {size_t{100}, size_t{5000}, size_t{50000}}) {
    Buffer buffer = pool.alloc(size);
    BOOST_TEST(buffer.append("frozen"));
    const std::byte* const start = buffer.data();
    const bool pooled = buffer.is_pooled();
    const SharedBuffer shared = std::move(buffer).freeze();
    BOOST_TEST(!buffer);  // NOLINT(bugprone-use-after-move)
    BOOST_TEST(buffer.capacity() == 0U);
    BOOST_TEST(shared.data() == start);
    BOOST_TEST(shared.view() == "frozen");
    BOOST_TEST(shared.is_pooled() == pooled);
    BOOST_TEST(shared.is_unique());
  }
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.live == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c15_nothing_is_allocated) {
  Pool pool = make_pool(two_classes(4));
  const Tenant tenant = pool.tenant("frugal");
  const auto round = [&pool, tenant](size_t size) {
    Buffer buffer = pool.alloc(size, tenant);
    buffer.append("some bytes");
    SharedBuffer shared = std::move(buffer).freeze();
    SharedBuffer copy = shared;
    SharedBuffer slice = copy.slice(2, 5);
    SharedBuffer front = copy.take(3);
    copy.advance(1);
    copy = slice;
    shared = SharedBuffer();
    front = SharedBuffer();
    copy = SharedBuffer();
    expected<Buffer, SharedBuffer> again = std::move(slice).to_buffer();
    if (again.has_value()) {
      give_back(RawBuffer::from(std::move(*again)));
    }
    pool.flush();
    return again.has_value();
  };
  BOOST_TEST(round(100));
  for (const size_t size : {size_t{100}, size_t{5000}}) {
    const uint64_t before = heap_allocations.load();
    bool all = true;
    for (int i = 0; i < 50; ++i) {
      all = all && round(size);
    }
    const uint64_t after = heap_allocations.load();
    BOOST_TEST(all);
    BOOST_TEST(after == before);
  }
}

BOOST_AUTO_TEST_CASE(c15_copies_and_slices_keep_the_memory) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  SharedBuffer copy = shared;
  SharedBuffer slice = shared.slice(2, 5);
  SharedBuffer part_of_slice = slice.slice(1, 2);
  const SharedBuffer empty = shared.slice(4, 0);
  BOOST_TEST(!shared.is_unique());
  BOOST_TEST(copy.data() == shared.data());
  BOOST_TEST(slice.data() == shared.data() + 2);
  BOOST_TEST(slice.view() == "23456");
  BOOST_TEST(part_of_slice.view() == "34");
  BOOST_TEST(!empty);
  BOOST_TEST(empty.empty());
  shared = SharedBuffer();
  copy = SharedBuffer();
  slice = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 1U);
  BOOST_TEST(part_of_slice.view() == "34");
  BOOST_TEST(part_of_slice.is_unique());
  part_of_slice = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_empty_slices_do_not_keep_the_memory) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  const SharedBuffer empty[] = {shared.slice(0, 0), shared.slice(10), shared.slice(11, 5),
                                shared.slice(SIZE_MAX, SIZE_MAX), shared.take(0)};
  BOOST_TEST(shared.is_unique());
  for (const SharedBuffer& each : empty) {
    BOOST_TEST(!each);
    BOOST_TEST(each.empty());
    BOOST_TEST(each.view() == "");
  }
  shared = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_slices_are_cut_to_what_there_is) {
  Pool pool = make_pool(two_classes(4));
  const SharedBuffer shared = frozen_text(pool, "0123456789");
  BOOST_TEST(shared.slice(0).view() == "0123456789");
  BOOST_TEST(shared.slice(9, 100).view() == "9");
  BOOST_TEST(shared.slice(3, SIZE_MAX).view() == "3456789");
  BOOST_TEST(shared.slice(3, SIZE_MAX - 1).view() == "3456789");
  BOOST_TEST(SharedBuffer().slice(0, 10).empty());
}

BOOST_AUTO_TEST_CASE(c15_taking_a_part_shares_and_taking_all_hands_over) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  const std::byte* const start = shared.data();
  SharedBuffer front = shared.take(4);
  BOOST_TEST(front.view() == "0123");
  BOOST_TEST(front.data() == start);
  BOOST_TEST(shared.view() == "456789");
  BOOST_TEST(!shared.is_unique());
  front = SharedBuffer();
  BOOST_TEST(shared.is_unique());

  SharedBuffer rest = shared.take(100);
  BOOST_TEST(rest.view() == "456789");
  BOOST_TEST(rest.is_unique());
  BOOST_TEST(!shared);
  BOOST_TEST(shared.empty());
  BOOST_TEST(shared.take(1).empty());
  BOOST_TEST(first_class(pool).live == 1U);
  rest = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);

  SharedBuffer whole = frozen_text(pool, "0123456789");
  const SharedBuffer all = whole.take(10);
  BOOST_TEST(!whole);
  BOOST_TEST(all.is_unique());
}

BOOST_AUTO_TEST_CASE(c15_advance_drops_the_front) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  shared.advance(0);
  BOOST_TEST(shared.view() == "0123456789");
  shared.advance(3);
  BOOST_TEST(shared.view() == "3456789");
  BOOST_TEST(shared.is_unique());
  shared.advance(SIZE_MAX);
  BOOST_TEST(shared.empty());
  shared.advance(1);
  BOOST_TEST(shared.empty());
  shared = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_a_unique_one_becomes_writable_again) {
  Pool pool = make_pool(two_classes(4));
  const Tenant tenant = pool.tenant("again");
  Buffer buffer = pool.alloc(100, tenant);
  BOOST_TEST(buffer.append("0123456789"));
  const std::byte* const start = buffer.data();
  SharedBuffer shared = std::move(buffer).freeze();
  expected<Buffer, SharedBuffer> again = std::move(shared).to_buffer();
  BOOST_REQUIRE(again.has_value());
  BOOST_TEST(!shared);  // NOLINT(bugprone-use-after-move)
  BOOST_TEST(again->data() == start);
  BOOST_TEST(again->view() == "0123456789");
  BOOST_TEST(again->capacity() == 4 * kKiB);
  BOOST_TEST(again->append("abc"));
  BOOST_TEST(again->view() == "0123456789abc");
  BOOST_TEST(tenant.live_bytes() == 4 * kKiB);
  again->release();
  BOOST_TEST(tenant.live_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(c15_a_slice_gives_its_remaining_capacity) {
  Pool pool = make_pool(two_classes(4));
  for (const size_t length : {size_t{100}, size_t{5000}, size_t{50000}}) {
    Buffer buffer = pool.alloc_len(length);
    fill(buffer.span(), std::byte{'.'});
    const size_t capacity = buffer.capacity();
    SharedBuffer shared = std::move(buffer).freeze();
    SharedBuffer slice = shared.slice(10, 20);
    shared = SharedBuffer();
    expected<Buffer, SharedBuffer> again = std::move(slice).to_buffer();
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->size() == 20U);
    BOOST_TEST(again->capacity() == capacity - 10);
    BOOST_TEST(again->resize(capacity - 10, std::byte{'x'}));
    BOOST_TEST(again->capacity() == capacity - 10);
    // Its bytes move like any other's.
    BOOST_TEST(again->resize(capacity + 1, std::byte{'y'}));
    BOOST_TEST(all_are(again->span().first(20), std::byte{'.'}));
    BOOST_TEST(all_are(again->span().subspan(20, capacity - 30), std::byte{'x'}));
    BOOST_TEST(all_are(again->span().subspan(capacity - 10), std::byte{'y'}));
  }
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    BOOST_TEST(each.live == 0U);
  }
}

BOOST_AUTO_TEST_CASE(c15_a_shared_one_stays_as_it_is) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer shared = frozen_text(pool, "0123456789");
  SharedBuffer slice = shared.slice(3, 4);
  const std::byte* const start = slice.data();
  expected<Buffer, SharedBuffer> refused = std::move(slice).to_buffer();
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST(refused.error().view() == "3456");
  BOOST_TEST(refused.error().data() == start);
  BOOST_TEST(shared.view() == "0123456789");
  shared = SharedBuffer();
  BOOST_TEST(std::move(refused.error()).to_buffer().has_value());
}

BOOST_AUTO_TEST_CASE(c15_it_can_be_frozen_and_written_many_times) {
  Pool pool = make_pool(two_classes(4));
  Buffer buffer = pool.alloc(100);
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(buffer.append("x"));
    SharedBuffer shared = std::move(buffer).freeze();
    { const SharedBuffer passing = shared; }
    expected<Buffer, SharedBuffer> again = std::move(shared).to_buffer();
    BOOST_REQUIRE(again.has_value());
    buffer = std::move(*again);
  }
  BOOST_TEST(buffer.view() == std::string(20, 'x'));
  buffer.release();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_assignment_counts_right) {
  Pool pool = make_pool(two_classes(4));
  SharedBuffer one = frozen_text(pool, "one");
  SharedBuffer two = frozen_text(pool, "two");
  SharedBuffer& same = one;
  one = same;
  BOOST_TEST(one.is_unique());
  one = std::move(same);
  BOOST_TEST(one.view() == "one");
  BOOST_TEST(one.is_unique());
  two = one;
  BOOST_TEST(first_class(pool).live == 1U);
  BOOST_TEST(two.view() == "one");
  SharedBuffer moved = std::move(two);
  BOOST_TEST(!two);  // NOLINT(bugprone-use-after-move)
  BOOST_TEST(!moved.is_unique());
  one.swap(moved);
  one = SharedBuffer();
  BOOST_TEST(moved.is_unique());
  moved = SharedBuffer();
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_CASE(c15_a_buffer_frozen_empty_comes_back_too) {
  Pool pool = make_pool(two_classes(4));
  { const SharedBuffer shared = pool.alloc(100).freeze(); }
  BOOST_TEST(!Buffer().freeze());
  BOOST_TEST(first_class(pool).live == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway

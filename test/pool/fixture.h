// SPDX-License-Identifier: MIT
// What tests of the buffer pool have in common.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alloc/base/bits.h"
#include "spillway/pool.h"
#include "test/resident.h"

namespace spillway::pool::testing {

inline Pool make_pool(const PoolConfig& config) {
  expected<Pool, std::string> pool = Pool::create(config);
  BOOST_REQUIRE_MESSAGE(pool.has_value(), (pool.has_value() ? std::string() : pool.error()));
  return std::move(*pool);
}

inline PoolConfig one_class(size_t max_per_class,
                            ThreadCachePolicy cache = ThreadCachePolicy::disabled(),
                            size_t size = 4 * kKiB) {
  return PoolConfig()
      .with_sizes(size, size)
      .with_max_per_class(max_per_class)
      .with_thread_cache(cache);
}
// 4 and 8 KiB, without thread caches.
inline PoolConfig two_classes(size_t max_per_class) {
  return one_class(max_per_class).with_sizes(4 * kKiB, 8 * kKiB);
}

// As many buffers of the class as there are, up to `max`.
inline std::vector<Buffer> take(Pool& pool, size_t max = SIZE_MAX, size_t size = 4 * kKiB) {
  std::vector<Buffer> buffers;
  while (buffers.size() < max) {
    expected<Buffer, PoolError> buffer = pool.try_alloc(size);
    if (!buffer.has_value()) {
      break;
    }
    buffers.push_back(std::move(*buffer));
  }
  return buffers;
}
// Every buffer that the class of this size has left.
inline std::vector<Buffer> take_all(Pool& pool, size_t size) {
  std::vector<Buffer> buffers = take(pool, SIZE_MAX, size);
  const expected<Buffer, PoolError> more = pool.try_alloc(size);
  BOOST_REQUIRE(!more.has_value());
  BOOST_TEST((more.error() == PoolError::kExhausted));
  return buffers;
}
// Gives the last ones back, the very last first.
inline void give(std::vector<Buffer>& buffers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    buffers.pop_back();
  }
}
inline void give_back(const RawBuffer& raw) { raw.free_function(raw.data, raw.hint); }

inline SharedBuffer frozen_text(Pool& pool, std::string_view text) {
  Buffer buffer = pool.alloc(text.size());
  BOOST_REQUIRE(buffer.append(text));
  return std::move(buffer).freeze();
}

inline PoolClassStatistics first_class(const Pool& pool) { return pool.statistics().classes.at(0); }

inline void check_places(const Pool& pool, uint64_t live, uint64_t cached, uint64_t free) {
  const PoolClassStatistics now = first_class(pool);
  BOOST_TEST(now.live == live);
  BOOST_TEST(now.cached == cached);
  BOOST_TEST(now.free == free);
}

inline uint64_t live_buffers(const Pool& pool) {
  uint64_t live = 0;
  for (const PoolClassStatistics& each : pool.statistics().classes) {
    live += each.live;
  }
  return live;
}

inline size_t count_pooled(const std::vector<Buffer>& buffers) {
  return static_cast<size_t>(std::count_if(buffers.begin(), buffers.end(),
                                           [](const Buffer& each) { return each.is_pooled(); }));
}

inline bool all_are(std::span<const std::byte> bytes, std::byte value) {
  return std::all_of(bytes.begin(), bytes.end(), [value](std::byte each) { return each == value; });
}
inline void fill(std::span<std::byte> bytes, std::byte value) {
  std::fill(bytes.begin(), bytes.end(), value);
}
// Up to the capacity, which is the size then.
inline void fill_up(Buffer& buffer, std::byte value) {
  buffer.set_size(buffer.capacity());
  fill(buffer.span(), value);
}

inline bool is_aligned(const void* pointer, size_t alignment) {
  return reinterpret_cast<uintptr_t>(pointer) % alignment == 0;
}

using spillway::testing::resident_pages;
inline size_t pages_of(size_t bytes) { return bytes / static_cast<size_t>(getpagesize()); }

// Whether the text has this line, exactly once.
inline bool has_line(const std::string& text, const std::string& line) {
  const std::string all = '\n' + text;
  const std::string wanted = '\n' + line + '\n';
  const size_t first = all.find(wanted);
  return first != std::string::npos && all.find(wanted, first + 1) == std::string::npos;
}

}  // namespace spillway::pool::testing

// SPDX-License-Identifier: MIT
// The heap of the test's own process, started as its faces start it.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "alloc/base/bits.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/lifecycle.h"
#include "alloc/heap/report.h"
#include "alloc/heap/state.h"
#include "alloc/heap/tenants.h"
#include "alloc/heap/watched.h"
#include "test/bytes.h"
#include "test/os/fake_process.h"

namespace spillway::heap::testing {

// Without the scavenger, and without its thread where a test switches it on: which blocks have
// memory, and so which are taken, would depend on how far it has come.
inline bool start_once() {
  static const bool started = [] {
    setenv("SPILLWAY_PURGE_DELAY", "never", 1);
    setenv("SPILLWAY_PURGE_THREAD", "0", 1);
    on_process_start(environ);
    return is_pooling();
  }();
  return started;
}

// The clock stands still and the thread has no cached blocks: what it gets does not depend on the
// rate of the tests before (core/thread_cache.h).
struct HeapFixture {
  HeapFixture() {
    BOOST_REQUIRE(start_once());
    os::fake::stop_clock();
    heap.engine.flush(thread_state);
  }
};

// What the calling thread allocates during a scope is watched: it is some tenant's.
class Watching {
 public:
  static int tenant() {
    static const int number = create_tenant("watching", kNoLimit);
    return number;
  }
  Watching() : before_(enter_tenant(tenant())) {
    if (before_ < 0) {
      std::abort();  // not Boost.Test's way, which is for one thread
    }
  }
  ~Watching() { enter_tenant(before_); }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  int before_;
};

inline stats::Snapshot snapshot() {
  stats::Snapshot result;
  collect(result);
  return result;
}

// The statistics of the class that serves requests of `size`.
inline stats::ClassSnapshot class_snapshot(size_t size) {
  return snapshot().classes[raw(class_of(size))];
}

inline bool is_pooled(const void* pointer) { return heap.engine.arena().owns(pointer); }

inline bool is_aligned(const void* pointer, size_t alignment) {
  return reinterpret_cast<uintptr_t>(pointer) % alignment == 0;
}

// Bytes that tell their position, and by `seed` their block.
inline unsigned char pattern_byte(size_t position, unsigned seed) {
  return static_cast<unsigned char>(position * 31 + (position >> 8) + seed);
}
inline void fill(void* block, size_t size, unsigned seed) {
  auto* bytes = static_cast<unsigned char*>(block);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = pattern_byte(i, seed);
  }
}
inline bool is_filled(const void* block, size_t size, unsigned seed) {
  const auto* bytes = static_cast<const unsigned char*>(block);
  size_t i = 0;
  while (i < size && bytes[i] == pattern_byte(i, seed)) {
    ++i;
  }
  return i == size;
}
inline bool is_zero(const void* block, size_t size) {
  return spillway::testing::holds(block, 0, size, 0);
}

// Around every border between mimalloc and pool, and between classes.
inline constexpr size_t kSizes[] = {1,        100,   4095,     4096,    4097,       8192,
                                    16384,    16385, 20480,    100000,  256 * kKiB, 600 * kKiB,
                                    kMiB - 1, kMiB,  kMiB + 1, 3 * kMiB};
// No machine has them; the last three are no sizes at all.
inline constexpr size_t kImpossibleSizes[] = {PTRDIFF_MAX - kMiB, size_t{PTRDIFF_MAX} + 1,
                                              SIZE_MAX - kGranuleSize, SIZE_MAX};

}  // namespace spillway::heap::testing

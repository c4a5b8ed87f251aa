// SPDX-License-Identifier: MIT
// A guarded heap, and what it told of damage.
#pragma once

#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "alloc/core/heap_arena.h"
#include "alloc/guard/guarded_heap.h"
#include "test/os/faulty_memory.h"

namespace spillway::guard::testing {

namespace faulty = os::faulty;
using Where = GuardedHeap::Where;

inline constexpr size_t kRegion = 512 * kMiB;
inline constexpr Parts kAllParts{.guard_pages = true,
                                 .zero_on_free = true,
                                 .canaries = true,
                                 .random_placement = true,
                                 .quarantine = 8};

// Whether a byte may be read: the kernel is asked.
inline bool is_accessible(const void* address) {
  int ends[2];
  BOOST_REQUIRE(pipe(ends) == 0);
  const bool readable = write(ends[1], address, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return readable;
}

struct Told {
  Damage damage;
  const void* block;
  size_t size;
};
inline std::vector<Told> told;

class GuardedFixture {
 public:
  explicit GuardedFixture(const Parts& parts = kAllParts, bool by_protection = false) {
    faulty::reset();
    faulty::deny_by_protection(by_protection);
    told.clear();
    BOOST_REQUIRE(heap.start(
        kRegion, parts,
        [](Damage damage, const void* block, size_t size) {
          told.push_back({damage, block, size});
        },
        gate));
  }
  ~GuardedFixture() {
    heap.stop();
    BOOST_TEST(faulty::reserved_bytes() == 0U);
    faulty::reset();
  }
  GuardedFixture(const GuardedFixture&) = delete;
  GuardedFixture& operator=(const GuardedFixture&) = delete;

  char* take(size_t size, size_t alignment = 1) {
    void* const block = heap.allocate({.size = size, .alignment = alignment});
    BOOST_REQUIRE(block != nullptr);
    BOOST_REQUIRE(heap.owns(block));
    return static_cast<char*>(block);
  }
  void free(void* block) { BOOST_REQUIRE((heap.free(block).where == Where::kLive)); }
  // Has each slot in use once that is free now.
  void reuse_all(size_t size) {
    std::vector<void*> blocks;
    void* block = heap.allocate({.size = size});
    while (block != nullptr && blocks.size() < 4000) {
      blocks.push_back(block);
      block = heap.allocate({.size = size});
    }
    blocks.push_back(block);
    for (void* const one : blocks) {
      if (one != nullptr) {
        free(one);
      }
    }
  }

  core::HeapArena gate;
  GuardedHeap heap;
};

}  // namespace spillway::guard::testing

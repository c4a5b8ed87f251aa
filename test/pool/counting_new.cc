// SPDX-License-Identifier: MIT
#include "test/pool/counting_new.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "alloc/base/attributes.h"

namespace {
std::atomic<uint64_t> allocations{0};
// Of `allocations`; the ones above are refused.
std::atomic<uint64_t> allowed{UINT64_MAX};

void count() {
  if (allocations.fetch_add(1, std::memory_order_relaxed) >=
      allowed.load(std::memory_order_relaxed)) {
    throw std::bad_alloc();
  }
}
}  // namespace

// Apart, so that no compiler compares the two sides of a pair after taking in one of them.
SPILLWAY_NOINLINE void* operator new(size_t bytes) {
  count();
  void* const block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) {
    throw std::bad_alloc();
  }
  return block;
}
SPILLWAY_NOINLINE void* operator new(size_t bytes, std::align_val_t alignment) {
  count();
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

namespace spillway::pool::testing {

uint64_t heap_allocations() { return allocations.load(std::memory_order_relaxed); }

RefusingNew::RefusingNew(uint64_t successes) {
  allowed.store(heap_allocations() + successes, std::memory_order_relaxed);
}
RefusingNew::~RefusingNew() { allowed.store(UINT64_MAX, std::memory_order_relaxed); }

}  // namespace spillway::pool::testing

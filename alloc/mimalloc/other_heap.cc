// SPDX-License-Identifier: MIT
#include "alloc/mimalloc/other_heap.h"

#include <malloc.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "alloc/base/attributes.h"
#include "alloc/tools/memcheck.h"

extern "C" {
// Null where there is no sanitizer that intercepts malloc.
// NOLINTBEGIN(readability-identifier-naming): the sanitizers' names
__attribute__((weak)) void* __interceptor_malloc(size_t size);
__attribute__((weak)) void* __interceptor_calloc(size_t count, size_t size);
__attribute__((weak)) void* __interceptor_realloc(void* block, size_t size);
__attribute__((weak)) void* __interceptor_memalign(size_t alignment, size_t size);
__attribute__((weak)) void __interceptor_free(void* block);
__attribute__((weak)) size_t __interceptor_malloc_usable_size(const void* block);
// NOLINTEND(readability-identifier-naming)

// For mimalloc's part of it (aside_209.h).
[[gnu::visibility("hidden")]] bool spillway_has_other_heap();
[[gnu::visibility("hidden")]] void* spillway_other_allocate(size_t size, bool zeroed);
}

namespace spillway::mimalloc {
namespace {

// Whether Valgrind has replaced our malloc.
enum class Replaced : uint8_t { kUnknown, kAsking, kYes, kNo };
// relaxed, throughout: asked for before there is a second thread, and threads that ask at the same
// time get the same answer.
constinit std::atomic<Replaced> replaced{Replaced::kUnknown};

// A call of malloc comes here if it is ours.
SPILLWAY_COLD bool ask() {
  if (!tools::is_under_valgrind() ||
      replaced.load(std::memory_order_relaxed) == Replaced::kAsking) {
    replaced.store(Replaced::kNo, std::memory_order_relaxed);
    return false;
  }
  replaced.store(Replaced::kAsking, std::memory_order_relaxed);
  void* (*volatile allocate)(size_t) = ::malloc;  // not the compiler's idea of it
  void (*volatile free)(void*) = ::free;
  free(allocate(1));
  if (replaced.load(std::memory_order_relaxed) == Replaced::kAsking) {
    replaced.store(Replaced::kYes, std::memory_order_relaxed);
  }
  return replaced.load(std::memory_order_relaxed) == Replaced::kYes;
}

bool is_replaced() {
  const Replaced known = replaced.load(std::memory_order_relaxed);
  return known == Replaced::kYes || (SPILLWAY_UNLIKELY(known != Replaced::kNo) && ask());
}

}  // namespace

bool has_sanitizer_heap() { return __interceptor_malloc != nullptr; }
bool has_other_heap() { return has_sanitizer_heap() || is_replaced(); }

void* other_allocate(size_t size, bool zeroed) {
  if (__interceptor_malloc == nullptr) {
    return zeroed ? ::calloc(1, size) : ::malloc(size);
  }
  return zeroed ? __interceptor_calloc(1, size) : __interceptor_malloc(size);
}

void* other_allocate_aligned(size_t alignment, size_t size) {
  return __interceptor_malloc == nullptr ? ::memalign(alignment, size)
                                         : __interceptor_memalign(alignment, size);
}

void* other_reallocate(void* block, size_t size) {
  return __interceptor_malloc == nullptr ? ::realloc(block, size)
                                         : __interceptor_realloc(block, size);
}

void other_free(void* block) {
  return __interceptor_malloc == nullptr ? ::free(block) : __interceptor_free(block);
}

size_t other_usable_size(const void* block) {
  return __interceptor_malloc == nullptr ? ::malloc_usable_size(const_cast<void*>(block))
                                         : __interceptor_malloc_usable_size(block);
}

}  // namespace spillway::mimalloc

bool spillway_has_other_heap() { return spillway::mimalloc::has_other_heap(); }
void* spillway_other_allocate(size_t size, bool zeroed) {
  return spillway::mimalloc::other_allocate(size, zeroed);
}

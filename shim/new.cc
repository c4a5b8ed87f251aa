// Every form of operator new and delete, each one line over the heap.
#include <cstddef>
#include <new>

#include "alloc/base/attributes.h"
#include "shim/new_failure.h"
#include "shim/new_heap.h"

namespace shim = spillway::shim;

#define SPILLWAY_VISIBLE __attribute__((visibility("default")))

namespace {

SPILLWAY_ALWAYS_INLINE void* new_plain(size_t size) {
  void* block = shim::allocate(size);
  return SPILLWAY_LIKELY(block != nullptr) ? block : shim::new_retry(0, size);
}
SPILLWAY_ALWAYS_INLINE void* new_plain_nothrow(size_t size) noexcept {
  void* block = shim::allocate(size);
  return SPILLWAY_LIKELY(block != nullptr) ? block : shim::new_retry_nothrow(0, size);
}
void* new_aligned(size_t size, std::align_val_t alignment) {
  void* block = shim::allocate_aligned(static_cast<size_t>(alignment), size);
  return block != nullptr ? block : shim::new_retry(static_cast<size_t>(alignment), size);
}
void* new_aligned_nothrow(size_t size, std::align_val_t alignment) noexcept {
  void* block = shim::allocate_aligned(static_cast<size_t>(alignment), size);
  return block != nullptr ? block : shim::new_retry_nothrow(static_cast<size_t>(alignment), size);
}

}  // namespace

// clang-format off: one line each, as a table
SPILLWAY_VISIBLE void* operator new(size_t size) { return new_plain(size); }
SPILLWAY_VISIBLE void* operator new[](size_t size) { return new_plain(size); }
SPILLWAY_VISIBLE void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return new_plain_nothrow(size);
}
SPILLWAY_VISIBLE void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return new_plain_nothrow(size);
}
SPILLWAY_VISIBLE void* operator new(size_t size, std::align_val_t alignment) {
  return new_aligned(size, alignment);
}
SPILLWAY_VISIBLE void* operator new[](size_t size, std::align_val_t alignment) {
  return new_aligned(size, alignment);
}
SPILLWAY_VISIBLE void* operator new(size_t size, std::align_val_t alignment,
                                    const std::nothrow_t&) noexcept {
  return new_aligned_nothrow(size, alignment);
}
SPILLWAY_VISIBLE void* operator new[](size_t size, std::align_val_t alignment,
                                      const std::nothrow_t&) noexcept {
  return new_aligned_nothrow(size, alignment);
}

SPILLWAY_VISIBLE void operator delete(void* pointer) noexcept { shim::free(pointer); }
SPILLWAY_VISIBLE void operator delete[](void* pointer) noexcept { shim::free(pointer); }
SPILLWAY_VISIBLE void operator delete(void* pointer, const std::nothrow_t&) noexcept {
  shim::free(pointer);
}
SPILLWAY_VISIBLE void operator delete[](void* pointer, const std::nothrow_t&) noexcept {
  shim::free(pointer);
}
SPILLWAY_VISIBLE void operator delete(void* pointer, size_t size) noexcept {
  shim::free_sized(pointer, size);
}
SPILLWAY_VISIBLE void operator delete[](void* pointer, size_t size) noexcept {
  shim::free_sized(pointer, size);
}
SPILLWAY_VISIBLE void operator delete(void* pointer, std::align_val_t) noexcept {
  shim::free(pointer);
}
SPILLWAY_VISIBLE void operator delete[](void* pointer, std::align_val_t) noexcept {
  shim::free(pointer);
}
SPILLWAY_VISIBLE void operator delete(void* pointer, size_t, std::align_val_t) noexcept {
  shim::free(pointer);
}
SPILLWAY_VISIBLE void operator delete[](void* pointer, size_t, std::align_val_t) noexcept {
  shim::free(pointer);
}
SPILLWAY_VISIBLE void operator delete(void* pointer, std::align_val_t,
                                      const std::nothrow_t&) noexcept {
  shim::free(pointer);
}
SPILLWAY_VISIBLE void operator delete[](void* pointer, std::align_val_t,
                                        const std::nothrow_t&) noexcept {
  shim::free(pointer);
}
// clang-format on

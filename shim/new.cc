// SPDX-License-Identifier: MIT
// Every form of operator new and delete, each one line over the heap. A program may replace some
// forms and leave it to the others to call them, as the C++ standard's default versions do: where
// any is replaced, ours do so, too.
#include <cstddef>
#include <new>

#include "alloc/base/attributes.h"
#include "shim/new_failure.h"
#include "shim/new_heap.h"

namespace shim = spillway::shim;

// Weak: in the static library, for a form that the program has itself; and so that no compiler
// takes the call of another form for a call of ours.
#define SPILLWAY_OPERATOR __attribute__((visibility("default"), weak))

namespace {

// Known before the program's code runs. Not zero at first: so it is in .data, beside what each call
// reads anyway.
bool all_ours = true;

SPILLWAY_ALWAYS_INLINE bool replaced() { return SPILLWAY_UNLIKELY(!all_ours); }

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

// The four that forward to no other.
SPILLWAY_OPERATOR void* operator new(size_t size) { return new_plain(size); }
SPILLWAY_OPERATOR void* operator new(size_t size, std::align_val_t alignment) {
  return new_aligned(size, alignment);
}
SPILLWAY_OPERATOR void operator delete(void* pointer) noexcept { shim::free(pointer); }
SPILLWAY_OPERATOR void operator delete(void* pointer, std::align_val_t) noexcept {
  shim::free(pointer);
}

SPILLWAY_OPERATOR void* operator new[](size_t size) {
  return replaced() ? ::operator new(size) : new_plain(size);
}
SPILLWAY_OPERATOR void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return replaced() ? shim::new_or_null(::operator new, size) : new_plain_nothrow(size);
}
SPILLWAY_OPERATOR void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return replaced() ? shim::new_or_null(::operator new[], size) : new_plain_nothrow(size);
}
SPILLWAY_OPERATOR void* operator new[](size_t size, std::align_val_t alignment) {
  return replaced() ? ::operator new(size, alignment) : new_aligned(size, alignment);
}
SPILLWAY_OPERATOR void* operator new(size_t size, std::align_val_t alignment,
                                     const std::nothrow_t&) noexcept {
  return replaced() ? shim::new_or_null(::operator new, size, alignment)
                    : new_aligned_nothrow(size, alignment);
}
SPILLWAY_OPERATOR void* operator new[](size_t size, std::align_val_t alignment,
                                       const std::nothrow_t&) noexcept {
  return replaced() ? shim::new_or_null(::operator new[], size, alignment)
                    : new_aligned_nothrow(size, alignment);
}

SPILLWAY_OPERATOR void operator delete[](void* pointer) noexcept {
  replaced() ? ::operator delete(pointer) : shim::free(pointer);
}
SPILLWAY_OPERATOR void operator delete(void* pointer, const std::nothrow_t&) noexcept {
  replaced() ? ::operator delete(pointer) : shim::free(pointer);
}
SPILLWAY_OPERATOR void operator delete[](void* pointer, const std::nothrow_t&) noexcept {
  replaced() ? ::operator delete[](pointer) : shim::free(pointer);
}
SPILLWAY_OPERATOR void operator delete(void* pointer, size_t size) noexcept {
  replaced() ? ::operator delete(pointer) : shim::free_sized(pointer, size);
}
SPILLWAY_OPERATOR void operator delete[](void* pointer, size_t size) noexcept {
  replaced() ? ::operator delete[](pointer) : shim::free_sized(pointer, size);
}
SPILLWAY_OPERATOR void operator delete[](void* pointer, std::align_val_t alignment) noexcept {
  replaced() ? ::operator delete(pointer, alignment) : shim::free(pointer);
}
SPILLWAY_OPERATOR void operator delete(void* pointer, size_t, std::align_val_t alignment) noexcept {
  replaced() ? ::operator delete(pointer, alignment) : shim::free(pointer);
}
SPILLWAY_OPERATOR void operator delete[](void* pointer, size_t,
                                         std::align_val_t alignment) noexcept {
  replaced() ? ::operator delete[](pointer, alignment) : shim::free(pointer);
}
SPILLWAY_OPERATOR void operator delete(void* pointer, std::align_val_t alignment,
                                       const std::nothrow_t&) noexcept {
  replaced() ? ::operator delete(pointer, alignment) : shim::free(pointer);
}
SPILLWAY_OPERATOR void operator delete[](void* pointer, std::align_val_t alignment,
                                         const std::nothrow_t&) noexcept {
  replaced() ? ::operator delete[](pointer, alignment) : shim::free(pointer);
}

// The forms that others forward to, by names that stand for ours alone.
#define SPILLWAY_OWN(mangled, ...) static __attribute__((alias(mangled) __VA_OPT__(, ) __VA_ARGS__))
#define SPILLWAY_OWN_NEW(mangled) SPILLWAY_OWN(mangled, malloc, alloc_size(1))
SPILLWAY_OWN_NEW("_Znwm") void* own_new(size_t);
SPILLWAY_OWN_NEW("_Znam") void* own_new_array(size_t);
SPILLWAY_OWN_NEW("_ZnwmSt11align_val_t") void* own_new_aligned(size_t, std::align_val_t);
SPILLWAY_OWN_NEW("_ZnamSt11align_val_t") void* own_new_array_aligned(size_t, std::align_val_t);
SPILLWAY_OWN("_ZdlPv") void own_delete(void*) noexcept;
SPILLWAY_OWN("_ZdaPv") void own_delete_array(void*) noexcept;
SPILLWAY_OWN("_ZdlPvSt11align_val_t") void own_delete_aligned(void*, std::align_val_t) noexcept;
SPILLWAY_OWN("_ZdaPvSt11align_val_t")
void own_delete_array_aligned(void*, std::align_val_t) noexcept;

namespace {

// Whether the linker found another object's function for a name of ours.
template <typename Function>
bool differs(Function* found, Function* own) {
  __asm__("" : "+r"(found));  // or the compiler, which knows of the alias, might answer
  return found != own;
}

bool any_differs() {
  return differs<void*(size_t)>(::operator new, own_new) ||
         differs<void*(size_t)>(::operator new[], own_new_array) ||
         differs<void*(size_t, std::align_val_t)>(::operator new, own_new_aligned) ||
         differs<void*(size_t, std::align_val_t)>(::operator new[], own_new_array_aligned) ||
         differs<void(void*)>(::operator delete, own_delete) ||
         differs<void(void*)>(::operator delete[], own_delete_array) ||
         differs<void(void*, std::align_val_t)>(::operator delete, own_delete_aligned) ||
         differs<void(void*, std::align_val_t)>(::operator delete[], own_delete_array_aligned);
}

void look_for_replaced() {
  if (any_differs()) {
    all_ours = false;
  }
}

// As in lifecycle.cc: before the program's constructors, and those of the libraries it needs.
#if SPILLWAY_NEW_APART && defined(__GLIBC__)
[[gnu::section(".preinit_array"), gnu::used]] void (*const start)() = look_for_replaced;
#else
[[gnu::constructor(101)]] void start() { look_for_replaced(); }
#endif

}  // namespace

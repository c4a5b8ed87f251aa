// SPDX-License-Identifier: MIT
// What comes before mimalloc 2.0.9's slow path. Another allocator may serve a request: every one
// arrives here of a thread that never got a block of mimalloc's, and of one that is in a tenant
// (tenants_209.h). And free memory is collected that could not be when that was wanted.
// Included by mimalloc_209.h around alloc.c, whose calls of _mi_malloc_generic become the one
// below, and before alloc-aligned.c, which takes what it gets for a block of mimalloc's.

// Set by calls.cc and asked.cc.
_Atomic(bool) spillway_mimalloc_collect_wanted;
// Whether the two functions below are to be asked first: bit 0, for threads in a tenant; others,
// for all (asked.h).
_Atomic(uint8_t) spillway_mimalloc_asks;

SPILLWAY_UNHOOKED_FUNCTION static inline bool spillway_is_asked(const mi_heap_t* heap) {
  // relaxed: what is asked is acquired in asked.cc.
  const uint8_t asks = atomic_load_explicit(&spillway_mimalloc_asks, memory_order_relaxed);
  return mi_unlikely(asks != 0) && (asks > 1 || spillway_is_of_tenant(heap));
}

void spillway_mimalloc_collect(bool force);  // tenants_209.h

// asked.cc; they return by calling spillway_mimalloc_generic() where they don't serve the
// request. Called last, with nothing on the stack: mimalloc's functions have no frame descriptions,
// and the stack may be walked from there (profile/stack_walk.h).
void* spillway_mimalloc_ask(mi_heap_t* heap, size_t size, bool zero, size_t huge_alignment);
void* spillway_mimalloc_ask_aligned(mi_heap_t* heap, size_t size, bool zero, size_t huge_alignment);

SPILLWAY_UNHOOKED_FUNCTION void* spillway_mimalloc_generic(mi_heap_t* heap, size_t size, bool zero,
                                                           size_t huge_alignment) {
  return _mi_malloc_generic(heap, size, zero, huge_alignment);
}

SPILLWAY_UNHOOKED_FUNCTION __attribute__((noinline)) static void* spillway_malloc_asking(
    mi_heap_t* heap, size_t size, bool zero, size_t huge_alignment) {
  // relaxed, both: one of the threads that see it collects.
  if mi_unlikely (atomic_load_explicit(&spillway_mimalloc_collect_wanted, memory_order_relaxed) &&
                  atomic_exchange_explicit(&spillway_mimalloc_collect_wanted, false,
                                           memory_order_relaxed)) {
    spillway_mimalloc_collect(false);
  }
  if mi_unlikely (spillway_is_asked(heap)) {
    return spillway_mimalloc_ask(heap, size, zero, huge_alignment);
  }
  return _mi_malloc_generic(heap, size, zero, huge_alignment);
}

#define _mi_malloc_generic(heap, size, zero, huge_alignment) \
  spillway_malloc_asking(heap, size, zero, huge_alignment)

// For alloc-aligned.c: the other allocator is not asked.
SPILLWAY_UNHOOKED_FUNCTION static inline void* spillway_malloc_unasked(mi_heap_t* heap, size_t size,
                                                                       bool zero,
                                                                       size_t huge_alignment) {
  // An empty heap has no free block, and may see one set in between.
  return mi_heap_is_initialized(heap) && !spillway_is_asked(heap)
             ? _mi_heap_malloc_zero_ex(heap, size, zero, huge_alignment)
             : spillway_mimalloc_ask_aligned(heap, size, zero, huge_alignment);
}

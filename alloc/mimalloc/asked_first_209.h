// SPDX-License-Identifier: MIT
// What comes before mimalloc 2.0.9's slow path. Another allocator may serve a request: every one
// arrives here of a thread that never got a block of mimalloc's. And free memory is collected that
// could not be when that was wanted.
// Included by mimalloc_209.h around alloc.c, whose calls of _mi_malloc_generic become the one
// below, and before alloc-aligned.c, which takes what it gets for a block of mimalloc's.

// Set by calls.cc and asked.cc.
_Atomic(bool) spillway_mimalloc_collect_wanted;
// Whether the two functions below are to be asked first.
_Atomic(bool) spillway_mimalloc_asks;

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
    mi_collect(false);
  }
  // relaxed: what is asked is acquired in asked.cc.
  if mi_unlikely (atomic_load_explicit(&spillway_mimalloc_asks, memory_order_relaxed)) {
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
  // relaxed: whether there is one. An empty heap has no free block, and may see it set in between.
  return mi_heap_is_initialized(heap) &&
                 !atomic_load_explicit(&spillway_mimalloc_asks, memory_order_relaxed)
             ? _mi_heap_malloc_zero_ex(heap, size, zero, huge_alignment)
             : spillway_mimalloc_ask_aligned(heap, size, zero, huge_alignment);
}

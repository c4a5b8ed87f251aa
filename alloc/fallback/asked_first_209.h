// What comes before mimalloc 2.0.9's slow path. Another allocator may serve a request: every one
// arrives here of a thread that never got a block of mimalloc's. And free memory is collected that
// could not be when that was wanted.
// Included by mimalloc_209.h around alloc.c, whose calls of _mi_malloc_generic become the one
// below, and before alloc-aligned.c, which takes what it gets for a block of mimalloc's.

// Set by fallback.cc.
_Atomic(bool) spillway_mimalloc_collect_wanted;
// A pointer to a function or null.
_Atomic(void* (*)(size_t size, bool zeroed)) spillway_mimalloc_taker;

SPILLWAY_UNHOOKED_FUNCTION __attribute__((noinline)) static void* spillway_malloc_asking(
    mi_heap_t* heap, size_t size, bool zero, size_t huge_alignment) {
  // relaxed, both: one of the threads that see it collects.
  if mi_unlikely (atomic_load_explicit(&spillway_mimalloc_collect_wanted, memory_order_relaxed) &&
                  atomic_exchange_explicit(&spillway_mimalloc_collect_wanted, false,
                                           memory_order_relaxed)) {
    mi_collect(false);
  }
  // acquire: pairs with the release in ask_first(), fallback.cc.
  void* (*take)(size_t, bool) =
      atomic_load_explicit(&spillway_mimalloc_taker, memory_order_acquire);
  if mi_unlikely (take != NULL) {
    void* const block = huge_alignment == 0 ? take(size, zero) : NULL;
    if (block != NULL) {
      return block;
    }
  }
  return _mi_malloc_generic(heap, size, zero, huge_alignment);
}

SPILLWAY_UNHOOKED_FUNCTION static inline void* spillway_malloc_slow(mi_heap_t* heap, size_t size,
                                                                    bool zero,
                                                                    size_t huge_alignment) {
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
                 atomic_load_explicit(&spillway_mimalloc_taker, memory_order_relaxed) == NULL
             ? _mi_heap_malloc_zero_ex(heap, size, zero, huge_alignment)
             : spillway_malloc_slow(heap, size, zero, huge_alignment);
}

// SPDX-License-Identifier: MIT
// Where another heap serves the process (other_heap.h), mimalloc 2.0.9 never starts: each thread's
// heap stays the empty one, and every request arrives at the slow path, which passes it on.
// Requests of a thread with several heaps tend the others there (tenants_209.h). Costs two compares
// of the slow path elsewhere. Included by mimalloc_209.h.
bool spillway_has_other_heap(void);
void* spillway_other_allocate(size_t size, bool zeroed);

// mimalloc's own, renamed by mimalloc_209.h, behind what its callers reach. Not inlined, as that:
// the fast paths would save registers for it.
SPILLWAY_UNHOOKED_FUNCTION __attribute__((noinline)) void* _mi_malloc_generic(mi_heap_t* heap,
                                                                              size_t size,
                                                                              bool zero,
                                                                              size_t alignment) {
  if mi_unlikely (!mi_heap_is_initialized(heap)) {
    if (spillway_has_other_heap()) {
      return spillway_other_allocate(size, zero);
    }
  } else if mi_unlikely (heap->tld->heaps != heap->tld->heap_backing) {
    return spillway_malloc_tending(heap, size, zero, alignment);
  }
  return spillway_malloc_generic(heap, size, zero, alignment);
}

// The same for what runs as a constructor: renamed where it is defined (an argument, `void`) and
// called (none).
static void spillway_process_load_void(void);
static void spillway_process_load_(void) {
  if (!spillway_has_other_heap()) {
    spillway_process_load_void();
  }
}

// SPDX-License-Identifier: MIT
// mimalloc 2.0.9, file by file in the order of its static.c, and what the heap needs of it that its
// interface does not offer. Included by hooked_mimalloc.c, for this version alone.
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#define SPILLWAY_UNHOOKED_FUNCTION __attribute__((no_instrument_function))

// --- blocks of 1 to 8 bytes are aligned to 16, like all others -----------------------------------

// Bin 1, of 8 bytes, stays empty: what would go there goes to bin 2.
SPILLWAY_UNHOOKED_FUNCTION static inline size_t spillway_wsize(size_t size) {
  const size_t words = _mi_wsize_from_size(size);
  return words < 2 ? 2 : words;
}

// A thread's table of pages by size, read in steps of 16 bytes: above bin 1 all bins are. Entry 0
// keeps the empty page, so that requests of 0 bytes find their page on the slow path.
SPILLWAY_UNHOOKED_FUNCTION static inline mi_page_t* spillway_small_page(mi_heap_t* heap,
                                                                        size_t size) {
  const uint8_t* table = (const uint8_t*)heap->pages_free_direct;
  return *(mi_page_t* const*)(table + ((size + 15) & ~(size_t)15));
}
_Static_assert(sizeof(mi_page_t*) == 8, "an entry of 8 bytes for each 8 bytes of size");

#define _mi_wsize_from_size(size) spillway_wsize(size)
#define _mi_heap_get_free_small_page(heap, size) spillway_small_page(heap, size)

// --- a commit that the kernel refuses ends the request -------------------------------------------

// mimalloc would map segment after segment and try to commit the same part of the same old one.
// fork_gate.cc keeps the mark for the rest of the outermost call.
void spillway_mimalloc_refused(void);
bool spillway_mimalloc_is_refused(void);

SPILLWAY_UNHOOKED_FUNCTION static void spillway_segment_freed(const mi_segment_t* segment);

#include "unmap_209.h"

SPILLWAY_UNHOOKED_FUNCTION static int spillway_mprotect(void* start, size_t size, int protection) {
  const int result = mprotect(start, size, protection);
  if (result != 0 && protection != PROT_NONE) {
    spillway_mimalloc_refused();
    // The head of a fresh segment: mimalloc would forget that it has mapped it, and perhaps
    // recorded it.
    if ((uintptr_t)start % MI_SEGMENT_SIZE == 0 && size < MI_SEGMENT_SIZE) {
      spillway_segment_freed((const mi_segment_t*)start);
      spillway_munmap(start, MI_SEGMENT_SIZE);
    }
  }
  return result;
}

// os.c's hints end there, those for huge pages begin two TiB higher.
#define SPILLWAY_HINT_END ((uintptr_t)30 << 40)
#define SPILLWAY_HUGE_DISTANCE ((uintptr_t)32 << 40)

SPILLWAY_UNHOOKED_FUNCTION static void* spillway_mmap(void* hint, size_t size, int protection,
                                                      int flags, int fd, off_t at) {
  if (spillway_mimalloc_is_refused()) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  if (hint != NULL && size > MI_SEGMENT_SIZE && (uintptr_t)hint <= SPILLWAY_HINT_END) {
    // A segment of one block, or an arena that mimalloc's options ask for: away from the other
    // segments, so that each free there is looked up.
    hint = (char*)hint + SPILLWAY_HUGE_DISTANCE;
  }
  void* start = mmap(hint, size, protection, flags, fd, at);
  if (start != MAP_FAILED) {
    atomic_fetch_add_explicit(&spillway_mapped_bytes, size, memory_order_relaxed);
  }
  return start;
}

// mimalloc repeats a call for as long as the kernel says EAGAIN.
SPILLWAY_UNHOOKED_FUNCTION static int spillway_madvise(void* start, size_t size, int advice) {
  const int result = madvise(start, size, advice);
  if (result != 0 && errno == EAGAIN) {
    errno = ENOMEM;
  }
  return result;
}

#define mprotect(start, size, protection) spillway_mprotect(start, size, protection)
#define mmap(hint, size, protection, flags, fd, at) \
  spillway_mmap(hint, size, protection, flags, fd, at)
#define munmap(start, size) spillway_munmap(start, size)
#define madvise(start, size, advice) spillway_madvise(start, size, advice)

// --- mimalloc ------------------------------------------------------------------------------------

// clang-format off: the order is mimalloc's
#include "arena.c"
#include "bitmap.c"
#include "os.c"
#include "random.c"
#include "segment-cache.c"  // made smaller by CMakeLists.txt
#include "stats.c"

#include "segments_209.h"
#include "tagged_pages_209.h"
#define _mi_segment_map_allocated_at(segment) spillway_segment_mapped(segment)
#define _mi_segment_map_freed_at(segment) spillway_segment_freed(segment)
#define mi_page_set_heap(page, heap) spillway_adopt_page(page, heap)
#define _mi_page_reclaim(heap, page) spillway_page_reclaim(page)
#define mi_page_has_any_available(page) spillway_page_serves(page)
#include "segment.c"
#undef _mi_segment_map_allocated_at
#undef _mi_segment_map_freed_at
#undef mi_page_set_heap
#undef _mi_page_reclaim
#undef mi_page_has_any_available
#include "live_209.h"
#include "waiting_209.h"

// In front of it, for it alone.
#include "asked_first_209.h"
#include "cut_lists_209.h"
#include "freed_mark_209.h"

// mimalloc asks for a free, where the page is not const, and for a block's size.
#define mi_page_has_aligned(page) \
  _Generic((page),                                      \
      mi_page_t*: spillway_frees_aligned(page, p),      \
      const mi_page_t*: mi_page_has_aligned(page))
#define _mi_page_unfull(page) spillway_page_unfull(page)
#include "alloc.c"
#undef mi_page_has_aligned
#undef _mi_page_unfull
#undef _mi_malloc_generic
#undef mi_block_next
#undef mi_block_set_next
#undef mi_block_set_nextx
#undef mi_track_free
#define mi_track_free(pointer)
#define _mi_segment_page_free(page, force, tld) spillway_page_free(page, force, tld)
#include "heap.c"
#define _mi_malloc_generic spillway_malloc_generic
SPILLWAY_UNHOOKED_FUNCTION static void* spillway_malloc_generic(mi_heap_t* heap, size_t size,
                                                                bool zero, size_t alignment);
#define mi_page_set_heap(page, heap) spillway_page_set_heap(page, heap)
#include "page.c"
#undef mi_page_set_heap
#undef _mi_malloc_generic
#undef _mi_segment_page_free
#include "tenants_209.h"

// mi_free() less the test for null, a part of every free() too.
SPILLWAY_UNHOOKED_FUNCTION __attribute__((always_inline, nonnull)) void spillway_mimalloc_free(
    void* block) {
  mi_free(block);
}

#define _mi_heap_malloc_zero(heap, size, zero) spillway_malloc_unasked(heap, size, zero, 0)
#define _mi_heap_malloc_zero_ex(heap, size, zero, huge_alignment) \
  spillway_malloc_unasked(heap, size, zero, huge_alignment)
#include "alloc-aligned.c"
#undef _mi_heap_malloc_zero
#undef _mi_heap_malloc_zero_ex
#include "alloc-posix.c"
#include "aside_209.h"  // around it
#define mi_process_load(...) spillway_process_load_##__VA_ARGS__(__VA_ARGS__)
#define mi_heap_delete(heap) spillway_heap_delete(heap)
#include "init.c"
#undef mi_process_load
#undef mi_heap_delete
#include "options.c"

#include "after_fork_209.h"
// clang-format on

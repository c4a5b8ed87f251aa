// SPDX-License-Identifier: MIT
// Adds up what mimalloc 2.0.9 has handed out: a walk over its segments and their pages, some ns
// each. Included by mimalloc_209.h behind segment.c. Takes no lock: unmap_209.h keeps the segments
// mapped, and threads go on making pages, taking blocks and giving them back. So a page's count is
// right for some moment of the walk, or for a page that was there a moment before; with no thread
// at work the sum is exact. A block that a thread has freed for another counts until its owner
// looks.

typedef struct {
  size_t bytes;
  size_t blocks;
  size_t segments;
} spillway_live_t;

// Relaxed, all: a gauge.
#define SPILLWAY_SEEN(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

// Blocks of a page of `slices` slices that the program holds.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_add_page(const mi_page_t* page, size_t slices,
                                                         spillway_live_t* live) {
  const size_t room = slices * MI_SEGMENT_SLICE_SIZE;
  const size_t given_size = SPILLWAY_SEEN(page->xblock_size);
  const size_t size = given_size < MI_HUGE_BLOCK_SIZE ? given_size : room;
  // The page may become one of other blocks meanwhile.
  const size_t used = SPILLWAY_SEEN(page->used);
  const size_t max_blocks = size != 0 ? room / size : 0;
  const size_t blocks = used < max_blocks ? used : max_blocks;
  live->bytes += blocks * size;
  live->blocks += blocks;
}

SPILLWAY_UNHOOKED_FUNCTION static void spillway_add_segment(mi_segment_t* segment,
                                                            spillway_live_t* live) {
  const size_t given_entries = SPILLWAY_SEEN(segment->slice_entries);
  const size_t entries =
      given_entries < MI_SLICES_PER_SEGMENT ? given_entries : MI_SLICES_PER_SEGMENT;
  // The first slices are the segment's own. A count is 0 where a segment is half made.
  size_t count = entries != 0 ? SPILLWAY_SEEN(segment->slices[0].slice_count) : 0;
  for (size_t i = count; count != 0 && i < entries; i += count) {
    const mi_slice_t* slice = &segment->slices[i];
    count = SPILLWAY_SEEN(slice->slice_count);
    spillway_add_page((const mi_page_t*)slice, count, live);
  }
  live->segments++;
}

// Of the segments that a page of the map has, its first bit that of `first`.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_add_map_page_live(spillway_map_word_t* page,
                                                                  uintptr_t first,
                                                                  spillway_live_t* live) {
  for (size_t word = 0; word < SPILLWAY_MAP_PAGE_WORDS; word++) {
    // Sequentially consistent: as in spillway_begin_walk().
    uintptr_t bits = atomic_load_explicit(&page[word], memory_order_seq_cst);
    for (; bits != 0; bits &= bits - 1) {
      const size_t index = word * 64 + (size_t)__builtin_ctzl(bits);
      spillway_add_segment((mi_segment_t*)(first + index * MI_SEGMENT_SIZE), live);
    }
  }
}

// False when another thread walks.
SPILLWAY_UNHOOKED_FUNCTION bool spillway_mimalloc_live(size_t* bytes, size_t* blocks,
                                                       size_t* segments) {
  const size_t page_count = sizeof spillway_map_pages / sizeof spillway_map_pages[0];
  spillway_live_t live = {0, 0, 0};
  if (!spillway_begin_walk()) {
    return false;
  }
  for (size_t i = 0; i < page_count; i++) {
    // Acquire: as in spillway_segment_word().
    spillway_map_word_t* page = atomic_load_explicit(&spillway_map_pages[i], memory_order_acquire);
    if (page != NULL) {
      spillway_add_map_page_live(page, i * SPILLWAY_MAP_PAGE_SPAN, &live);
    }
  }
  spillway_end_walk();
  *bytes = live.bytes;
  *blocks = live.blocks;
  *segments = live.segments;
  return true;
}

// As mi_process_info() says, without what it asks the C library.
SPILLWAY_UNHOOKED_FUNCTION void spillway_mimalloc_committed(int64_t* now, int64_t* peak) {
  *now = __atomic_load_n(&_mi_stats_main.committed.current, __ATOMIC_RELAXED);
  *peak = __atomic_load_n(&_mi_stats_main.committed.peak, __ATOMIC_RELAXED);
}

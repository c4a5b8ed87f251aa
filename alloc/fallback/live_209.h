// Adds up what mimalloc 2.0.9 has handed out: a walk over its segments and their pages, some ns
// each. Included by mimalloc_209.h behind segment.c. No thread may change segments or pages
// meanwhile: fallback.cc closes the fork gate. Threads go on taking blocks of their own pages and
// giving them back, so a page's count is right for some moment of the walk. A block that a thread
// has freed for another counts until its owner looks.

// Blocks of a page that the program holds, in bytes.
SPILLWAY_UNHOOKED_FUNCTION static size_t spillway_page_live(const mi_page_t* page) {
  // Relaxed: a gauge.
  return __atomic_load_n(&page->used, __ATOMIC_RELAXED) * mi_page_block_size(page);
}

SPILLWAY_UNHOOKED_FUNCTION static size_t spillway_segment_live(mi_segment_t* segment) {
  size_t bytes = 0;
  const mi_slice_t* end;
  const mi_slice_t* slice = mi_slices_start_iterate(segment, &end);
  // The count is 0 where a fork found the segment half made.
  for (; slice < end && slice->slice_count > 0; slice += slice->slice_count) {
    if (mi_slice_is_used(slice)) {
      bytes += spillway_page_live((const mi_page_t*)slice);
    }
  }
  return bytes;
}

// Of the segments that a page of the map has, its first bit that of `first`; SIZE_MAX when
// `may_go_on` says no.
SPILLWAY_UNHOOKED_FUNCTION static size_t spillway_map_page_live(spillway_map_word_t* page,
                                                                uintptr_t first,
                                                                bool (*may_go_on)(void)) {
  size_t bytes = 0;
  for (size_t word = 0; word < SPILLWAY_MAP_PAGE_WORDS; word++) {
    // Relaxed: the closed gate has ordered all changes before this.
    uintptr_t bits = atomic_load_explicit(&page[word], memory_order_relaxed);
    for (; bits != 0; bits &= bits - 1) {
      if (!may_go_on()) {
        return SIZE_MAX;
      }
      const size_t index = word * 64 + (size_t)__builtin_ctzl(bits);
      bytes += spillway_segment_live((mi_segment_t*)(first + index * MI_SEGMENT_SIZE));
    }
  }
  return bytes;
}

// SIZE_MAX when the walk was not finished.
SPILLWAY_UNHOOKED_FUNCTION size_t spillway_mimalloc_live(bool (*may_go_on)(void)) {
  const size_t page_count = sizeof spillway_map_pages / sizeof spillway_map_pages[0];
  size_t bytes = 0;
  for (size_t i = 0; i < page_count && bytes != SIZE_MAX; i++) {
    // Acquire: as in spillway_segment_word().
    spillway_map_word_t* page = atomic_load_explicit(&spillway_map_pages[i], memory_order_acquire);
    if (page != NULL) {
      const size_t live = spillway_map_page_live(page, i * SPILLWAY_MAP_PAGE_SPAN, may_go_on);
      bytes = live == SIZE_MAX ? SIZE_MAX : bytes + live;
    }
  }
  return bytes;
}

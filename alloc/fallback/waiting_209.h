// Gives back what waits in mimalloc 2.0.9 for a later call: the free spans of a segment stay for 25
// ms, and are looked at by the next call only that frees one in the same segment. Included by
// mimalloc_209.h behind segment.c.

// Of the calling thread's segments: each with a free span is in one of its queues.
SPILLWAY_UNHOOKED_FUNCTION void spillway_mimalloc_decommit_waiting(void) {
  mi_heap_t* heap = mi_get_default_heap();
  if (!mi_heap_is_initialized(heap)) {
    return;
  }
  mi_segments_tld_t* tld = &heap->tld->segments;
  for (size_t bin = 0; bin <= MI_SEGMENT_BIN_MAX; bin++) {
    for (mi_slice_t* span = tld->spans[bin].first; span != NULL; span = span->next) {
      mi_segment_delayed_decommit(_mi_ptr_segment(span), true, tld->stats);
    }
  }
}

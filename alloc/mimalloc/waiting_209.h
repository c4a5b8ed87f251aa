// SPDX-License-Identifier: MIT
// Gives back what waits in mimalloc 2.0.9. By itself it keeps the free spans of a segment until 25
// ms after the last change of one, and returns them at the next call that frees one there. Here a
// thread returns, now and then as it frees pages, those that have waited since the time before, and
// all of them when the pool grows. Included by mimalloc_209.h behind segment.c.

// calls.cc: whether the thread is to do so now.
bool spillway_mimalloc_is_due(void);

// Each segment with a free span is in one of the thread's queues.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_decommit_spans(mi_segments_tld_t* tld) {
  for (size_t bin = 0; bin <= MI_SEGMENT_BIN_MAX; bin++) {
    for (mi_slice_t* span = tld->spans[bin].first; span != NULL; span = span->next) {
      mi_segment_delayed_decommit(_mi_ptr_segment(span), true, tld->stats);
    }
  }
}

// Segments that are free as a whole are in a cache of the process.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_decommit_cached(mi_os_tld_t* tld) {
  for (size_t i = 0; i < MI_CACHE_FIELDS; i++) {
    // Relaxed: a look, lest all the cache's pages are touched where it is empty.
    if (atomic_load_explicit(&cache_inuse[i], memory_order_relaxed) != 0) {
      mi_segment_cache_purge(true, true, tld);
      return;
    }
  }
}

SPILLWAY_UNHOOKED_FUNCTION void spillway_mimalloc_decommit_waiting(void) {
  mi_heap_t* heap = mi_get_default_heap();
  if (mi_heap_is_initialized(heap)) {
    spillway_decommit_spans(&heap->tld->segments);
    spillway_decommit_cached(&heap->tld->os);
  }
}

// Of those, the ones that were there, as long as now, at an earlier call: a span that is in use
// again and again keeps its memory. A free span's padding says how long it was, and is cleared by
// its use, which begins at its start. (`ab` at full length, thousand page faults: sqlite 31.6,
// php 10.1; 39.0 and 17.4 when all spans went back each time.)
SPILLWAY_UNHOOKED_FUNCTION static void spillway_decommit_aged_spans(mi_segments_tld_t* tld) {
  for (size_t bin = 0; bin <= MI_SEGMENT_BIN_MAX; bin++) {
    for (mi_slice_t* span = tld->spans[bin].first; span != NULL; span = span->next) {
      if (span->padding[0] == span->slice_count) {
        mi_segment_commitx(_mi_ptr_segment(span), false, mi_slice_start(span),
                           span->slice_count * MI_SEGMENT_SLICE_SIZE, tld->stats);
      }
      span->padding[0] = span->slice_count;
    }
  }
}

// In place of _mi_segment_page_free() in what follows.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_page_free(mi_page_t* page, bool force,
                                                          mi_segments_tld_t* tld) {
  // First: a span that `page` is about to join is as long as it was.
  if (spillway_mimalloc_is_due()) {
    spillway_decommit_aged_spans(tld);
  }
  _mi_segment_page_free(page, force, tld);
}

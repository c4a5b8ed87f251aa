// SPDX-License-Identifier: MIT
// What a forked child has to undo in mimalloc 2.0.9 when a thread that it does not have was inside
// at the moment of the fork (fork_gate.h): mimalloc waits without bound for two things, a reader of
// the abandoned list and a thread that is giving a block to a page's owner. Included by
// mimalloc_209.h behind all of mimalloc. What such a thread had in its hands is lost, no more than
// that.

// The page's next foreign free goes to the heap's list, which takes the page from the queue of full
// ones, whether the vanished thread's got there or not.
SPILLWAY_UNHOOKED_FUNCTION static bool spillway_forget_freeing(mi_heap_t* heap,
                                                               mi_page_queue_t* queue,
                                                               mi_page_t* page, void* unused_1,
                                                               void* unused_2) {
  (void)heap, (void)queue, (void)unused_1, (void)unused_2;
  // Relaxed, both: the child has one thread.
  const mi_thread_free_t list = atomic_load_explicit(&page->xthread_free, memory_order_relaxed);
  if (mi_tf_delayed(list) == MI_DELAYED_FREEING) {
    atomic_store_explicit(&page->xthread_free, mi_tf_set_delayed(list, MI_USE_DELAYED_FREE),
                          memory_order_relaxed);
  }
  return true;
}

// Called by the child's only thread, while it is not inside itself. mimalloc waits for the pages of
// no other thread: it lets no thread but the owner touch them, and abandons none that is being
// given a block. Cost: a look at each page of the thread's heaps.
SPILLWAY_UNHOOKED_FUNCTION void spillway_mimalloc_after_fork(void) {
  atomic_store_explicit(&abandoned_readers, 0, memory_order_relaxed);
  mi_heap_t* heap = mi_get_default_heap();
  if (mi_heap_is_initialized(heap)) {
    for (heap = heap->tld->heaps; heap != NULL; heap = heap->next) {
      mi_heap_visit_pages(heap, &spillway_forget_freeing, NULL, NULL);
    }
  }
}

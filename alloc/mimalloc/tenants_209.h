// SPDX-License-Identifier: MIT
// Heaps of mimalloc 2.0.9 by tenant. A thread that enters a tenant gets a front in place of its
// heap: one whose lists are empty, so that each request leaves the fast path and comes to
// passed_on.cc, which serves it from this thread's heap for the tenant and charges it. These heaps
// are made at the first request and kept until the thread ends; their pages are tagged
// (tagged_pages_209.h). Nothing changes for threads that enter none. Included by mimalloc_209.h
// behind page.c.
//
// A front takes 6 KiB, a heap 3, of the thread's own blocks. Each heap has pages of its own: at
// least 4 KiB of memory for each size that the tenant uses in the thread.
#ifdef MI_ENCODE_FREELIST
#error "blocks of a page that is kept among the full ones are told by its heap's keys"
#endif

typedef struct spillway_front_s spillway_front_t;

typedef struct {
  mi_heap_t heap;  // first: mimalloc passes it
  spillway_front_t* front;
  uint8_t tenant;  // a front's: the one that the thread is in, or was in last
} spillway_tenant_heap_t;

struct spillway_front_s {
  spillway_tenant_heap_t base;
  mi_heap_t* of_tenant[256];  // null: not made yet
  uint64_t tend_at_ms;        // see spillway_tend_heaps()
  uint8_t calls;
};

SPILLWAY_UNHOOKED_FUNCTION static uint8_t spillway_tag_of_heap(const mi_heap_t* heap) {
  return ((const spillway_tenant_heap_t*)heap)->tenant;
}

SPILLWAY_UNHOOKED_FUNCTION static uint8_t spillway_tag_of_thread(void) {
  const mi_heap_t* heap = mi_get_default_heap();
  return spillway_is_of_tenant(heap) ? spillway_tag_of_heap(heap) : 0;
}

// Of a thread's data; null: it never entered a tenant. The newest heap is the list's first, the
// thread's own the last.
SPILLWAY_UNHOOKED_FUNCTION static spillway_front_t* spillway_front_of(const mi_tld_t* tld) {
  mi_heap_t* newest = tld->heaps;
  return spillway_is_of_tenant(newest) ? ((spillway_tenant_heap_t*)newest)->front : NULL;
}

// From the thread's own heap, without being asked for: null when there is no memory. Meanwhile the
// thread is in no tenant, for spillway_page_serves().
SPILLWAY_UNHOOKED_FUNCTION static void* spillway_make_heap(mi_tld_t* tld, size_t bytes) {
  mi_heap_t* own = tld->heap_backing;
  mi_heap_t* before = mi_get_default_heap();
  _mi_heap_default = own;
  mi_heap_t* heap = (mi_heap_t*)spillway_mimalloc_generic(own, bytes, true, 0);
  _mi_heap_default = before;
  if (heap != NULL) {
    _mi_memcpy_aligned(heap, &_mi_heap_empty, sizeof(mi_heap_t));
    heap->tld = tld;
    heap->thread_id = own->thread_id;
    heap->cookie = own->cookie;
    heap->no_reclaim = true;
    heap->next = tld->heaps;
    tld->heaps = heap;
  }
  return heap;
}

SPILLWAY_UNHOOKED_FUNCTION static spillway_front_t* spillway_make_front(mi_tld_t* tld) {
  spillway_front_t* front = (spillway_front_t*)spillway_make_heap(tld, sizeof(spillway_front_t));
  if (front != NULL) {
    front->base.front = front;
  }
  return front;
}

// --- heaps that are not at work ------------------------------------------------------------------

// mimalloc looks at what other threads freed, and at pages that became empty, when a request needs
// a page of the heap; of a thread's heaps all but one or two wait for their next request, if there
// is one. So the thread's slow requests, and its moves between tenants, tend them now and then.

uint64_t spillway_mimalloc_ms(void);  // calls.cc

SPILLWAY_UNHOOKED_FUNCTION static void spillway_tend_others(const mi_heap_t* at_work) {
  for (mi_heap_t* heap = at_work->tld->heaps; heap != NULL; heap = heap->next) {
    if (heap != at_work) {
      // Frees of full pages come in this list; waits for no thread that is about to add to it.
      _mi_heap_delayed_free_partial(heap);
      _mi_heap_collect_retired(heap, false);
    }
  }
}

// Of a thread with a front. Only where no function of mimalloc's is in a heap's queues.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_tend_heaps(spillway_front_t* front,
                                                           const mi_heap_t* at_work) {
  const uint8_t kCallsPerLook = 16;  // arbitrary: one reading of the clock, 25 ns, for so many
  const uint64_t kTendMs = 25;       // as long as mimalloc itself keeps free memory
  if (++front->calls % kCallsPerLook == 0) {
    const uint64_t now = spillway_mimalloc_ms();
    if (now >= front->tend_at_ms) {
      front->tend_at_ms = now + kTendMs;
      spillway_tend_others(at_work);
    }
  }
}

// aside_209.h: in place of mimalloc's slow path for a thread that has heaps beside its own.
SPILLWAY_UNHOOKED_FUNCTION __attribute__((noinline)) static void* spillway_malloc_tending(
    mi_heap_t* heap, size_t size, bool zero, size_t alignment) {
  spillway_tend_heaps(spillway_front_of(heap->tld), heap);
  return spillway_malloc_generic(heap, size, zero, alignment);
}

// --- for the heap (tenants.cc, passed_on.cc)
// ---------------------------------------------------------

// Pages of a tenant that the thread leaves, and that were empty when it left it some times before,
// go back: it may never return.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_leave_tenant(spillway_front_t* front) {
  mi_heap_t* heap = front->of_tenant[front->base.tenant];
  if (heap != NULL) {
    _mi_heap_collect_retired(heap, false);
  }
  spillway_tend_heaps(front, &front->base.heap);
}

// 0: none. False, and the thread stays where it was: there is no memory for its first front.
SPILLWAY_UNHOOKED_FUNCTION bool spillway_mimalloc_enter_tenant(uint8_t tenant) {
  mi_heap_t* heap = mi_get_default_heap();
  const bool was_inside = spillway_is_of_tenant(heap);
  if (tenant == 0) {
    if (was_inside) {
      spillway_leave_tenant((spillway_front_t*)heap);
      _mi_heap_default = heap->tld->heap_backing;
    }
    return true;
  }
  if (!mi_heap_is_initialized(heap)) {
    heap = mi_heap_get_default();
    if (!mi_heap_is_initialized(heap)) {
      return false;
    }
  }
  spillway_front_t* front = spillway_front_of(heap->tld);
  if (front == NULL && (front = spillway_make_front(heap->tld)) == NULL) {
    return false;
  }
  if (was_inside && front->base.tenant != tenant) {
    spillway_leave_tenant(front);
  }
  front->base.tenant = tenant;
  _mi_heap_default = &front->base.heap;  // not the one that is told of the thread's end
  return true;
}

// The tenant whose requests come with `heap`; 0: it is a thread's own.
SPILLWAY_UNHOOKED_FUNCTION uint8_t spillway_mimalloc_tenant_of(const mi_heap_t* heap) {
  return spillway_is_of_tenant(heap) ? spillway_tag_of_heap(heap) : 0;
}

// Pages of the tenant that the thread found before it had this heap.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_take_over_pages(spillway_tenant_heap_t* made) {
  mi_heap_t* own = made->heap.tld->heap_backing;
  mi_page_queue_t* full = &own->pages[MI_BIN_FULL];
  for (mi_page_t *page = full->first, *next; page != NULL; page = next) {
    next = page->next;
    if (spillway_tag(page) == made->tenant) {
      mi_page_queue_remove(full, page);
      mi_page_set_heap(page, &made->heap);
      // Until no thread gives a block of it to the heap that it was in.
      _mi_page_use_delayed_free(page, MI_USE_DELAYED_FREE, false);
      _mi_page_reclaim(&made->heap, page);
    }
  }
  // As mi_heap_absorb(): the own heap's list may hold blocks of these pages, which another thread
  // freed meanwhile, and the tenant's heap is the first to go.
  _mi_heap_delayed_free_all(own);
}

// The heap that serves what comes with a front; null when there is no memory for it.
SPILLWAY_UNHOOKED_FUNCTION mi_heap_t* spillway_mimalloc_heap_behind(mi_heap_t* of_front) {
  spillway_front_t* front = (spillway_front_t*)of_front;
  mi_heap_t** place = &front->of_tenant[front->base.tenant];
  if mi_unlikely (*place == NULL) {
    spillway_tenant_heap_t* made =
        (spillway_tenant_heap_t*)spillway_make_heap(of_front->tld, sizeof(spillway_tenant_heap_t));
    if (made == NULL) {
      return NULL;
    }
    made->front = front;
    made->tenant = front->base.tenant;
    *place = &made->heap;
    spillway_take_over_pages(made);
  }
  return *place;
}

// A block for what came with a front, from the heap behind it.
SPILLWAY_UNHOOKED_FUNCTION void* spillway_mimalloc_take(mi_heap_t* heap, size_t size, bool zero,
                                                        size_t huge_alignment) {
  if (size <= MI_SMALL_SIZE_MAX) {
    mi_page_t* page = _mi_heap_get_free_small_page(heap, size);
    if mi_likely (page->free != NULL) {
      return _mi_page_malloc(heap, page, size, zero);
    }
  }
  return spillway_mimalloc_generic(heap, size, zero, huge_alignment);
}

// The same without a heap behind the front: from the thread's own.
SPILLWAY_UNHOOKED_FUNCTION void* spillway_mimalloc_take_untagged(mi_heap_t* front, size_t size,
                                                                 bool zero, size_t huge_alignment) {
  mi_heap_t* own = front->tld->heap_backing;
  _mi_heap_default = own;
  void* block = spillway_mimalloc_generic(own, size, zero, huge_alignment);
  _mi_heap_default = front;
  return block;
}

// Whose a live block is; 0: no tenant's.
SPILLWAY_UNHOOKED_FUNCTION uint8_t spillway_mimalloc_tag(const void* block) {
  return spillway_tag(_mi_ptr_page((void*)block));
}

// As mi_collect(), of all heaps of the calling thread.
SPILLWAY_UNHOOKED_FUNCTION void spillway_mimalloc_collect(bool force) {
  mi_heap_t* heap = mi_get_default_heap();
  if (mi_heap_is_initialized(heap)) {
    for (heap = heap->tld->heaps; heap != NULL; heap = heap->next) {
      if (heap->page_count != 0 || !spillway_is_of_tenant(heap)) {
        mi_heap_collect(heap, force);
      }
    }
  }
}

// --- for mimalloc (tagged_pages_209.h) -----------------------------------------------------------

void spillway_mimalloc_credit(uint8_t tenant, size_t bytes);  // tenants.cc

SPILLWAY_UNHOOKED_FUNCTION __attribute__((noinline)) static void spillway_tell_free(
    const mi_page_t* page, const void* p) {
  const mi_block_t* block = (const mi_block_t*)p;
  if (mi_page_has_aligned(page)) {
    block = _mi_page_ptr_unalign(_mi_page_segment(page), page, p);
  }
  if mi_likely (!spillway_is_marked(block)) {
    const size_t in_front = (size_t)((const uint8_t*)p - (const uint8_t*)block);
    spillway_mimalloc_credit(spillway_tag(page), mi_page_usable_block_size(page) - in_front);
  }
}

SPILLWAY_UNHOOKED_FUNCTION static mi_heap_t* spillway_adopting_heap(const mi_page_t* page,
                                                                    mi_heap_t* heap) {
  const spillway_front_t* front = spillway_front_of(heap->tld);
  mi_heap_t* of_tag = front != NULL ? front->of_tenant[spillway_tag(page)] : NULL;
  return of_tag != NULL ? of_tag : heap->tld->heap_backing;
}

SPILLWAY_UNHOOKED_FUNCTION static void spillway_page_reclaim(mi_page_t* page) {
  mi_heap_t* heap = mi_page_heap(page);
  if (spillway_is_tagged(page) && !spillway_is_of_tenant(heap)) {
    mi_page_queue_push(heap, &heap->pages[MI_BIN_FULL], page);
  } else {
    _mi_page_reclaim(heap, page);
  }
}

// At the end of the thread, in place of mi_heap_delete(), which would move the tenant's pages to
// the thread's own heap. They are abandoned instead, and the own heap's after them. By then no list
// of blocks to free holds one of theirs: spillway_take_over_pages() emptied the own heap's.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_heap_delete(mi_heap_t* heap) {
  mi_collect_t abandon = MI_ABANDON;
  mi_heap_visit_pages(heap, &mi_heap_page_never_delayed_free, NULL, NULL);
  _mi_heap_delayed_free_all(heap);
  mi_heap_visit_pages(heap, &mi_heap_page_collect, &abandon, NULL);
  mi_heap_free(heap);
}

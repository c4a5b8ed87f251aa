// SPDX-License-Identifier: MIT
// Pages of mimalloc 2.0.9 whose blocks are a tenant's. A tag, the tenant's number, is in the page's
// spare word; a flag beside mimalloc's own says that it is there. With the flag each free of such a
// block, by any thread, leaves the fast path. The free of a foreign or aligned block tests one flag
// more with the same instruction, so frees of other blocks cost what they did.
//
// A page gets its tag with its heap, a tenant's (tenants_209.h), and has it until all of its blocks
// are free and it goes back to its segment. The end of a thread leaves pages in use behind: the
// thread that finds them takes each into its heap of the same tag. Without one it keeps the page
// among the full ones, until it is empty: its blocks serve no other tenant's requests.
// Included by mimalloc_209.h in front of segment.c.

// The flags of mimalloc's are bits 0, in_full, and 1, has_aligned.
#define SPILLWAY_TAGGED ((uint8_t)4)
#define SPILLWAY_ALIGNED ((uint8_t)2)
_Static_assert(sizeof(mi_page_flags_t) == 1, "the flags are bits of a byte");
_Static_assert(sizeof(((mi_page_t*)0)->padding) == sizeof(uintptr_t), "a spare word");

SPILLWAY_UNHOOKED_FUNCTION static inline bool spillway_is_tagged(const mi_page_t* page) {
  return (page->flags.full_aligned & SPILLWAY_TAGGED) != 0;
}

// 0: none.
SPILLWAY_UNHOOKED_FUNCTION static inline uint8_t spillway_tag(const mi_page_t* page) {
  return spillway_is_tagged(page) ? (uint8_t)page->padding[0] : 0;
}

// Whether a heap is one that tenants_209.h made: no thread's own.
SPILLWAY_UNHOOKED_FUNCTION static inline bool spillway_is_of_tenant(const mi_heap_t* heap) {
  return heap->no_reclaim;
}

// tenants_209.h: the calling thread's heap for an abandoned page, the heap's tag for a fresh one,
// and the tenant that the thread is in.
static mi_heap_t* spillway_adopting_heap(const mi_page_t* page, mi_heap_t* heap);
static uint8_t spillway_tag_of_heap(const mi_heap_t* heap);
static uint8_t spillway_tag_of_thread(void);

// --- for page.c ----------------------------------------------------------------------------------

// Of a fresh page, or with null of one that its heap gives up.
SPILLWAY_UNHOOKED_FUNCTION static inline void spillway_page_set_heap(mi_page_t* page,
                                                                     mi_heap_t* heap) {
  mi_page_set_heap(page, heap);
  if (heap != NULL && spillway_is_of_tenant(heap)) {
    page->padding[0] = spillway_tag_of_heap(heap);
    page->flags.full_aligned |= SPILLWAY_TAGGED;
  }
}

// --- for segment.c -------------------------------------------------------------------------------

// Of an abandoned page, found by a request of `heap`.
SPILLWAY_UNHOOKED_FUNCTION static inline void spillway_adopt_page(mi_page_t* page,
                                                                  mi_heap_t* heap) {
  mi_page_set_heap(page, spillway_adopting_heap(page, heap));
}

// page.c's queues come later.
static void spillway_page_reclaim(mi_page_t* page);

// Whether one of its blocks can serve the calling thread's request.
SPILLWAY_UNHOOKED_FUNCTION static inline bool spillway_page_serves(const mi_page_t* page) {
  return mi_page_has_any_available(page) && spillway_tag(page) == spillway_tag_of_thread();
}

// --- for alloc.c ---------------------------------------------------------------------------------

// Of a block that is about to be freed, unless it is free.
static void spillway_tell_free(const mi_page_t* page, const void* p);

// Whether mimalloc has to look for the block's start.
SPILLWAY_UNHOOKED_FUNCTION static inline bool spillway_frees_aligned(const mi_page_t* page,
                                                                     const void* p) {
  const uint8_t flags = page->flags.full_aligned;
  if mi_likely ((flags & (SPILLWAY_TAGGED | SPILLWAY_ALIGNED)) == 0) {
    return false;
  }
  if ((flags & SPILLWAY_TAGGED) != 0) {
    spillway_tell_free(page, p);
  }
  return mi_page_has_aligned(page);
}

// A page that is kept among the full ones stays there.
SPILLWAY_UNHOOKED_FUNCTION static inline void spillway_page_unfull(mi_page_t* page) {
  if (!spillway_is_tagged(page) || spillway_is_of_tenant(mi_page_heap(page))) {
    _mi_page_unfull(page);
  }
}

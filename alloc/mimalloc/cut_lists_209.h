// SPDX-License-Identifier: MIT
// Lists of free blocks that end where a request is to be noticed. A thread takes small blocks of
// mimalloc 2.0.9 from its page's list without a look at anything else; the list only shrinks until
// it is empty and the slow path comes by. So a
// sampler that wants to see the request after the next n has the list end behind n blocks. The
// others wait among those that the thread freed meanwhile, which become the list at the end of this
// one. Included by mimalloc_209.h before alloc.c.
//
// The page's spare word says that its list was cut, and in which round of watching. It may be left
// from an earlier one, or be the length of a free span (waiting_209.h): a list that was cut leaves
// something behind it.

SPILLWAY_UNHOOKED_FUNCTION static uintptr_t spillway_cut_mark(uint32_t round) {
  return (uintptr_t)1 << 40 | round;
}

// The size of the blocks that serve a small request.
SPILLWAY_UNHOOKED_FUNCTION size_t spillway_mimalloc_block_size(size_t size) {
  return _mi_bin_size(_mi_bin(size));
}
SPILLWAY_UNHOOKED_FUNCTION bool spillway_mimalloc_takes_from_lists(size_t size) {
  return size <= MI_SMALL_SIZE_MAX;
}

// Whether a small request came because its list was cut here; that is forgotten then.
SPILLWAY_UNHOOKED_FUNCTION bool spillway_mimalloc_reached_cut(mi_heap_t* heap, size_t size,
                                                              uint32_t round) {
  if (!mi_heap_is_initialized(heap)) {
    return false;
  }
  mi_page_t* page = _mi_heap_get_free_small_page(heap, size);
  if (page->padding[0] != spillway_cut_mark(round) || page->free != NULL ||
      page->local_free == NULL) {
    return false;
  }
  page->padding[0] = 0;
  return true;
}

// An aligned request of the calling thread's is served otherwise: what was to be noticed at it, is
// not.
SPILLWAY_UNHOOKED_FUNCTION void spillway_mimalloc_pass_cut(size_t size, uint32_t round) {
  if (size <= MI_SMALL_SIZE_MAX) {
    spillway_mimalloc_reached_cut(mi_get_default_heap(), size, round);
  }
}

// The length of the list that `block` came from. That it was cut is forgotten: the caller draws
// anew.
SPILLWAY_UNHOOKED_FUNCTION uint32_t spillway_mimalloc_listed(void* block) {
  mi_page_t* page = _mi_ptr_page(block);
  page->padding[0] = 0;
  return page->free == NULL ? 0 : page->capacity - page->used;
}

// Has that list end after so many blocks more, which are fewer.
SPILLWAY_UNHOOKED_FUNCTION void spillway_mimalloc_cut(void* block, uint32_t blocks,
                                                      uint32_t round) {
  mi_page_t* page = _mi_ptr_page(block);
  mi_block_t* last = NULL;
  mi_block_t* rest = page->free;
  for (uint32_t i = 0; i < blocks && rest != NULL; i++) {
    last = rest;
    rest = mi_block_next(page, rest);
  }
  if (rest == NULL) {
    return;
  }
  if (page->local_free != NULL) {
    mi_block_t* end = rest;
    for (mi_block_t* next; (next = mi_block_next(page, end)) != NULL;) {
      end = next;
    }
    mi_block_set_next(page, end, page->local_free);
  }
  page->local_free = rest;
  if (last != NULL) {
    mi_block_set_next(page, last, NULL);
  } else {
    page->free = NULL;
  }
  page->padding[0] = spillway_cut_mark(round);
}

// SPDX-License-Identifier: MIT
// A record of every segment of mimalloc 2.0.9, which tells for any address whether a block may
// start there. In place of mimalloc's own map, which ends at 20 TiB, where segments that the kernel
// placed lie higher, and takes 80 KiB of every process' address space. Included by mimalloc_209.h
// behind segment-cache.c.

// User addresses of x86-64 and of arm64 with 47 bits. Elsewhere a higher segment counts as foreign.
#define SPILLWAY_ADDRESS_END ((uintptr_t)1 << 47)

// calls.h declares it: less the address of the first segment that a hint has placed.
_Atomic(uintptr_t) spillway_mimalloc_origin = -MI_HINT_BASE;

// One bit per segment, in pages: one for each TiB where a segment ever was, the first one static.
// All of them would be 512 KiB.
#define SPILLWAY_MAP_PAGE_WORDS ((size_t)512)
#define SPILLWAY_MAP_PAGE_BYTES (SPILLWAY_MAP_PAGE_WORDS * sizeof(uintptr_t))
#define SPILLWAY_MAP_PAGE_SPAN (SPILLWAY_MAP_PAGE_WORDS * 64 * MI_SEGMENT_SIZE)
typedef _Atomic(uintptr_t) spillway_map_word_t;
static _Atomic(spillway_map_word_t*)
    spillway_map_pages[SPILLWAY_ADDRESS_END / SPILLWAY_MAP_PAGE_SPAN];
_Static_assert(SPILLWAY_ADDRESS_END % SPILLWAY_MAP_PAGE_SPAN == 0, "whole pages");
static spillway_map_word_t spillway_first_map_page[SPILLWAY_MAP_PAGE_WORDS];
static _Atomic(bool) spillway_first_map_page_taken;

// A page could not be mapped: any address may be a segment's from then on.
static _Atomic(bool) spillway_map_incomplete;

// The place of a segment's page.
SPILLWAY_UNHOOKED_FUNCTION static _Atomic(spillway_map_word_t*)* spillway_map_page(
    uintptr_t segment) {
  return &spillway_map_pages[segment / SPILLWAY_MAP_PAGE_SPAN];
}

SPILLWAY_UNHOOKED_FUNCTION static void spillway_add_map_page(uintptr_t segment) {
  spillway_map_word_t* fresh = spillway_first_map_page;
  spillway_map_word_t* none = NULL;
  // Relaxed: the page is zero from the start.
  if (atomic_exchange_explicit(&spillway_first_map_page_taken, true, memory_order_relaxed)) {
    const int error = errno;
    fresh = (mmap)(NULL, SPILLWAY_MAP_PAGE_BYTES, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (fresh == MAP_FAILED) {
      errno = error;
      // Relaxed: as the bits are.
      atomic_store_explicit(&spillway_map_incomplete, true, memory_order_relaxed);
      return;
    }
  }
  // Release: the page is zero for spillway_segment_word(), which acquires.
  if (!atomic_compare_exchange_strong_explicit(spillway_map_page(segment), &none, fresh,
                                               memory_order_release, memory_order_relaxed) &&
      fresh != spillway_first_map_page) {
    (munmap)((void*)fresh, SPILLWAY_MAP_PAGE_BYTES);
  }
}

// The word and bit of a segment; null beyond SPILLWAY_ADDRESS_END, and where no page is mapped.
SPILLWAY_UNHOOKED_FUNCTION static spillway_map_word_t* spillway_segment_word(uintptr_t segment,
                                                                             uintptr_t* bit) {
  if (segment >= SPILLWAY_ADDRESS_END) {
    return NULL;
  }
  const size_t index = segment / MI_SEGMENT_SIZE;
  *bit = (uintptr_t)1 << index % 64;
  // Acquire: pairs with the release in spillway_add_map_page().
  spillway_map_word_t* page =
      atomic_load_explicit(spillway_map_page(segment), memory_order_acquire);
  return page == NULL ? NULL : &page[index / 64 % SPILLWAY_MAP_PAGE_WORDS];
}

SPILLWAY_UNHOOKED_FUNCTION static void spillway_segment_mapped(const mi_segment_t* segment) {
  uintptr_t bit;
  spillway_map_word_t* word = spillway_segment_word((uintptr_t)segment, &bit);
  if (word == NULL && (uintptr_t)segment < SPILLWAY_ADDRESS_END) {
    spillway_add_map_page((uintptr_t)segment);
    word = spillway_segment_word((uintptr_t)segment, &bit);
  }
  if (word != NULL) {
    // Relaxed: whatever hands a block of the segment to another thread orders this before it.
    atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
  }
  if ((uintptr_t)segment >= MI_HINT_BASE && (uintptr_t)segment <= MI_HINT_MAX) {
    uintptr_t unset = -MI_HINT_BASE;
    // Relaxed: a block that is not near the origin seen is looked up.
    atomic_compare_exchange_strong_explicit(&spillway_mimalloc_origin, &unset, -(uintptr_t)segment,
                                            memory_order_relaxed, memory_order_relaxed);
  }
}

SPILLWAY_UNHOOKED_FUNCTION static void spillway_segment_freed(const mi_segment_t* segment) {
  uintptr_t bit;
  spillway_map_word_t* word = spillway_segment_word((uintptr_t)segment, &bit);
  if (word != NULL) {
    // Sequentially consistent: before the segment is unmapped; pairs with spillway_munmap(), which
    // then looks for walks. No block of the segment is live.
    atomic_fetch_and_explicit(word, ~bit, memory_order_seq_cst);
  }
}

// Whether the segment that a block at `address`, not null, would belong to is mimalloc's. Reads
// nothing near the address; any thread, any signal handler.
SPILLWAY_UNHOOKED_FUNCTION bool spillway_mimalloc_has_segment(const void* address) {
  const uintptr_t segment = (uintptr_t)_mi_ptr_segment(address);
  uintptr_t bit;
  spillway_map_word_t* word = spillway_segment_word(segment, &bit);
  // Relaxed, both: whatever handed the block to this thread ordered the record before it.
  if (word != NULL && (atomic_load_explicit(word, memory_order_relaxed) & bit) != 0) {
    return true;
  }
  return segment < SPILLWAY_ADDRESS_END &&
         atomic_load_explicit(&spillway_map_incomplete, memory_order_relaxed);
}

// The block that starts in the same segment of one block and not at `address`, if there is one; an
// aligned block may start anywhere in its segment, and is none.
SPILLWAY_UNHOOKED_FUNCTION const void* spillway_mimalloc_huge_block_around(const void* address) {
  const mi_segment_t* segment = _mi_ptr_segment(address);
  uintptr_t bit;
  spillway_map_word_t* word = spillway_segment_word((uintptr_t)segment, &bit);
  // Relaxed: as in spillway_mimalloc_has_segment(); what has no bit may not be mapped.
  if (word == NULL || (atomic_load_explicit(word, memory_order_relaxed) & bit) == 0 ||
      segment->kind != MI_SEGMENT_HUGE) {
    return NULL;
  }
  const mi_page_t* page = (const mi_page_t*)&segment->slices[segment->segment_info_slices];
  const void* block = _mi_segment_page_start(segment, page, NULL);
  return mi_page_has_aligned(page) || block == address ? NULL : block;
}

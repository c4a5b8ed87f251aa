// SPDX-License-Identifier: MIT
// Marks the free blocks of mimalloc 2.0.9, so that a block that is freed again is told from a live
// one. The mark is the second word: the block's address plus a constant. Freeing sets it, taking
// clears it; a live block has it only if the program wrote it there. Addresses inside of a block
// may have that of an older one. Cost: four instructions of a free, one of a malloc, none of which
// misses the cache anew. Included by mimalloc_209.h around alloc.c, whose macros and calls of these
// names become the ones below.
//
// Not told: a second free after the block's page has gone back to the kernel, or serves other
// sizes.
#define SPILLWAY_FREED_MARK ((uintptr_t)0x6d2b79f5)  // arbitrary; fits an instruction's operand

// calls.cc: tells the function that on_double_free() was given.
void spillway_mimalloc_freed_twice(void* block);

SPILLWAY_UNHOOKED_FUNCTION static inline uintptr_t* spillway_mark_of(const mi_block_t* block) {
  return (uintptr_t*)block + 1;
}

SPILLWAY_UNHOOKED_FUNCTION static inline bool spillway_is_marked(const mi_block_t* block) {
  return *spillway_mark_of(block) == (uintptr_t)block + SPILLWAY_FREED_MARK;
}

SPILLWAY_UNHOOKED_FUNCTION static inline void spillway_mark_freed(mi_block_t* block) {
  // Volatile: gcc would gather the block's two words in a vector register to store them at once.
  *(volatile uintptr_t*)spillway_mark_of(block) = (uintptr_t)block + SPILLWAY_FREED_MARK;
}

// The block behind one that is taken.
SPILLWAY_UNHOOKED_FUNCTION static inline mi_block_t* spillway_next_of_taken(const mi_page_t* page,
                                                                            mi_block_t* block) {
  *spillway_mark_of(block) = 0;
  return mi_block_next(page, block);
}

SPILLWAY_UNHOOKED_FUNCTION static inline void spillway_set_next(const mi_page_t* page,
                                                                mi_block_t* block,
                                                                const mi_block_t* next) {
  spillway_mark_freed(block);
  mi_block_set_next(page, block, next);
}

SPILLWAY_UNHOOKED_FUNCTION static inline void spillway_set_nextx(const void* null,
                                                                 mi_block_t* block,
                                                                 const mi_block_t* next,
                                                                 const uintptr_t* keys) {
  spillway_mark_freed(block);
  mi_block_set_nextx(null, block, next, keys);
}

// Whether the block at `address`, mimalloc's and not null, was freed, as far as that is known. An
// aligned block may start inside of mimalloc's, whose second word counts.
SPILLWAY_UNHOOKED_FUNCTION bool spillway_mimalloc_is_freed(const void* address) {
  const mi_segment_t* segment = _mi_ptr_segment(address);
  const mi_page_t* page = _mi_segment_page_of(segment, address);
  const mi_block_t* block = (const mi_block_t*)address;
  if (mi_page_has_aligned(page)) {
    block = _mi_page_ptr_unalign(segment, page, address);
  }
  return spillway_is_marked(block);
}

#define mi_block_next(page, block) spillway_next_of_taken(page, block)
#define mi_block_set_next(page, block, next) spillway_set_next(page, block, next)
#define mi_block_set_nextx(null, block, next, keys) spillway_set_nextx(null, block, next, keys)
// In both of alloc.c's functions that free, before the first change.
#undef mi_track_free
#define mi_track_free(pointer)                 \
  if mi_unlikely (spillway_is_marked(block)) { \
    spillway_mimalloc_freed_twice(pointer);    \
    return;                                    \
  }

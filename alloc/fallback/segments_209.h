// A record of every segment of mimalloc 2.0.9, which tells for any address whether a block may
// start there. mimalloc's own map ends at 20 TiB: segments that the kernel placed, such as those of
// blocks above 1 GiB, lie higher. Included by mimalloc_209.h behind segment-cache.c.

// User addresses of x86-64 and of arm64 with 47 bits. Elsewhere a higher segment counts as foreign.
#define SPILLWAY_ADDRESS_END ((uintptr_t)1 << 47)

// fallback.h declares it: less the address of the first segment that a hint has placed.
_Atomic(uintptr_t) spillway_mimalloc_origin = -MI_HINT_BASE;

// One bit per segment from MI_MAX_ADDRESS on: 432 KiB, of which a page is touched at most, in
// processes with such segments.
static _Alignas(4096) _Atomic(uintptr_t)
    spillway_high_map[(SPILLWAY_ADDRESS_END - MI_MAX_ADDRESS) / MI_SEGMENT_SIZE / 64];

static _Atomic(size_t) spillway_high_segments;

// The word and bit of a segment; null beyond SPILLWAY_ADDRESS_END.
SPILLWAY_UNHOOKED_FUNCTION static _Atomic(uintptr_t)* spillway_segment_word(uintptr_t segment,
                                                                            uintptr_t* bit) {
  if (segment >= SPILLWAY_ADDRESS_END) {
    return NULL;
  }
  _Atomic(uintptr_t)* map = mi_segment_map;
  size_t index = segment / MI_SEGMENT_SIZE;
  if (segment >= MI_MAX_ADDRESS) {
    map = spillway_high_map;
    index -= MI_MAX_ADDRESS / MI_SEGMENT_SIZE;
  }
  *bit = (uintptr_t)1 << index % 64;
  return &map[index / 64];
}

SPILLWAY_UNHOOKED_FUNCTION static void spillway_segment_mapped(const mi_segment_t* segment) {
  _mi_segment_map_allocated_at(segment);
  uintptr_t bit;
  _Atomic(uintptr_t)* word = spillway_segment_word((uintptr_t)segment, &bit);
  if (word != NULL && (uintptr_t)segment >= MI_MAX_ADDRESS) {
    // Relaxed, both: whatever hands a block of the segment to another thread orders this before it.
    atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
    atomic_fetch_add_explicit(&spillway_high_segments, 1, memory_order_relaxed);
  }
  if ((uintptr_t)segment >= MI_HINT_BASE && (uintptr_t)segment <= MI_HINT_MAX) {
    uintptr_t unset = -MI_HINT_BASE;
    // Relaxed: a block that is not near the origin seen is looked up.
    atomic_compare_exchange_strong_explicit(&spillway_mimalloc_origin, &unset, -(uintptr_t)segment,
                                            memory_order_relaxed, memory_order_relaxed);
  }
}

SPILLWAY_UNHOOKED_FUNCTION static void spillway_segment_freed(const mi_segment_t* segment) {
  _mi_segment_map_freed_at(segment);
  uintptr_t bit;
  _Atomic(uintptr_t)* word = spillway_segment_word((uintptr_t)segment, &bit);
  if (word != NULL && (uintptr_t)segment >= MI_MAX_ADDRESS) {
    // Relaxed, both: no block of the segment is live.
    atomic_fetch_and_explicit(word, ~bit, memory_order_relaxed);
    atomic_fetch_sub_explicit(&spillway_high_segments, 1, memory_order_relaxed);
  }
}

// Whether the segment that a block at `address`, not null, would belong to is mimalloc's. Reads
// nothing near the address; any thread, any signal handler.
SPILLWAY_UNHOOKED_FUNCTION bool spillway_mimalloc_has_segment(const void* address) {
  uintptr_t bit;
  // Relaxed: whatever handed the block to this thread ordered the record before it.
  _Atomic(uintptr_t)* word = spillway_segment_word((uintptr_t)_mi_ptr_segment(address), &bit);
  return word != NULL && (atomic_load_explicit(word, memory_order_relaxed) & bit) != 0;
}

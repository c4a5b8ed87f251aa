// SPDX-License-Identifier: MIT
// mimalloc's mappings: counted, and kept while statistics read segments (live_209.h), so that a
// walk needs no lock. What mimalloc unmaps meanwhile gives its memory back at once, and its
// addresses when no walk is left that may look there. Included by mimalloc_209.h in front of
// mimalloc.

// Relaxed: a count.
static _Atomic(size_t) spillway_mapped_bytes;

// Whether a thread walks over segments; one at a time.
static _Atomic(uint32_t) spillway_walking;

// Addresses that wait for its end: a list through their first pages. The fields lie where a walk
// does not look in a segment.
typedef struct spillway_late_s {
  struct spillway_late_s* next;
  size_t size;
} spillway_late_t;
_Static_assert(sizeof(spillway_late_t) <= offsetof(mi_segment_t, slice_entries), "not read");
static _Atomic(spillway_late_t*) spillway_late_unmaps;

SPILLWAY_UNHOOKED_FUNCTION static int spillway_unmap_now(void* start, size_t size) {
  const int result = munmap(start, size);
  if (result == 0) {
    atomic_fetch_sub_explicit(&spillway_mapped_bytes, size, memory_order_relaxed);
  }
  return result;
}

// Their memory goes at once, but for a page.
SPILLWAY_UNHOOKED_FUNCTION static int spillway_unmap_late(spillway_late_t* late, size_t size) {
  if (madvise(late, size, MADV_DONTNEED) != 0 ||
      mprotect(late, sizeof(spillway_late_t), PROT_READ | PROT_WRITE) != 0) {
    return -1;
  }
  late->size = size;
  late->next = atomic_load_explicit(&spillway_late_unmaps, memory_order_relaxed);
  // Release: pairs with the exchange in spillway_end_walk(); both fields are written.
  while (!atomic_compare_exchange_weak_explicit(&spillway_late_unmaps, &late->next, late,
                                                memory_order_release, memory_order_relaxed)) {
  }
  return 0;
}

SPILLWAY_UNHOOKED_FUNCTION static int spillway_munmap(void* start, size_t size) {
  // Sequentially consistent: after the segment's bit in the map was cleared; pairs with
  // spillway_begin_walk(), which says so first and then reads the bits.
  if (atomic_load_explicit(&spillway_walking, memory_order_seq_cst) == 0) {
    return spillway_unmap_now(start, size);
  }
  return spillway_unmap_late((spillway_late_t*)start, size);
}

// False: there is a walk.
SPILLWAY_UNHOOKED_FUNCTION static bool spillway_begin_walk(void) {
  uint32_t none = 0;
  // Sequentially consistent: before the loads of the map; pairs with spillway_munmap().
  return atomic_compare_exchange_strong_explicit(&spillway_walking, &none, 1, memory_order_seq_cst,
                                                 memory_order_relaxed);
}

// What came meanwhile is unmapped: the walk, the only one, has ended. What comes after that waits
// for the end of the next.
SPILLWAY_UNHOOKED_FUNCTION static void spillway_end_walk(void) {
  // Acquire: pairs with the release in spillway_unmap_late().
  spillway_late_t* late =
      atomic_exchange_explicit(&spillway_late_unmaps, NULL, memory_order_acquire);
  while (late != NULL) {
    spillway_late_t* next = late->next;
    spillway_unmap_now(late, late->size);
    late = next;
  }
  // Release: pairs with the exchange in spillway_begin_walk().
  atomic_store_explicit(&spillway_walking, 0, memory_order_release);
}

// In a forked child: the walk of a thread that did not come along has ended.
SPILLWAY_UNHOOKED_FUNCTION void spillway_mimalloc_forget_walks(void) {
  // Relaxed: the only thread there is.
  atomic_store_explicit(&spillway_walking, 0, memory_order_relaxed);
}

SPILLWAY_UNHOOKED_FUNCTION size_t spillway_mimalloc_mapped(void) {
  return atomic_load_explicit(&spillway_mapped_bytes, memory_order_relaxed);
}

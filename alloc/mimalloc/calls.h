// SPDX-License-Identifier: MIT
// mimalloc, behind the few calls the heap needs. Callable from any thread, any signal
// handler that may call malloc, and before constructors have run.
//
// Every block is aligned to kAlignment. Sizes are at most PTRDIFF_MAX and alignments are powers of
// two: the caller has checked. Failure is nullptr with errno == ENOMEM; nothing else changes errno,
// nothing prints or aborts, nothing calls a new_handler. Compiled in, allocate, allocate_zeroed,
// free, reallocate and usable_size are mimalloc's own entries, reached by one jump. With the
// system's library every call passes the fork gate (fork_gate.h): some 2 ns a call while there is
// one thread, 11 ns with more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#if SPILLWAY_MIMALLOC_EMBEDDED
extern "C" {
[[gnu::visibility("hidden")]] void* mi_malloc(size_t size) noexcept;
[[gnu::visibility("hidden")]] void* mi_zalloc(size_t size) noexcept;
[[gnu::visibility("hidden")]] void* mi_realloc(void* block, size_t size) noexcept;
[[gnu::visibility("hidden")]] void mi_free(void* block) noexcept;
[[gnu::visibility("hidden")]] size_t mi_usable_size(const void* block) noexcept;
}
#endif

#if SPILLWAY_MIMALLOC_EXTENDED
extern "C" {
// Less the address of the first segment that mimalloc's hints placed, or of the first hint: never
// 0 (segments_209.h).
[[gnu::visibility("hidden")]] extern std::atomic<uintptr_t> spillway_mimalloc_origin;
[[gnu::visibility("hidden")]] void spillway_mimalloc_free(void* block) noexcept;
}
#endif

namespace spillway::mimalloc {

// Of every block; what glibc's malloc gives.
inline constexpr size_t kAlignment = 16;

#if SPILLWAY_MIMALLOC_EMBEDDED
#if SPILLWAY_MIMALLOC_EXTENDED
constexpr size_t at_least_smallest(size_t size) { return size; }
#else
// mimalloc aligns blocks of up to 8 bytes to 8.
constexpr size_t at_least_smallest(size_t size) { return size <= 8 ? kAlignment : size; }
#endif
inline void* allocate(size_t size) { return mi_malloc(at_least_smallest(size)); }
inline void* allocate_zeroed(size_t size) { return mi_zalloc(at_least_smallest(size)); }
// Null does nothing. Otherwise a live block of mimalloc: anything else corrupts the heap.
inline void free(void* block) { mi_free(block); }
// Null allocates. Size 0 gives a smallest block, never null for success. On failure `block` lives
// on.
inline void* reallocate(void* block, size_t size) {
  return mi_realloc(block, at_least_smallest(size));
}
// Bytes the caller may use; the same for all of a block's life. 0 for null.
inline size_t usable_size(const void* block) { return mi_usable_size(block); }
#else
void* allocate(size_t size);
void* allocate_zeroed(size_t size);
void free(void* block);
void* reallocate(void* block, size_t size);
size_t usable_size(const void* block);
#endif
void* allocate_aligned(size_t alignment, size_t size);

// Whether an address lies in mimalloc's memory. mimalloc 2 keeps no record of segments that the
// kernel placed high: it cannot tell for those. Cold: a lookup in mimalloc's map, tens of ns; reads
// nothing near `address`.
enum class Ownership : uint8_t { kForeign, kOwned, kUnknown };
Ownership ownership(const void* address);

// True only where blocks of mimalloc usually are, and other memory is not: a part of the
// range that mimalloc's hints to the kernel lie in. False for null. Four instructions.
inline bool is_near(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
#if SPILLWAY_MIMALLOC_EXTENDED
  constexpr unsigned kNearBits = 38;  // 256 GiB from the first segment on
  // Relaxed: what is not near is looked up, so an old value serves.
  return (at + spillway_mimalloc_origin.load(std::memory_order_relaxed)) >> kNearBits == 0;
#else
  constexpr uintptr_t kHintsStart = uintptr_t{2} << 40;
  constexpr uintptr_t kHintsEnd = uintptr_t{30} << 40;
  return at - kHintsStart < kHintsEnd - kHintsStart;
#endif
}

// A block that is near.
inline void free_near(void* block) {
#if SPILLWAY_MIMALLOC_EXTENDED
  spillway_mimalloc_free(block);
#else
  free(block);
#endif
}

// Whether a block of mimalloc may start at an address other than null; false only where none
// does. Inside of blocks it may be true.
bool may_hold(const void* address);

// Of an address that may hold a block: the one that starts elsewhere in the same segment of
// mimalloc's, if that is for one block, above 64 MiB, and not aligned on request. Null otherwise.
const void* block_around(const void* address);

// Has `tell` called with each block that is freed while it is free already, as far as that is known
// (freed_mark_209.h); nothing else happens to the block. It is called where free() may be called,
// and may abort the process. With other versions of mimalloc it never is.
void on_double_free(void (*tell)(const void* block));

// Whether a block of mimalloc is known to be free. Reads its second word.
bool is_known_free(const void* block);

// Returns free memory to the kernel, that of collect_waiting() included; `force` also collects what
// the calling thread holds in reserve.
void collect(bool force);

// Returns memory that the calling thread freed and that waits for a later call of the thread's to
// be returned, and whole segments that any thread freed. Nothing in a signal handler that
// interrupted mimalloc, nor with other versions of it. A walk over the thread's free spans, some ns
// each, and the kernel's time for the memory.
void collect_waiting();

// collect_waiting() now and collect(false) at the next request that mimalloc has no free block for.
// For callers that may be in a signal handler, which may have interrupted mimalloc where it does
// not tell. With other versions collect(false), now. The hidden thread, which mimalloc does not
// know, only has the next request do so.
void collect_soon();

// From now on a thread that frees looks at its free memory at each half of so long, but not more
// often than every 25 ms. It returns what was free at the look before, and all of it at its end.
// Without this call mimalloc returns it when a thread neither freed nor took any for 25 ms
// (options.c), and at the next free after that. Not with other versions of it.
void keep_free_memory_for(uint64_t milliseconds);

// Bytes mimalloc has committed, now and at its peak, and the most that the process ever had
// resident. One system call, getrusage. Other threads' latest changes may be missing until those
// threads end; never more than a snapshot. On the hidden thread, too; with versions other than
// 2.0.9 nothing is known there of what is committed.
struct Footprint {
  size_t committed;
  size_t peak_committed;
  size_t peak_resident;
};
Footprint footprint();

// What the program holds: blocks rounded up to mimalloc's sizes, of all threads, and the segments
// in use. A walk over all of mimalloc's pages (live_209.h), some ns each, that no other thread
// waits for but one that calls this, a millisecond at most; on the hidden thread, too. With other
// versions of mimalloc the bytes are those committed.
struct Live {
  static constexpr size_t kUnknown = SIZE_MAX;

  size_t bytes = 0;
  size_t blocks = 0;  // kUnknown with other versions
  size_t segments = 0;
};
Live live();

// Bytes of address space that mimalloc has mapped; with other versions, those committed.
size_t mapped_bytes();

// mimalloc's version: 20009 for 2.0.9, 30401 for 3.4.1.
int version();

}  // namespace spillway::mimalloc

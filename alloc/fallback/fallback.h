// The fallback: mimalloc, behind the few calls the heap needs. Callable from any thread, any signal
// handler that may call malloc, and before constructors have run.
//
// Sizes are at most PTRDIFF_MAX and alignments are powers of two: the caller has checked. Failure
// is nullptr with errno == ENOMEM; nothing else changes errno, nothing prints or aborts, nothing
// calls a new_handler. Compiled in, allocate, allocate_zeroed, free, reallocate and usable_size are
// mimalloc's own entries, reached by one jump. With the system's library every call passes the fork
// gate (fork_gate.h): some 2 ns a call while there is one thread, 11 ns with more.
#pragma once

#include <cstddef>
#include <cstdint>

#if SPILLWAY_FALLBACK_EMBEDDED
extern "C" {
[[gnu::visibility("hidden")]] void* mi_malloc(size_t size) noexcept;
[[gnu::visibility("hidden")]] void* mi_zalloc(size_t size) noexcept;
[[gnu::visibility("hidden")]] void* mi_realloc(void* block, size_t size) noexcept;
[[gnu::visibility("hidden")]] void mi_free(void* block) noexcept;
[[gnu::visibility("hidden")]] size_t mi_usable_size(const void* block) noexcept;
}
#endif

namespace spillway::fallback {

#if SPILLWAY_FALLBACK_EMBEDDED
inline void* allocate(size_t size) { return mi_malloc(size); }
inline void* allocate_zeroed(size_t size) { return mi_zalloc(size); }
// Null does nothing. Otherwise a live block of the fallback's: anything else corrupts the heap.
inline void free(void* block) { mi_free(block); }
// Null allocates. Size 0 gives a smallest block, never null for success. On failure `block` lives
// on.
inline void* reallocate(void* block, size_t size) { return mi_realloc(block, size); }
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
void* allocate_zeroed_aligned(size_t alignment, size_t size);

// Whether an address lies in the fallback's memory. mimalloc 2 keeps no record of segments that the
// kernel placed high: it cannot tell for those. Cold: a lookup in mimalloc's map, tens of ns; reads
// nothing near `address`.
enum class Ownership : uint8_t { kForeign, kOwned, kUnknown };
Ownership ownership(const void* address);

// Returns free memory to the kernel; `force` also collects what the calling thread holds in
// reserve.
void collect(bool force);

// Bytes mimalloc has committed, now and at its peak, and the most that the process ever had
// resident. One system call, getrusage. Other threads' latest changes may be missing
// until those threads end; never more than a snapshot.
struct Footprint {
  size_t committed;
  size_t peak_committed;
  size_t peak_resident;
};
Footprint footprint();

// mimalloc's version: 20009 for 2.0.9, 30401 for 3.4.1.
int version();

}  // namespace spillway::fallback

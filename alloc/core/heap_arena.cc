#include "alloc/core/heap_arena.h"

#include "alloc/base/bits.h"
#include "alloc/core/commit.h"

namespace spillway::core {

bool HeapArena::reserve(size_t most_bytes, size_t least_bytes) {
  // With a limit on address space, three quarters of what is left stay for the program.
  const uint64_t left = os::address_space_left() / 4;
  for (size_t size = most_bytes; size >= least_bytes; size = align_down(size / 2, kAlignment)) {
    if (size > left || !reserve_range(size)) {
      continue;
    }
    void* entries =
        os::reserve((size >> kGranuleShift) * sizeof(PageEntry), os::Access::kRead, nullptr);
    if (entries != nullptr) {
      entries_ = static_cast<PageEntry*>(entries);
      return true;
    }
    release();
  }
  return false;
}

void HeapArena::release() {
  const size_t entry_bytes = (bytes() >> kGranuleShift) * sizeof(PageEntry);
  void* const entries = entries_;
  entries_ = nullptr;
  release_range();
  if (entries != nullptr) {
    os::release(entries, entry_bytes);
  }
}

bool HeapArena::commit(Granule first, size_t pages) {
  return commit_pages(entries_ + raw(first), pages * sizeof(PageEntry)) &&
         commit_pages(address(first), pages << kGranuleShift);
}

}  // namespace spillway::core

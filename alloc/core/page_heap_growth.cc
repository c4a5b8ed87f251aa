// SPDX-License-Identifier: MIT
#include "alloc/core/page_heap.h"

#include <algorithm>

#include "alloc/core/commit.h"

namespace spillway::core {

bool PageHeap::commit_up_to(uint32_t chunks, uint32_t wanted) {
  // acquire: pairs with the release below.
  const uint32_t committed = committed_.load(std::memory_order_acquire);
  if (committed >= wanted) {
    return true;
  }
  // A step is as large as what there is, within bounds: few system calls for large heaps, little
  // commit charge for small ones.
  constexpr uint32_t kMaxChunks = 32;
  const uint32_t step = arena_.commits_exactly() ? 1 : std::clamp(chunks, 1U, kMaxChunks);
  const Granule first{committed * Chunk::kPages};
  uint32_t target = std::min(std::max(committed + step, wanted), chunk_count_);
  const auto commit = [&] {
    return commit_pages(chunks_ + committed, (target - committed + 1) * sizeof(Chunk)) &&
           arena_.commit(first, size_t{target - committed} * Chunk::kPages);
  };
  // The kernel may refuse the step and allow the chunks needed now.
  if (!commit()) {
    target = wanted;
    if (!commit()) {
      return false;
    }
  }
  // Maximum of what was and what is: another thread may have committed further meanwhile.
  uint32_t current = committed;
  bool moved = false;
  while (current < target && !moved) {
    // release: pairs with the acquire above.
    moved = committed_.compare_exchange_weak(current, target, std::memory_order_release,
                                             std::memory_order_relaxed);
  }
  // A step is one thread's.
  if (moved && current == committed) {
    consider_huge_pages(committed, target);
  }
  return true;
}

void PageHeap::consider_huge_pages(uint32_t from, uint32_t to) {
  // Fewer are not worth a system call.
  constexpr uint32_t kMinChunks = 16;
  // Chunks of each step that stay without and tell what the program uses: with huge pages all of
  // a chunk is resident at the first touch.
  constexpr uint32_t kControlChunks = 2;
  constexpr uint64_t kControlBytes = kControlChunks * kChunkSize;
  if (!huge_allowed_.load(std::memory_order_relaxed) || to - from < kMinChunks) {
    return;
  }
  const uint32_t control = huge_control_.exchange(from, std::memory_order_relaxed);
  if (control == kNoChunk) {
    return;
  }
  const uint64_t used =
      os::resident_bytes_in(arena_.address(Granule{control * Chunk::kPages}), kControlBytes);
  if (used >= kControlBytes - kControlBytes / 16) {
    arena_.prefer_huge(Granule{(from + kControlChunks) * Chunk::kPages},
                       size_t{to - from - kControlChunks} * Chunk::kPages);
  }
}

uint32_t PageHeap::grow(uint32_t count) {
  const Range::Growing growing(arena_);
  // relaxed: the exchange decides.
  uint32_t next = frontier_.load(std::memory_order_relaxed);
  do {
    if (!growing.allowed() || count > chunk_count_ - next || !commit_up_to(next, next + count)) {
      return kNoChunk;
    }
    // release: pairs with the acquire in frontier().
  } while (!frontier_.compare_exchange_weak(next, next + count, std::memory_order_release,
                                            std::memory_order_relaxed));
  return next;
}

}  // namespace spillway::core

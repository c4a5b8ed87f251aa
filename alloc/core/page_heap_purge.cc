// SPDX-License-Identifier: MIT
#include "alloc/core/page_heap.h"

#include <algorithm>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

// The kernel's pages in the heap's.
uint32_t purge_unit() { return static_cast<uint32_t>(os::page_size() >> kGranuleShift); }

}  // namespace

PageHeap::FreeBytes PageHeap::free_bytes() const {
  // So many in advance: bench_snapshot.
  constexpr uint32_t kAhead = 2;
  FreeBytes sum;
  for (uint32_t number = 0; number < frontier(); ++number) {
    chunks_[std::min(number + kAhead, frontier() - 1)].prefetch();
    const Chunk::FreeGrains grains = chunks_[number].count(purge_unit());
    sum.recent += offset_of(grains.recent);
    sum.aged += offset_of(grains.aged);
    sum.clean += offset_of(grains.clean);
    sum.part += offset_of(grains.part);
  }
  return sum;
}

uint64_t PageHeap::free_bytes_up_to(uint64_t max_bytes) const {
  uint64_t sum = 0;
  for (uint32_t number = 0; number < frontier() && sum < max_bytes; ++number) {
    sum += uint64_t{chunks_[number].old_pages(purge_unit())} << kGranuleShift;
  }
  return sum;
}

void PageHeap::age_pages() {
  for_each_spilled([&](ClassIndex index) { give_spilled(index, spilled_[raw(index)].unwanted()); });
  for (uint32_t number = 0; number < frontier(); ++number) {
    chunks_[number].age_pages();
  }
}

uint64_t PageHeap::purge(uint32_t& cursor, uint64_t max_bytes, bool recent_too, bool& refused) {
  const uint32_t chunks = frontier();
  const uint32_t unit = purge_unit();
  const auto max_pages =
      static_cast<uint32_t>(std::clamp<uint64_t>(max_bytes >> kGranuleShift, unit, Chunk::kPages));
  while (cursor < chunks) {
    const uint32_t number = chunks - 1 - cursor;
    Chunk& chunk = chunks_[number];
    // For a forked child, which gives back what is in hand: the pages of the step before may be
    // live by now.
    std::fill(std::begin(in_hand_pages_), std::end(in_hand_pages_), 0);
    order_for_signals();
    in_hand_chunk_.set(number);
    order_for_signals();
    uint64_t undone[8] = {};
    const uint32_t claimed = chunk.claim_old(in_hand_pages_, max_pages, unit, recent_too, undone);
    join_pages(number, undone);
    // Other threads can have the rest, in front and behind, while the kernel is at work.
    join_pages(number, in_hand_pages_);
    bool accepted = true;
    for (uint32_t word = 0; word < 8 && claimed != 0; ++word) {
      for_each_run(in_hand_pages_[word], [&](unsigned first, unsigned length) {
        const Granule page{number * Chunk::kPages + word * 64 + first};
        accepted = accepted && arena_.purge(page, length);
      });
    }
    // First: a child that is forked between the two loses pages instead of having them twice.
    in_hand_chunk_.set(kNoChunk);
    order_for_signals();
    uint64_t purged = 0;
    if (claimed != 0) {
      purged = uint64_t{chunk.give_pages(in_hand_pages_, accepted)} << kGranuleShift;
      join_pages(number, in_hand_pages_);
    }
    refused = refused || !accepted;
    if (claimed < max_pages || !accepted) {
      ++cursor;
    }
    if (claimed != 0) {
      return purged;
    }
  }
  cursor = 0;
  return 0;
}

void PageHeap::give_up_untouched() {
  // acquire: pairs with the release in commit_up_to().
  const uint32_t committed = committed_.load(std::memory_order_acquire);
  arena_.give_up(Granule{committed * Chunk::kPages}, Granule{chunk_count_ * Chunk::kPages});
  // The tables of chunks that there will not be, but for the next one's: see word().
  const size_t used = align_up((committed + 1) * sizeof(Chunk), os::page_size());
  if (used < chunks_bytes_) {
    os::release_part(reinterpret_cast<char*>(chunks_) + used, chunks_bytes_ - used);
    chunks_bytes_ = used;
  }
  wide_.give_up_untouched();
}

uint64_t PageHeap::untouched_bytes() const {
  // relaxed: a momentary answer.
  const uint64_t chunks = chunk_count_ - committed_.load(std::memory_order_relaxed);
  return (chunks << kChunkShift) + chunks * sizeof(Chunk) + wide_.untouched_bytes();
}

void PageHeap::join_pages(uint32_t number, const uint64_t (&pages)[8]) {
  for (uint32_t word = 0; word < 8; ++word) {
    for_each_run(pages[word], [&](unsigned first, unsigned length) {
      join(number * kGrainsPerChunk + (word * 64 + first) * Chunk::kGrainsPerPage,
           length * Chunk::kGrainsPerPage);
    });
  }
}

}  // namespace spillway::core

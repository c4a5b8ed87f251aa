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

uint64_t PageHeap::free_bytes_up_to(uint64_t most) const {
  uint64_t sum = 0;
  for (uint32_t number = 0; number < frontier() && sum < most; ++number) {
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
  const auto most =
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
    const uint32_t claimed = chunk.claim_old(in_hand_pages_, most, unit, recent_too, undone);
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
    if (claimed < most || !accepted) {
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

void PageHeap::recover_after_fork(bool purge_was_ours) {
  if (!purge_was_ours && in_hand_chunk_.get() != kNoChunk) {
    chunks_[in_hand_chunk_.get()].give_pages(in_hand_pages_, false);
    in_hand_chunk_.set(kNoChunk);
  }
  for_each_spilled([&](ClassIndex index) { spilled_[raw(index)].recover_after_fork(); });
  index_.repair(frontier());
  const uint32_t words = frontier() * Chunk::kWords;
  for (uint32_t at = 0; at < words; ++at) {
    index_word(at);
  }
  wide_.recover_after_fork(purge_was_ours);
}

void PageHeap::collect(stats::Snapshot& snapshot) const {
  const FreeBytes free = free_bytes();
  // relaxed, all: counts.
  snapshot.pool_committed_bytes = uint64_t{committed_.load(std::memory_order_relaxed)}
                                  << kChunkShift;
  snapshot.pool_grown_bytes = size_bytes();
  snapshot.pool_free_bytes = free.dirty() + free.clean;
  for_each_spilled([&](ClassIndex index) {
    snapshot.pool_free_bytes += spilled_[raw(index)].count() * offset_of(run_[raw(index)]);
  });
  snapshot.pool_clean_bytes = free.clean;
  snapshot.pool_dirty_bytes = snapshot.pool_free_bytes - free.clean;
  snapshot.page_faults_avoided_total =
      (reused_.load(std::memory_order_relaxed) << kGrainShift) / os::page_size();
  // acquire, all but the last, in this order: whatever happens meanwhile, the frees are not too
  // many.
  snapshot.large_allocations_total = large_allocations_.load(std::memory_order_acquire);
  const uint64_t came = large_came_.load(std::memory_order_acquire);
  snapshot.large_blocks = large_blocks_.load(std::memory_order_acquire);
  const uint64_t gone = snapshot.large_blocks + large_went_.load(std::memory_order_relaxed);
  const uint64_t all = snapshot.large_allocations_total + came;
  snapshot.large_frees_total = all - std::min(all, gone);
  snapshot.large_live_bytes = large_grains_.load(std::memory_order_relaxed) << kGrainShift;
  wide_.collect(snapshot);
  snapshot.large_frees_total = shown_large_frees_.at_least(snapshot.large_frees_total);
}

}  // namespace spillway::core

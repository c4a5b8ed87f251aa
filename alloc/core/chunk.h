// SPDX-License-Identifier: MIT
// The tables of one chunk of the heap's arena, 2 MiB: which of its grains are free, and which pages
// may be dirty. A block is a run of neighbouring grains; freeing it joins it with its neighbours,
// in the next chunk, too, since a set bit beside a set bit is a longer run.
//
// - free: one bit for each grain of 512 bytes, set while it is free, as 111.....11111111
// - recent: one bit for each page, set when a grain of it was freed since the last look
// - aged: the same, before that; a page that is neither reads as zero where it is free
// - starts: the run index's (run_index.h)
//
// Lock-free, any thread. A run is claimed word by word: a thread that finds a part of it gone gives
// back what it has. Zeroed memory is a chunk without a free grain.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"

namespace spillway::core {

inline constexpr unsigned kGrainShift = 9;
inline constexpr size_t kGrainSize = size_t{1} << kGrainShift;
inline constexpr unsigned kChunkShift = 21;
inline constexpr size_t kChunkSize = size_t{1} << kChunkShift;
inline constexpr uint32_t kGrainsPerChunk = kChunkSize / kGrainSize;

class Chunk {
 public:
  static constexpr uint32_t kBits = 64;
  static constexpr uint32_t kWords = kGrainsPerChunk / kBits;
  static constexpr uint32_t kMaxBuckets = 144;
  static constexpr unsigned kGrainsPerPageShift = 3;  // pages of 4 KiB, whatever the kernel's are
  static constexpr uint32_t kGrainsPerPage = 1U << kGrainsPerPageShift;
  static constexpr uint32_t kPages = kGrainsPerChunk / kGrainsPerPage;

  // All of the run, or nothing and false when a grain of it is not free. `undone` of its first
  // grains were taken for a moment then: others may have missed a run that they are a part of.
  bool claim(uint32_t first, uint32_t grains, uint32_t& undone);
  bool claim(uint32_t first, uint32_t grains) {
    uint32_t undone = 0;
    return claim(first, grains, undone);
  }
  // Before a run is given whose block may have been written to. Returns the free grains beside it
  // on pages that are dirty by it and were clean.
  uint32_t mark_dirty(uint32_t first, uint32_t grains);
  // A run that was claimed. False when a grain was free already; it is free once all the same.
  [[nodiscard]] bool give(uint32_t first, uint32_t grains);
  // 64 neighbouring grains.
  uint64_t word(uint32_t index) const {
    // seq_cst: pairs with give(), see RunIndex::remove(). claim() decides all the same.
    return free_[index].load(std::memory_order_seq_cst);
  }

  // How many words from `first` on, up to `end`, are free as a whole.
  uint32_t full_words(uint32_t first, uint32_t end) const {
    uint32_t index = first;
    // seq_cst, all: as word().
    while (index + 4 <= end &&
           (word(index) & word(index + 1) & word(index + 2) & word(index + 3)) == ~uint64_t{0}) {
      index += 4;
    }
    while (index < end && word(index) == ~uint64_t{0}) {
      ++index;
    }
    return index - first;
  }

  // The grains of a run on pages that read as zero; momentary unless the caller claimed the run.
  uint32_t clean_grains(uint32_t first, uint32_t grains) const;
  bool is_clean_page(uint32_t page) const {
    return ((dirty_word(page / kBits) >> (page % kBits)) & 1) == 0;
  }

  // The pages freed before are aged from now on.
  void age_pages();
  struct FreeGrains {
    uint32_t recent = 0;  // on pages that are recent
    uint32_t aged = 0;    // only aged
    uint32_t clean = 0;   // neither
    uint32_t part = 0;    // of the first two, beside grains that are in use: no whole unit
  };
  // Pages can go to the kernel in units of `unit`, the kernel's own pages, here and below.
  FreeGrains count(uint32_t unit) const;
  // Before that, of a chunk whose tables are not in the processor's cache.
  void prefetch() const {
    constexpr uint32_t kWordsPerLine = 64 / sizeof(Word);
    for (uint32_t index = 0; index < kWords; index += kWordsPerLine) {
      __builtin_prefetch(&free_[index]);
    }
    __builtin_prefetch(&recent_);
    __builtin_prefetch(&aged_);
  }
  // Whole free pages that are recent or aged: those that can go. A fifth of count()'s cost.
  uint32_t old_pages(uint32_t unit) const;
  // Whole free units with a page that is aged and none that is recent (or either, with
  // `recent_too`), claimed: `pages` has a bit for each page. Returns how many, `max_pages` at most,
  // the highest first: takers come from below, and the rest is one run for them (preload.prefill).
  // Adds those to `undone` that were taken for a moment, see claim(): parts of units above 8.
  uint32_t claim_old(uint64_t (&pages)[8], uint32_t max_pages, uint32_t unit, bool recent_too,
                     uint64_t (&undone)[8]);
  // Gives such pages back; clean ones when `purged`. Returns how many that made clean.
  uint32_t give_pages(const uint64_t (&pages)[8], bool purged);

 private:
  static constexpr uint32_t kPageWords = kPages / kBits;
  using Word = std::atomic<uint64_t>;

  uint64_t dirty_word(uint32_t index) const {
    // acquire: pairs with the release in age_pages(): a page that is no longer recent is aged. A
    // bit was first set before the page became free.
    const uint64_t recent = recent_[index].load(std::memory_order_acquire);
    return recent | aged_[index].load(std::memory_order_relaxed);
  }
  // A bit for each page of a word of pages that is free, with all of its unit.
  uint64_t free_pages(uint32_t index, uint32_t unit) const;
  // The words that a run of bits has a part in, and its bits there.
  struct Words {
    Words(uint32_t start, uint32_t count)
        : first(start / kBits),
          last((start + count - 1) / kBits),
          first_mask(~uint64_t{0} << start % kBits),
          last_mask(~uint64_t{0} >> (kBits - 1 - (start + count - 1) % kBits)) {}
    uint64_t mask(uint32_t index) const {
      return (index == first ? first_mask : ~uint64_t{0}) &
             (index == last ? last_mask : ~uint64_t{0});
    }
    uint32_t first;
    uint32_t last;
    uint64_t first_mask;
    uint64_t last_mask;
  };
  static Words pages_of(uint32_t first, uint32_t grains) {
    const uint32_t page = first / kGrainsPerPage;
    return {page, (first + grains - 1) / kGrainsPerPage + 1 - page};
  }
  void put_back(uint32_t index, uint64_t bits) {
    // release: pairs with the acquire in claim(). seq_cst: pairs with word().
    free_[index].fetch_or(bits, std::memory_order_seq_cst);
  }

  Word free_[kWords];
  Word recent_[kPageWords];
  Word aged_[kPageWords];

 public:
  // By bucket: the words in which a free run of that length starts, or once started.
  Word starts[kMaxBuckets];
};
static_assert(sizeof(Chunk) == 640 + Chunk::kMaxBuckets * sizeof(uint64_t));

}  // namespace spillway::core

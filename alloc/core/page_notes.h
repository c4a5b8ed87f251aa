// SPDX-License-Identifier: MIT
// A word for each page of the heap's arena, for what few blocks have beside their entry
// (heap/watched.h). It exists in pieces, each made when a word of it is first written: a process
// that writes none has none, and address space that is limited is not reserved for it.
//
// The thread that owns the block which begins in a page may write the page's word. Thread-safe, no
// lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/base/index.h"

namespace spillway::core {

class PageNotes {
 public:
  // `offset` in the arena. False: the kernel has no memory for it. A system call for the first word
  // of each 256 MiB.
  [[nodiscard]] bool set(size_t offset, uint32_t note);
  // 0 where none was ever written.
  uint32_t get(size_t offset) const;
  // Address space that the pieces take.
  uint64_t bytes() const { return made_.load(std::memory_order_relaxed) * kPieceBytes; }
  // For tests.
  void release();

 private:
  static constexpr size_t kMaxArena = 1024 * kGiB;
  static constexpr size_t kPieceSpan = 256 * kMiB;  // of the arena
  static constexpr size_t kPieceWords = kPieceSpan >> kGranuleShift;
  static constexpr size_t kPieces = kMaxArena / kPieceSpan;
  static constexpr size_t kPieceBytes = kPieceWords * sizeof(uint32_t);

  // relaxed, all: a block and its note are handed on together, by the program while it is live.
  using Word = std::atomic<uint32_t>;
  Word* piece(size_t number);

  std::atomic<Word*> pieces_[kPieces] = {};
  std::atomic<uint64_t> made_{0};  // of them
};

}  // namespace spillway::core

// SPDX-License-Identifier: MIT
#include "alloc/core/page_notes.h"

#include "alloc/os/os.h"

namespace spillway::core {

// Made if there is none; null: it can't be.
PageNotes::Word* PageNotes::piece(size_t number) {
  // acquire: pairs with the release below; the memory is there.
  Word* seen = pieces_[number].load(std::memory_order_acquire);
  if (seen != nullptr) {
    return seen;
  }
  void* const made = os::reserve(kPieceBytes, os::Access::kReadWrite, nullptr);
  if (made == nullptr) {
    return nullptr;
  }
  // release: pairs with the acquires here and in get().
  if (pieces_[number].compare_exchange_strong(
          seen, static_cast<Word*>(made), std::memory_order_acq_rel, std::memory_order_acquire)) {
    made_.fetch_add(1, std::memory_order_relaxed);
    return static_cast<Word*>(made);
  }
  os::release(made, kPieceBytes);
  return seen;
}

bool PageNotes::set(size_t offset, uint32_t note) {
  const size_t page = offset >> kGranuleShift;
  const size_t number = page / kPieceWords;
  Word* const words = number < kPieces ? piece(number) : nullptr;
  if (words == nullptr) {
    return false;
  }
  words[page % kPieceWords].store(note, std::memory_order_relaxed);
  return true;
}

uint32_t PageNotes::get(size_t offset) const {
  const size_t page = offset >> kGranuleShift;
  const size_t number = page / kPieceWords;
  // acquire: pairs with the release in piece().
  const Word* const words =
      number < kPieces ? pieces_[number].load(std::memory_order_acquire) : nullptr;
  return words != nullptr ? words[page % kPieceWords].load(std::memory_order_relaxed) : 0;
}

void PageNotes::release() {
  for (std::atomic<Word*>& one : pieces_) {
    Word* const words = one.exchange(nullptr, std::memory_order_relaxed);
    if (words != nullptr) {
      os::release(words, kPieceBytes);
    }
  }
  made_.store(0, std::memory_order_relaxed);
}

}  // namespace spillway::core

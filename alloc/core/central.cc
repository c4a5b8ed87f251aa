// SPDX-License-Identifier: MIT
#include "alloc/core/central.h"

#include <algorithm>
#include <bit>

#include "alloc/base/check.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

constexpr uint32_t kLists = 2;

}  // namespace

size_t Central::bytes_needed(const SlotLayout& layout) {
  return kLists * Freelist::bytes_needed(layout.slots);
}

void Central::attach(Arena& arena, ClassIndex index, const SlotLayout& layout, void* memory) {
  arena_ = &arena;
  layout_ = layout;
  by_stride_ = Divider(layout.stride_granules);
  first_granule_ = raw(arena.first_granule(index));
  uint32_t lane = 0;
  for (Freelist* list : {&dirty_, &clean_}) {
    list->attach(memory, layout.slots, kLists, lane++);
  }
  growth_.attach(arena, index, layout);
}

uint32_t Central::take_some(uint32_t& hint, SlotIndex* out, uint32_t wanted) {
  uint32_t count = dirty_.take(hint, out, wanted);
  count = count != 0 ? count : clean_.take(hint, out, wanted);
  if (count == 0) {
    SlotIndex first{};
    count = growth_.take(wanted, first);
    for (uint32_t i = 0; i < count; ++i) {
      out[i] = SlotIndex{raw(first) + i};
    }
  }
  // A put() may have ended since the first look.
  return count != 0 ? count : dirty_.take(hint, out, wanted);
}

uint32_t Central::take(uint32_t& hint, void** out, uint32_t wanted) {
  SlotIndex slots[kMaxBatch];
  uint32_t done = 0;
  for (uint32_t taken = 1; taken != 0 && done < wanted; done += taken) {
    taken = take_some(hint, slots, std::min(wanted - done, kMaxBatch));
    std::transform(slots, slots + taken, out + done,
                   [this](SlotIndex slot) { return block_of(slot); });
  }
  return done;
}

void* Central::put(uint32_t& hint, void* const* blocks, uint32_t count) {
  SPILLWAY_DCHECK(count <= kMaxBatch);
  SlotIndex slots[kMaxBatch];
  SlotIndex duplicate = Freelist::kNoSlot;
  uint32_t kept = 0;
  const bool any_clean = !clean_.seems_empty();
  for (uint32_t i = 0; i < count; ++i) {
    slots[kept] = slot_of(blocks[i]);
    if (any_clean && clean_.contains(slots[kept])) {
      duplicate = slots[kept];
    } else {
      ++kept;
    }
  }
  if (kept != 0) {
    const SlotIndex in_dirty = dirty_.put(hint, slots, kept);
    duplicate = in_dirty != Freelist::kNoSlot ? in_dirty : duplicate;
  }
  return duplicate == Freelist::kNoSlot ? nullptr : block_of(duplicate);
}

bool Central::is_free(const void* block) const {
  const SlotIndex slot = slot_of(block);
  return dirty_.contains(slot) || clean_.contains(slot);
}

uint64_t Central::purge(uint32_t& cursor, uint64_t max_bytes, bool& refused) {
  const uint32_t word = dirty_.next_word(cursor);
  if (word == Freelist::kNoWord) {
    cursor = 0;
    return 0;
  }
  const auto max_slots = static_cast<uint32_t>(
      std::clamp<uint64_t>(max_bytes / slot_bytes(), 1, Freelist::kSlotsPerWord));
  in_hand_word_.set(word);
  const uint64_t claimed = dirty_.take_word(word, max_slots);
  in_hand_slots_.set(claimed);
  uint64_t done = 0;
  bool accepted = true;
  for (uint64_t left = claimed; left != 0;) {
    const auto first = static_cast<unsigned>(std::countr_zero(left));
    const auto count = static_cast<unsigned>(std::countr_one(left >> first));
    left &= ~(low_bits(count) << first);
    const SlotIndex slot{word * Freelist::kSlotsPerWord + first};
    uint64_t purged = 0;
    accepted = purge_run(slot, count, purged) && accepted;
    done |= purged << first;
  }
  refused = refused || !accepted;
  // First: a child that is forked between the two loses slots instead of having them twice.
  in_hand_slots_.set(0);
  order_for_signals();
  clean_.put_word(word, done);
  dirty_.put_word(word, claimed & ~done);
  // On to the next word when this one is done with, for better or worse.
  const bool rest = accepted && static_cast<uint32_t>(std::popcount(claimed)) == max_slots &&
                    max_slots < Freelist::kSlotsPerWord;
  cursor = rest ? word : word + 1;
  return static_cast<uint64_t>(std::popcount(done)) * slot_bytes();
}

void Central::recover_after_fork(bool purge_was_ours) {
  if (!purge_was_ours) {
    dirty_.put_word(in_hand_word_.get(), in_hand_slots_.get());
    in_hand_slots_.set(0);
  }
  for (Freelist* list : {&dirty_, &clean_}) {
    list->repair(growth_.taken());
  }
}

bool Central::purge_run(SlotIndex first, uint32_t count, uint64_t& purged) {
  const uint32_t from = raw(granule_of(first));
  const auto page = static_cast<uint32_t>(os::page_size() >> arena_->granule_shift());
  // Only whole pages can go, and only slots of which all pages went are clean.
  const auto low = static_cast<uint32_t>(align_up(from, page));
  const auto high = static_cast<uint32_t>(align_down(from + count * layout_.stride_granules, page));
  if (low >= high) {
    return true;
  }
  if (!arena_->purge(Granule{low}, high - low)) {
    return false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t start = from + i * layout_.stride_granules;
    if (start >= low && start + layout_.stride_granules <= high) {
      arena_->state(Granule{start}).store(SlotState::kClean);
      purged |= uint64_t{1} << i;
    }
  }
  return true;
}

uint32_t Central::start_hint(uint32_t newcomer) const {
  const auto words_in_use =
      static_cast<uint32_t>(divide_up(std::max(growth_.taken(), 1U), Freelist::kSlotsPerWord));
  // Multiples of the golden ratio: any number of newcomers in a row is spread evenly.
  constexpr uint32_t kGoldenRatio = 0x9e3779b1;
  return static_cast<uint32_t>((uint64_t{newcomer * kGoldenRatio} * words_in_use) >> 32);
}

}  // namespace spillway::core

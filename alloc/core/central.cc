#include "alloc/core/central.h"

#include <algorithm>
#include <bit>

#include "alloc/base/bits.h"
#include "alloc/base/check.h"
#include "alloc/base/owned_cell.h"
#include "alloc/os/os.h"

namespace spillway::core {
namespace {

constexpr uint32_t kLists = 3;

}  // namespace

size_t Central::bytes_needed(const ClassGeometry& geometry) {
  return kLists * Freelist::bytes_needed(geometry.slots) +
         align_up(Groups::bytes_needed(geometry.groups, geometry.slots), sizeof(uint64_t));
}

void Central::attach(Arena& arena, ClassIndex index, const ClassGeometry& geometry,
                     PoolSize& pool_size, void* memory) {
  arena_ = &arena;
  geometry_ = &geometry;
  first_granule_ = raw(arena.first_granule(index));
  uint32_t lane = 0;
  for (Freelist* list : {&warm_, &cool_, &clean_}) {
    list->attach(memory, geometry.slots, kLists, lane++);
  }
  groups_.attach(static_cast<char*>(memory) + kLists * Freelist::bytes_needed(geometry.slots),
                 geometry.groups);
  growth_.attach(arena, index, geometry, pool_size);
}

uint32_t Central::take_from_run(Client& client, SlotIndex* out, uint32_t wanted) {
  Run& run = client.run;
  if (run.left == 0) {
    const uint32_t left = growth_.take_group(run.next);
    if (client.holder != kNobody) {
      groups_.settle_run(run.next, left, client.holder);
    }
    run.left = left;
  }
  const uint32_t count = std::min(wanted, run.left);
  for (uint32_t i = 0; i < count; ++i) {
    out[i] = SlotIndex{raw(run.next) + i};
  }
  // Shorter before it moves on: a child that is forked between the two finds no more in it than
  // was there.
  run.left -= count;
  order_for_signals();
  run.next = SlotIndex{raw(run.next) + count};
  return count;
}

uint32_t Central::private_slots(Client& client, SlotIndex* out, uint32_t wanted) {
  if (client.holder == kNobody) {
    return 0;
  }
  const uint32_t count = warm_.take_private(client.hint, out, wanted, groups_, client.holder);
  return count != 0 ? count : cool_.take_private(client.hint, out, wanted, groups_, client.holder);
}

bool Central::rather_apart(const Client& client) const {
  if (!client.keeps_apart || !geometry_->groups.matters()) {
    return false;
  }
  const auto are_few = [](uint32_t taken, uint32_t clients, uint32_t needed) {
    return taken < clients * kFreePrivateRuns + needed / kPrivateRunShare;
  };
  return client.run.left != 0 ||
         (are_few(client.private_runs, 1, client.needed_runs) &&
          are_few(private_runs_.load(std::memory_order_relaxed), os::processors(),
                  needed_runs_.load(std::memory_order_relaxed)));
}

uint32_t Central::to_blocks(const SlotIndex* slots, uint32_t count, void** out) const {
  std::transform(slots, slots + count, out, [this](SlotIndex slot) { return block_of(slot); });
  return count;
}

uint32_t Central::take_private(Client& client, void** out, uint32_t wanted) {
  SPILLWAY_DCHECK(wanted <= kMostBatch);
  SlotIndex slots[kMostBatch];
  return to_blocks(slots, private_slots(client, slots, wanted), out);
}

uint32_t Central::take_used(Client& client, void** out, uint32_t wanted) {
  SPILLWAY_DCHECK(wanted <= kMostBatch);
  SlotIndex slots[kMostBatch];
  uint32_t count = private_slots(client, slots, wanted);
  for (Freelist* list : {&warm_, &cool_}) {
    count = count != 0 ? count : list->take(client.hint, slots, wanted);
  }
  return to_blocks(slots, count, out);
}

uint32_t Central::take_fresh(Client& client, void** out, uint32_t wanted, bool apart) {
  SPILLWAY_DCHECK(wanted <= kMostBatch);
  SlotIndex slots[kMostBatch];
  uint32_t count = 0;
  if (client.holder != kNobody) {
    count = clean_.take_private(client.hint, slots, wanted, groups_, client.holder);
    if (count == 0 && client.run.left != 0) {
      count = take_from_run(client, slots, wanted);
    }
  }
  if (count == 0) {
    count = clean_.take(client.hint, slots, wanted);
  }
  if (count == 0) {
    const bool new_run = client.run.left == 0;
    count = take_from_run(client, slots, wanted);
    if (new_run && count != 0) {
      ++(apart ? client.private_runs : client.needed_runs);
      (apart ? private_runs_ : needed_runs_).fetch_add(1, std::memory_order_relaxed);
    }
  }
  return to_blocks(slots, count, out);
}

void Central::put_run(Client& client) {
  while (client.run.left != 0) {
    --client.run.left;
    const SlotIndex slot{raw(client.run.next) + client.run.left};
    static_cast<void>(clean_.put(client.hint, &slot, 1));  // never there before: it was untouched
  }
}

void* Central::put(Client& client, void* const* blocks, uint32_t count) {
  SPILLWAY_DCHECK(count <= kMostBatch);
  SlotIndex slots[kMostBatch];
  SlotIndex duplicate = Freelist::kNoSlot;
  uint32_t kept = 0;
  const bool any_cool = !cool_.seems_empty();
  const bool any_clean = !clean_.seems_empty();
  for (uint32_t i = 0; i < count; ++i) {
    slots[kept] = slot_of(blocks[i]);
    if ((any_cool && cool_.contains(slots[kept])) || (any_clean && clean_.contains(slots[kept]))) {
      duplicate = slots[kept];
    } else {
      ++kept;
    }
  }
  if (kept != 0) {
    const SlotIndex in_warm = warm_.put(client.hint, slots, kept);
    duplicate = in_warm != Freelist::kNoSlot ? in_warm : duplicate;
  }
  return duplicate == Freelist::kNoSlot ? nullptr : block_of(duplicate);
}

bool Central::is_free(const void* block) const {
  const SlotIndex slot = slot_of(block);
  return warm_.contains(slot) || cool_.contains(slot) || clean_.contains(slot);
}

void Central::cool() {
  warm_.for_each_word([this](uint32_t word) { cool_.put_word(word, warm_.take_word(word)); });
}

uint64_t Central::purge(uint32_t& cursor, uint64_t most_bytes, bool& refused) {
  const uint32_t word = cool_.next_word(cursor);
  if (word == Freelist::kNoWord) {
    cursor = 0;
    return 0;
  }
  const uint64_t slot_bytes = uint64_t{geometry_->stride_granules} << arena_->granule_shift();
  const auto most_slots = static_cast<uint32_t>(
      std::clamp<uint64_t>(most_bytes / slot_bytes, 1, Freelist::kSlotsPerWord));
  in_hand_word_.set(word);
  const uint64_t claimed = cool_.take_word(word, most_slots);
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
  cool_.put_word(word, claimed & ~done);
  // On to the next word when this one is done with, for better or worse.
  const bool rest = accepted && static_cast<uint32_t>(std::popcount(claimed)) == most_slots &&
                    most_slots < Freelist::kSlotsPerWord;
  cursor = rest ? word : word + 1;
  return static_cast<uint64_t>(std::popcount(done)) * geometry_->block_size;
}

uint64_t Central::dirty_bytes_up_to(uint64_t most) {
  const auto wanted =
      static_cast<uint32_t>(std::min<uint64_t>(most / geometry_->block_size + 1, geometry_->slots));
  const uint32_t warm = warm_.count_up_to(wanted);
  const uint32_t both = warm < wanted ? warm + cool_.count_up_to(wanted - warm) : warm;
  return uint64_t{both} * geometry_->block_size;
}

void Central::recover_after_fork(bool purge_was_ours) {
  if (!purge_was_ours) {
    cool_.put_word(in_hand_word_.get(), in_hand_slots_.get());
    in_hand_slots_.set(0);
  }
  for (Freelist* list : {&warm_, &cool_, &clean_}) {
    list->repair(growth_.taken());
  }
}

bool Central::purge_run(SlotIndex first, uint32_t count, uint64_t& purged) {
  const uint32_t from = raw(granule_of(first));
  const auto page = static_cast<uint32_t>(os::page_size() >> arena_->granule_shift());
  // Only whole pages can go, and only slots of which all pages went are clean.
  const auto low = static_cast<uint32_t>(align_up(from, page));
  const auto high =
      static_cast<uint32_t>(align_down(from + count * geometry_->stride_granules, page));
  if (low >= high) {
    return true;
  }
  if (!arena_->purge(Granule{low}, high - low)) {
    return false;
  }
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t start = from + i * geometry_->stride_granules;
    if (start >= low && start + geometry_->stride_granules <= high) {
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

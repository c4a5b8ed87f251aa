// One class of an engine: its free slots by the state of their memory, and growth when there are
// none. The place where blocks, by which threads know them, become slots and back. Lock-free; any
// thread may call any member.
//
//              put                cool()              purge()
//   caches ----------> warm -----------------> cool -----------> clean
//     ^                 |   (once an interval)   |                 |
//     +------ take -----+------------------------+-----------------+---- untouched runs
//
// take() prefers what was freed last, so that what stays cool for an interval is what nobody needs.
#pragma once

#include <atomic>
#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/base/owned_cell.h"
#include "alloc/core/arena.h"
#include "alloc/core/freelist.h"
#include "alloc/core/geometry.h"
#include "alloc/core/groups.h"
#include "alloc/core/growth.h"

namespace spillway::core {

class Central {
 public:
  // Blocks moved per call, at most: half of the longest bin, and little of a small stack.
  static constexpr uint32_t kMostBatch = 128;

  // Bytes of zeroed memory that attach() needs.
  static size_t bytes_needed(const ClassGeometry& geometry);
  // `memory` is zero, aligned to 8, and stays for the object's life.
  void attach(Arena& arena, ClassIndex index, const ClassGeometry& geometry, PoolSize& pool_size,
              void* memory);

  // A run of neighbouring untouched slots that one thread hands out by itself, in address order.
  // Untouched slots cost no memory, so a run counts as free until its blocks are taken from it.
  struct Run {
    SlotIndex next{0};
    uint32_t left = 0;
  };

  // What a thread knows about its dealings with the class.
  struct Client {
    uint32_t hint = 0;  // see Freelist::take()
    Run run;
    Holder holder = kNobody;
    // Takes untouched slots rather than free ones among other threads' blocks: memory for speed, up
    // to a share of the runs that it took for want of anything else.
    bool keeps_apart = false;
    uint32_t private_runs = 0;
    uint32_t needed_runs = 0;
  };

  // Moves up to `wanted` (at most kMostBatch) free blocks to `out` and returns how many.
  // Those that have memory; with preference ones that the client shares no group with. 0: none has.
  uint32_t take_used(Client& client, void** out, uint32_t wanted);
  // The same, but only where it meets nobody.
  uint32_t take_private(Client& client, void** out, uint32_t wanted);
  // Those that will cost memory: clean ones, and untouched ones from the client's run, which is
  // refilled as needed. 0: the class is full. `apart`: although others are free.
  uint32_t take_fresh(Client& client, void** out, uint32_t wanted, bool apart = false);
  // Whether the client would rather take fresh blocks than ones among other threads'.
  bool rather_apart(const Client& client) const;

  // Gives what is left of a run to the freelist.
  void put_run(Client& client);

  // Gives blocks (at most kMostBatch) to the freelist. Returns one that was there already, a block
  // freed twice at the same time, or null.
  [[nodiscard]] void* put(Client& client, void* const* blocks, uint32_t count);

  // What was put before the last call but one and is still free is cool from now on. Costs two
  // read-modify-writes per 64 slots.
  void cool();
  // Gives memory of cool slots, at most about `most_bytes` and at least one slot, to the kernel;
  // they are clean then. Returns the bytes, 0 when nothing is cool. `cursor` is the caller's and
  // starts at 0. One caller at a time. When the kernel refuses, the slots stay cool and `refused`
  // is set.
  uint64_t purge(uint32_t& cursor, uint64_t most_bytes, bool& refused);

  // In a forked child: what a thread that did not come along left undone in the lists, and, if it
  // was in purge(), the slots it had in hand.
  void recover_after_fork(bool purge_was_ours);

  bool is_free(const void* block) const;
  // Slots taken into use so far, those in runs included.
  uint32_t grown() const { return growth_.taken(); }
  uint32_t committed() const { return growth_.committed(); }
  // Bytes of free slots with memory, but no more than `most` and a slot.
  uint64_t dirty_bytes_up_to(uint64_t most);
  uint32_t count_warm() const { return warm_.count(growth_.taken()); }
  uint32_t count_cool() const { return cool_.count(growth_.taken()); }
  uint32_t count_clean() const { return clean_.count(growth_.taken()); }
  uint32_t count_free() const { return count_warm() + count_cool() + count_clean(); }

  // A word of the freelist for a newcomer to start at: neighbours in number get distant ones.
  uint32_t start_hint(uint32_t newcomer) const;

  // Of a sealed arena, see Engine::give_up_untouched(): where its committed slots begin and end.
  Granule committed_start() const { return Granule{first_granule_}; }
  Granule committed_end() const {
    return Granule{first_granule_ + growth_.committed() * geometry_->stride_granules};
  }

  bool has_slot(Granule granule) const {
    return raw(granule) >= first_granule_ && raw(slot_of(granule)) < geometry_->slots;
  }
  // The slot that a granule of this class belongs to, and where slots and their blocks start.
  SlotIndex slot_of(Granule granule) const {
    return SlotIndex{geometry_->by_stride.divide(raw(granule) - first_granule_)};
  }
  Granule granule_of(SlotIndex slot) const {
    return Granule{first_granule_ + raw(slot) * geometry_->stride_granules};
  }
  void* block_of(SlotIndex slot) const {
    return static_cast<char*>(arena_->address(granule_of(slot))) + geometry_->colour(slot);
  }
  const ClassGeometry& geometry() const { return *geometry_; }

 private:
  // Runs that a client may take although blocks are free: so many, and a share of those it needed.
  // All clients together not more than if there were one for each processor: of many threads few
  // are at work, and blocks that the others cache in shared lines disturb nobody.
  static constexpr uint32_t kFreePrivateRuns = 8;
  static constexpr uint32_t kPrivateRunShare = 4;

  SlotIndex slot_of(const void* block) const {
    return slot_of(arena_->granule_at(arena_->offset(block)));
  }
  uint32_t take_from_run(Client& client, SlotIndex* out, uint32_t wanted);
  uint32_t private_slots(Client& client, SlotIndex* out, uint32_t wanted);
  uint32_t to_blocks(const SlotIndex* slots, uint32_t count, void** out) const;
  // Sets bit i of `purged` when slot first + i is clean now; false when the kernel refuses.
  bool purge_run(SlotIndex first, uint32_t count, uint64_t& purged);

  Arena* arena_ = nullptr;
  const ClassGeometry* geometry_ = nullptr;
  uint32_t first_granule_ = 0;
  Freelist warm_;   // freed lately
  Freelist cool_;   // free for an interval and longer
  Freelist clean_;  // without memory: reads as zero
  Groups groups_;
  Growth growth_;
  // Slots out of the lists for their purge, by word and bit.
  OwnedCell<uint32_t> in_hand_word_;
  OwnedCell<uint64_t> in_hand_slots_;
  // Of all clients there were. relaxed, both: counts that order nothing.
  std::atomic<uint32_t> private_runs_{0};
  std::atomic<uint32_t> needed_runs_{0};
};

}  // namespace spillway::core

// SPDX-License-Identifier: MIT
#include "alloc/core/page_heap.h"

#include <algorithm>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

// The wide area's share of the arena.
constexpr size_t kWideShare = 4;

}  // namespace

bool PageHeap::start(const Config& config) {
  if (!arena_.reserve(config.max_bytes, config.min_bytes)) {
    return false;
  }
  const size_t wide_bytes = WideSlots::area_bytes(arena_.bytes() / kWideShare);
  chunk_count_ = static_cast<uint32_t>((arena_.bytes() - wide_bytes) >> kChunkShift);
  if (wide_bytes != 0) {
    chunk_count_ -= chunk_count_ % 2;  // wide slots begin at lines that this tells them
  }
  const size_t run_bytes = RunIndex::bytes_needed(chunk_count_);
  const size_t spill_bytes = (config.block_sizes.size() + 1) * sizeof(SpillFreelist);
  index_bytes_ =
      align_up(spill_bytes + run_bytes + WideSlots::bytes_needed(wide_bytes), os::page_size());
  index_memory_ = os::reserve(index_bytes_, os::Access::kReadWrite, nullptr);
  chunks_bytes_ = align_up((chunk_count_ + 1) * sizeof(Chunk), os::page_size());
  chunks_ = static_cast<Chunk*>(os::reserve(chunks_bytes_, os::Access::kNone, nullptr));
  if (index_memory_ == nullptr || chunks_ == nullptr) {
    stop();
    return false;
  }
  max_run_bytes_ = std::min(config.max_run_bytes, (size_t{chunk_count_} << kChunkShift) / 2);
  for (const uint32_t size : config.block_sizes) {
    const bool coloured = size >= config.coloured_from;
    block_size_[++class_count_] = size;
    run_[class_count_] = static_cast<uint16_t>((size >> kGrainShift) + (coloured ? 1 : 0));
    first_coloured_ = coloured ? std::min(first_coloured_, class_count_) : first_coloured_;
  }
  // Two buckets for each class: runs as long as its blocks, which leave nothing behind, and those
  // up to the next class. Above the classes in eighths of a chunk.
  uint16_t lengths[Chunk::kMaxBuckets];
  uint32_t buckets = 0;
  const auto add_bucket = [&](uint32_t length) {
    if (buckets == 0 || length > lengths[buckets - 1]) {
      SPILLWAY_DCHECK(buckets < Chunk::kMaxBuckets);
      lengths[buckets++] = static_cast<uint16_t>(length);
    }
  };
  for (uint32_t i = 1; i <= class_count_; ++i) {
    add_bucket(run_[i]);
    add_bucket(run_[i] + 1U);
  }
  for (uint32_t length = kGrainsPerChunk / 8; length <= kGrainsPerChunk;
       length += kGrainsPerChunk / 8) {
    add_bucket(length);
  }
  // All three start from zeroed memory.
  auto* const memory = static_cast<char*>(index_memory_);
  spilled_ = reinterpret_cast<SpillFreelist*>(memory);
  index_.attach(memory + spill_bytes, chunks_, chunk_count_, std::span(lengths, buckets));
  wide_.attach(arena_, Granule{chunk_count_ * Chunk::kPages}, wide_bytes,
               memory + spill_bytes + run_bytes);
  return true;
}

void PageHeap::stop() {
  if (index_memory_ != nullptr) {
    os::release(index_memory_, index_bytes_);
    index_memory_ = nullptr;
  }
  if (chunks_ != nullptr) {
    os::release(chunks_, chunks_bytes_);
    chunks_ = nullptr;
  }
  arena_.release();
}

size_t PageHeap::colour(ClassIndex index, uint32_t grain) const {
  if (raw(index) < first_coloured_) {
    return 0;
  }
  // Neighbours start a grain, and a line after eight of them, further in their pages than the ones
  // before.
  constexpr uint32_t kLinesPerGrain = kGrainSize / kLineSize;
  return size_t{grain / (run_[raw(index)] * Chunk::kGrainsPerPage) % kLinesPerGrain} << kLineShift;
}

uint32_t PageHeap::clean_grains(uint32_t grain, uint32_t grains) const {
  uint32_t clean = 0;
  for (uint32_t done = 0; done < grains;) {
    const uint32_t inside = (grain + done) % kGrainsPerChunk;
    const uint32_t here = std::min(grains - done, kGrainsPerChunk - inside);
    clean += chunks_[chunk_of(grain + done)].clean_grains(inside, here);
    done += here;
  }
  return clean;
}

uint32_t PageHeap::note_taken(uint32_t grain, uint32_t grains) {
  const uint32_t clean = clean_grains(grain, grains);
  if (clean != 0) {
    fresh_bytes_.fetch_add(offset_of(clean), std::memory_order_relaxed);
  }
  return grains - clean;
}

uint32_t PageHeap::take(ClassIndex index, const uint32_t& who, void** out, uint32_t wanted) {
  SpillFreelist& spilled = spilled_[raw(index)];
  const uint32_t count = spilled.take(out, wanted);
  for (uint32_t i = 0; i < count; ++i) {
    arena_.state_at(arena_.offset(out[i])).store(SlotState::kFree);
  }
  if (count != 0) {
    return count;
  }
  if (spilled.wants_room(who)) {
    add_spill_room(index, wanted);
  }
  return take_fresh(index, out, wanted);
}

void* PageHeap::hand_out(ClassIndex index, uint32_t grain, size_t colour, uint32_t& reused) {
  const size_t offset = offset_of(grain) + colour;
  PageEntry& entry = arena_.entry_at(offset);
  const uint32_t with_memory = note_taken(grain, run_[raw(index)]);
  entry.state.store(with_memory == 0 ? SlotState::kClean : SlotState::kFree);
  reused += with_memory;
  entry.set_class(index);
  return arena_.at(offset);
}

uint32_t PageHeap::take_fresh(ClassIndex index, void** out, uint32_t wanted) {
  const uint32_t grains = run_[raw(index)];
  uint32_t count = 0;
  const uint32_t first = take_run(grains, 1, wanted, count);
  if (first == kNoGrain) {
    return 0;
  }
  uint32_t reused = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t grain = first + i * grains;
    out[i] = hand_out(index, grain, colour(index, grain), reused);
  }
  note_reused(reused);
  return count;
}

void* PageHeap::put(ClassIndex index, const uint32_t& who, void* const* blocks, uint32_t count) {
  void* kept[kMaxBatch];
  kept[0] = nullptr;
  uint32_t dirty = 0;
  void* twice = nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    const SlotState before =
        arena_.state_at(arena_.offset(blocks[i])).exchange(SlotState::kSpilled);
    if (before == SlotState::kSpilled) {
      twice = blocks[i];
    } else if (before == SlotState::kClean) {
      // Counted when it was taken, and again when it is taken the next time; but for those whose
      // page a neighbour made dirty meanwhile.
      const uint32_t clean = clean_grains(grain_at(arena_.offset(blocks[i])), run_[raw(index)]);
      fresh_bytes_.fetch_sub(offset_of(clean), std::memory_order_relaxed);
      twice = give_block(index, blocks[i], false) ? twice : blocks[i];
    } else {
      kept[dirty++] = blocks[i];
    }
  }
  for (uint32_t i = spilled_[raw(index)].put(kept, dirty, who); i < dirty; ++i) {
    twice = give_block(index, kept[i], true) ? twice : kept[i];
  }
  return twice;
}

bool PageHeap::give_block(ClassIndex index, const void* block, bool dirty) {
  return give(grain_at(arena_.offset(block)), run_[raw(index)], dirty);
}

void PageHeap::add_spill_room(ClassIndex index, uint32_t blocks) {
  const uint64_t size = block_size_[raw(index)];
  const uint64_t max_room = kMinSpillRoom + size_bytes() / kSpillShare;
  // relaxed: a count. What one adds beyond is taken back at once.
  const uint64_t room = spill_room_.fetch_add(blocks * size, std::memory_order_relaxed);
  uint32_t added = room + blocks * size <= max_room ? spilled_[raw(index)].add_room(blocks) : 0;
  spill_room_.fetch_sub((blocks - added) * size, std::memory_order_relaxed);
}

uint64_t PageHeap::give_spilled(ClassIndex index, uint32_t blocks) {
  SpillFreelist& spilled = spilled_[raw(index)];
  const uint64_t size = block_size_[raw(index)];
  void* taken[SpillFreelist::kMaxBlocks];
  const uint32_t count = spilled.take(taken, std::min(blocks, SpillFreelist::kMaxBlocks));
  for (uint32_t i = 0; i < count; ++i) {
    give_block(index, taken[i], true);
  }
  spill_room_.fetch_sub(spilled.take_room(count) * size, std::memory_order_relaxed);
  return count * size;
}

uint64_t PageHeap::empty_spill_freelists() {
  uint64_t bytes = 0;
  for_each_spilled(
      [&](ClassIndex index) { bytes += give_spilled(index, SpillFreelist::kMaxBlocks); });
  return bytes;
}

void* PageHeap::take_aligned(ClassIndex index, size_t alignment) {
  const uint32_t grains = run_[raw(index)];
  const auto aligned = static_cast<uint32_t>(std::max(alignment >> kGrainShift, size_t{1}));
  uint32_t count = 0;
  const uint32_t grain = take_run(grains, aligned, 1, count);
  if (grain == kNoGrain) {
    return nullptr;
  }
  uint32_t reused = 0;
  void* const block = hand_out(index, grain, 0, reused);
  note_reused(reused);
  return block;
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

// SPDX-License-Identifier: MIT
#include "alloc/core/page_heap.h"

#include <algorithm>
#include <bit>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

// Entries without room for an aligned run that are looked at before a run is taken that is longer
// by the alignment.
constexpr uint32_t kMaxAlignedLooks = 16;
// Runs of the last bucket that are compared.
constexpr uint32_t kMaxLongLooks = 16;

}  // namespace

uint32_t PageHeap::free_beyond(uint32_t grain, uint32_t max_grains) const {
  uint32_t count = Chunk::kBits - grain % Chunk::kBits;
  uint32_t index = grain / Chunk::kBits % Chunk::kWords + 1;
  const Chunk* chunk = &chunks_[chunk_of(grain)];
  const uint64_t next = index < Chunk::kWords ? chunk->word(index) : ~uint64_t{0};
  if (next != ~uint64_t{0}) {
    return count + static_cast<uint32_t>(std::countr_one(next));
  }
  for (; count < max_grains; index = 0, ++chunk) {
    const uint32_t words = static_cast<uint32_t>(divide_up(max_grains - count, Chunk::kBits));
    const uint32_t end = std::min(Chunk::kWords, index + words);
    const uint32_t full = chunk->full_words(index, end);
    count += full * Chunk::kBits;
    if (index + full < end) {
      return count + static_cast<uint32_t>(std::countr_one(chunk->word(index + full)));
    }
  }
  return count;
}

uint32_t PageHeap::free_before(uint32_t grain, uint32_t max_grains) const {
  uint32_t at = grain / Chunk::kBits;
  const uint32_t inside = grain % Chunk::kBits;
  uint32_t count = 0;
  if (inside != 0) {
    const uint64_t bits = word(at) << (Chunk::kBits - inside);
    count = std::min(static_cast<uint32_t>(std::countl_one(bits)), inside);
    if (count < inside) {
      return count;
    }
  }
  for (; at > 0 && count < max_grains; count += Chunk::kBits) {
    const uint64_t bits = word(--at);
    if (bits != ~uint64_t{0}) {
      return count + static_cast<uint32_t>(std::countl_one(bits));
    }
  }
  return count;
}

void PageHeap::index(Run run) {
  if (run.length >= index_.min_length()) {
    index_.add(index_.bucket_of(run.length), run.start / Chunk::kBits);
  }
}

template <typename Accepts>
PageHeap::Run PageHeap::find_start(uint32_t word, uint32_t max_grains, Accepts accepts) const {
  for (uint64_t starts = starts_in(word); starts != 0; starts &= starts - 1) {
    const uint32_t start = word * Chunk::kBits + static_cast<uint32_t>(std::countr_zero(starts));
    const Run run{start, free_from(start, max_grains)};
    if (accepts(run)) {
      return run;
    }
  }
  return {};
}

PageHeap::Run PageHeap::find_in(RunIndex::Entry entry, uint32_t grains, uint32_t alignment,
                                bool& any) const {
  const uint32_t max_grains = std::max(grains + alignment - 1, RunIndex::kMaxLength);
  Run best;
  any = false;
  find_start(entry.word, max_grains, [&](Run run) {
    if (run.length >= index_.min_length() && index_.bucket_of(run.length) == entry.bucket) {
      any = true;
      if (has_room(run, grains, alignment) &&
          (best.start == kNoGrain || run.length < best.length)) {
        best = run;
      }
    }
    return false;
  });
  return best;
}

PageHeap::Run PageHeap::find_quickly(uint32_t grains) {
  const uint32_t min_bucket = index_.bucket_for(grains);
  for (uint32_t from = min_bucket;;) {
    const RunIndex::Entry entry = index_.next_quickly(from);
    if (entry.bucket == RunIndex::kNone) {
      return {};
    }
    const Run found = find_start(entry.word, RunIndex::kMaxLength, [&](Run run) {
      // Runs below the shortest bucket's have none.
      return run.length >= grains && index_.bucket_of(run.length) == entry.bucket;
    });
    if (found.start != kNoGrain) {
      return found;
    }
    from = std::min(entry.bucket, remove_entry(entry, min_bucket));
  }
}

PageHeap::Run PageHeap::find(uint32_t grains, uint32_t alignment) {
  if (alignment == 1 && grains < RunIndex::kMaxLength && index_.is_small()) {
    const Run run = find_quickly(grains);
    if (run.start != kNoGrain) {
      return run;
    }
  }
  uint32_t min_bucket = index_.bucket_for(grains);
  RunIndex::Entry entry{min_bucket, 0};
  Run best;
  uint32_t looks = 0;
  for (;;) {
    entry = index_.next(entry);
    if (entry.bucket == RunIndex::kNone) {
      return best;
    }
    bool any = false;
    const Run run = find_in(entry, grains, alignment, any);
    if (!any) {
      entry.bucket = std::min(entry.bucket, remove_entry(entry, min_bucket));
      continue;
    }
    const bool last = entry.bucket + 1 == index_.bucket_count() && grains >= RunIndex::kMaxLength;
    if (run.start != kNoGrain && (best.start == kNoGrain || run.length < best.length)) {
      best = run;
    }
    // In the last bucket runs are of all lengths.
    if (best.start != kNoGrain && (!last || ++looks == kMaxLongLooks)) {
      return best;
    }
    ++entry.word;
    if (!last && ++looks == kMaxAlignedLooks) {
      min_bucket = index_.bucket_for(grains + alignment - 1);
      entry = min_bucket > entry.bucket ? RunIndex::Entry{min_bucket, 0} : entry;
    }
  }
}

PageHeap::Run PageHeap::search(uint32_t grains, uint32_t alignment) {
  constexpr uint32_t kGrownShare = 8;
  const uint32_t chunks = frontier();
  // relaxed, all: hints.
  const uint32_t searched = searched_.load(std::memory_order_relaxed);
  const bool grown = chunks - std::min(chunks, searched) >= searched / kGrownShare;
  // Where none had room for less, or none was so long.
  const uint32_t vain_grains = searched_for_.load(std::memory_order_relaxed);
  const uint32_t vain_alignment = searched_alignment_.load(std::memory_order_relaxed);
  if (!grown && grains >= vain_grains &&
      (alignment >= vain_alignment || grains >= vain_grains + vain_alignment - 1)) {
    return {};
  }
  const uint32_t max_grains = std::max(grains + alignment - 1, RunIndex::kMaxLength);
  for (uint32_t at = 0; at < chunks * Chunk::kWords; ++at) {
    const Run found =
        find_start(at, max_grains, [&](Run run) { return has_room(run, grains, alignment); });
    if (found.start != kNoGrain) {
      return found;
    }
  }
  searched_.store(chunks, std::memory_order_relaxed);
  searched_for_.store(grains, std::memory_order_relaxed);
  searched_alignment_.store(alignment, std::memory_order_relaxed);
  return {};
}

uint32_t PageHeap::take_run(uint32_t grains, uint32_t alignment, uint32_t max_count,
                            uint32_t& count) {
  for (;;) {
    Run run = find(grains, alignment);
    if (run.start == kNoGrain) {
      // New chunks are the last resort.
      if (empty_spill_freelists() != 0) {
        continue;
      }
      const uint32_t end = frontier() * kGrainsPerChunk;
      const uint32_t room = grains + alignment - 1;
      const uint32_t before = free_before(end, std::max(room, RunIndex::kMaxLength));
      if (before >= room) {
        // The run at the end has no entry while another thread is between its claim() in front and
        // what follows, which may take long.
        const uint32_t start = align_grain(end - before, alignment);
        count = std::min(max_count, (end - start) / grains);
        if (claim(start, count * grains)) {
          join(start, 0);
          return start;
        }
        continue;
      }
      // Nor do others, for as long as their threads take to give or to claim.
      run = search(grains, alignment);
      if (run.start == kNoGrain) {
        return take_new(grains, alignment, max_count, count);
      }
    }
    const uint32_t start = align_grain(run.start, alignment);
    const uint32_t lost = start - run.start;
    const uint32_t room = run.length - lost;
    count = max_count == 1 || room < 2 * grains ? 1 : std::min(max_count, room / grains);
    if (claim_of(run, lost, count * grains)) {
      return start;
    }
  }
}

uint32_t PageHeap::take_part_of_run(uint32_t grains, uint32_t room) {
  // Of the room, what may be without memory; arbitrary.
  constexpr uint32_t kCleanShare = 8;
  const Run run = find(room, 1);
  if (run.start == kNoGrain || clean_grains(run.start, room) > room / kCleanShare) {
    return kNoGrain;
  }
  return claim_of(run, 0, grains) ? run.start : kNoGrain;
}

bool PageHeap::claim_of(Run run, uint32_t lost, uint32_t grains) {
  const uint32_t start = run.start + lost;
  // What will be left is known before it is a run of its own: others that look for one while this
  // thread is about to make it, which may take long, would find none.
  const Run left{start + grains, run.length - lost - grains};
  index(left);
  if (!claim_only(start, grains)) {
    return false;
  }
  index({run.start, lost});
  // Its entry may be gone again, and the run be longer or shorter by now.
  index({left.start, free_from(left.start, RunIndex::kMaxLength)});
  if (lost == 0 && starts_in(start / Chunk::kBits) == 0) {
    remove_entry({index_.bucket_of(run.length), start / Chunk::kBits});
  }
  return true;
}

bool PageHeap::claim_only(uint32_t grain, uint32_t grains) {
  for (uint32_t done = 0; done < grains;) {
    const uint32_t inside = (grain + done) % kGrainsPerChunk;
    const uint32_t here = std::min(grains - done, kGrainsPerChunk - inside);
    const uint32_t number = chunk_of(grain + done);
    uint32_t undone = 0;
    if (number >= frontier() || !chunks_[number].claim(inside, here, undone)) {
      if (undone != 0) {
        join(grain + done, undone);
      }
      if (done != 0) {
        static_cast<void>(give(grain, done, false));
      }
      return false;
    }
    done += here;
  }
  return true;
}

bool PageHeap::claim(uint32_t grain, uint32_t grains) {
  const uint32_t behind = grain + grains;
  if (!claim_only(grain, grains)) {
    return false;
  }
  index({behind, free_from(behind, RunIndex::kMaxLength)});
  return true;
}

bool PageHeap::give(uint32_t grain, uint32_t grains, bool dirty) {
  bool once = true;
  for (uint32_t done = 0; done < grains;) {
    const uint32_t inside = (grain + done) % kGrainsPerChunk;
    const uint32_t here = std::min(grains - done, kGrainsPerChunk - inside);
    Chunk& chunk = chunks_[chunk_of(grain + done)];
    const uint32_t beside = dirty ? chunk.mark_dirty(inside, here) : 0;
    if (beside != 0) {
      fresh_bytes_.fetch_add(offset_of(beside), std::memory_order_relaxed);
    }
    once = chunk.give(inside, here) && once;
    done += here;
  }
  join(grain, grains);
  return once;
}

void PageHeap::join(uint32_t grain, uint32_t grains) {
  const uint32_t end = grain + grains;
  const uint32_t before = free_before(grain, RunIndex::kMaxLength);
  // A run that is longer than this in front is of the last bucket already, and stays where it
  // starts.
  const bool is_known = before >= RunIndex::kMaxLength;
  const uint32_t length = free_from(grain, is_known ? grains : grains + RunIndex::kMaxLength);
  if (length < grains) {
    // A part was taken before all of it was free: its taker did not see what lies behind.
    index_word((grain - before) / Chunk::kBits);
    for (uint32_t at = grain / Chunk::kBits; at <= end / Chunk::kBits; ++at) {
      index_word(at);
    }
    return;
  }
  if (is_known) {
    return;
  }
  const uint32_t behind = length - grains;
  index({grain - before, before + grains + behind});
  // The entries of the two runs it was made of go at once, where that is plain.
  if (behind >= index_.min_length() && starts_in(end / Chunk::kBits) == 0) {
    remove_entry({index_.bucket_of(behind), end / Chunk::kBits});
  }
  const uint32_t start = grain - before;
  if (before >= index_.min_length() &&
      index_.bucket_of(before) != index_.bucket_of(before + grains + behind) &&
      (starts_in(start / Chunk::kBits) & ~(uint64_t{1} << (start % Chunk::kBits))) == 0) {
    remove_entry({index_.bucket_of(before), start / Chunk::kBits});
  }
}

uint32_t PageHeap::remove_entry(RunIndex::Entry entry, uint32_t min_bucket) {
  index_.remove(entry.bucket, entry.word);
  return index_word(entry.word, min_bucket);
}

uint32_t PageHeap::index_word(uint32_t at, uint32_t min_bucket) {
  uint32_t lowest = RunIndex::kNone;
  find_start(at, RunIndex::kMaxLength, [&](Run run) {
    if (run.length >= index_.min_length()) {
      const uint32_t bucket = index_.bucket_of(run.length);
      index_.add(bucket, at);
      lowest = bucket >= min_bucket ? std::min(lowest, bucket) : lowest;
    }
    return false;
  });
  return lowest;
}

// Out of the new chunks at once: while another thread is between its claim() and what follows, the
// run in front has no entry, and one that was joined with it would not be found either.
uint32_t PageHeap::take_new(uint32_t grains, uint32_t alignment, uint32_t max_count,
                            uint32_t& count) {
  // Beside what is free at the end of the last chunk; a run that is aligned starts in the first new
  // one.
  const uint32_t end = frontier() * kGrainsPerChunk;
  uint32_t tail = alignment == 1 ? free_before(end, grains) : 0;
  tail = tail < grains ? tail : 0;
  for (;;) {
    const auto chunks = static_cast<uint32_t>(divide_up(grains - tail, kGrainsPerChunk));
    const uint32_t first = grow(chunks);
    if (first == kNoChunk) {
      return kNoGrain;
    }
    uint32_t start = first * kGrainsPerChunk;
    uint32_t length = chunks * kGrainsPerChunk;
    if (tail != 0 && start == end && claim(start - tail, tail)) {
      start -= tail;
      length += tail;
    }
    if (length >= grains) {
      count = std::min(max_count, length / grains);
      const uint32_t taken = count * grains;
      if (taken != length) {
        static_cast<void>(give(start + taken, length - taken, false));
      }
      return start;
    }
    // Another thread was quicker.
    static_cast<void>(give(start, length, false));
    tail = 0;
  }
}

}  // namespace spillway::core

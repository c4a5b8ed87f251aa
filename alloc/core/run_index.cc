// SPDX-License-Identifier: MIT
#include "alloc/core/run_index.h"

#include <algorithm>
#include <bit>

#include "alloc/base/check.h"

namespace spillway::core {

size_t RunIndex::bytes_needed(uint32_t chunks) {
  const size_t one = divide_up(chunks, kBits);
  return (one + divide_up(one, kBits)) * Chunk::kMaxBuckets * sizeof(Word);
}

void RunIndex::attach(void* memory, Chunk* chunks, uint32_t count,
                      std::span<const uint16_t> min_lengths) {
  SPILLWAY_DCHECK(min_lengths.size() <= Chunk::kMaxBuckets);
  chunks_ = chunks;
  bucket_count_ = static_cast<uint32_t>(min_lengths.size());
  min_length_ = min_lengths[0];
  one_count_ = static_cast<uint32_t>(divide_up(count, kBits));
  level_two_ = static_cast<Word*>(memory);
  level_one_ = level_two_ + divide_up(one_count_, kBits) * Chunk::kMaxBuckets;
  // Shorter lengths are of the first bucket, too: zero, as the table starts.
  for (uint32_t bucket = 1; bucket < bucket_count_; ++bucket) {
    const uint32_t end = bucket + 1 < bucket_count_ ? min_lengths[bucket + 1] : kMaxLength + 1;
    std::fill(&bucket_of_[min_lengths[bucket]], bucket_of_ + end, static_cast<uint8_t>(bucket));
  }
}

bool RunIndex::set(Word& word, uint64_t bits) {
  // seq_cst, both: after the caller's change one level below; pairs with the retire functions,
  // which clear first and then look there.
  return (word.load(std::memory_order_seq_cst) & bits) != bits &&
         word.fetch_or(bits, std::memory_order_seq_cst) == 0;
}

void RunIndex::mark(uint32_t bucket, uint32_t chunk) {
  const uint32_t index = chunk / kBits;
  uint32_t used = max_used_.load(std::memory_order_relaxed);
  while (used < chunk && !max_used_.compare_exchange_weak(used, chunk, std::memory_order_relaxed)) {
  }
  if (set(one(bucket, index), bit(chunk)) && set(two(bucket, index / kBits), bit(index))) {
    set(top_[bucket / kBits], bit(bucket));
  }
}

void RunIndex::add_new(uint32_t bucket, uint32_t word) {
  const uint32_t chunk = word / kBits;
  // seq_cst: as in add(), and before mark() looks above.
  if (chunks_[chunk].starts[bucket].fetch_or(bit(word), std::memory_order_seq_cst) == 0) {
    mark(bucket, chunk);
  }
}

// A thread that meets a bit left behind clears it, as with entries.
void RunIndex::retire_chunk(uint32_t bucket, uint32_t chunk) {
  const uint32_t index = chunk / kBits;
  // seq_cst, all: clear, then look below; pairs with set().
  const uint64_t left = one(bucket, index).fetch_and(~bit(chunk), std::memory_order_seq_cst);
  if (chunks_[chunk].starts[bucket].load(std::memory_order_seq_cst) != 0) {
    mark(bucket, chunk);
  } else if ((left & ~bit(chunk)) == 0) {
    two(bucket, index / kBits).fetch_and(~bit(index), std::memory_order_seq_cst);
    if (one(bucket, index).load(std::memory_order_seq_cst) != 0 &&
        set(two(bucket, index / kBits), bit(index))) {
      set(top_[bucket / kBits], bit(bucket));
    }
  }
}

bool RunIndex::has_any(uint32_t bucket) const {
  // All words: max_used_ may miss a chunk that another thread marks at this moment.
  // seq_cst: after retire_bucket() cleared the level above; pairs with a mark, which sets here
  // first.
  for (uint32_t index = 0; index * kBits < one_count_; ++index) {
    if (two(bucket, index).load(std::memory_order_seq_cst) != 0) {
      return true;
    }
  }
  return false;
}

void RunIndex::retire_bucket(uint32_t bucket) {
  // seq_cst, all: as retire_chunk().
  top_[bucket / kBits].fetch_and(~bit(bucket), std::memory_order_seq_cst);
  if (has_any(bucket)) {
    set(top_[bucket / kBits], bit(bucket));
  }
}

uint32_t RunIndex::next_chunk(uint32_t bucket, uint32_t from) const {
  // relaxed, both: as next_quickly().
  uint32_t index = from / kBits;
  if (index >= one_count_) {
    return kNone;
  }
  uint64_t bits = one(bucket, index).load(std::memory_order_relaxed) & ~low_bits(from % kBits);
  for (uint32_t skipped = (++index) % kBits, above = index / kBits; bits == 0;
       ++above, skipped = 0) {
    if (above >= words_of_level_two()) {
      return kNone;
    }
    uint64_t words = two(bucket, above).load(std::memory_order_relaxed) & ~low_bits(skipped);
    for (; words != 0 && bits == 0; words &= words - 1) {
      index = above * kBits + static_cast<uint32_t>(std::countr_zero(words)) + 1;
      bits = one(bucket, index - 1).load(std::memory_order_relaxed);
    }
  }
  return (index - 1) * kBits + static_cast<uint32_t>(std::countr_zero(bits));
}

RunIndex::Entry RunIndex::next(Entry from) {
  for (uint32_t bucket = next_bucket(from.bucket); bucket != kNone;
       bucket = next_bucket(bucket + 1)) {
    uint32_t word = bucket == from.bucket ? from.word : 0;
    for (;;) {
      const uint32_t chunk = next_chunk(bucket, word / kBits);
      if (chunk == kNone) {
        break;
      }
      const uint32_t skipped = chunk == word / kBits ? word % kBits : 0;
      // relaxed: as next_quickly().
      const uint64_t starts = chunks_[chunk].starts[bucket].load(std::memory_order_relaxed);
      const uint64_t left = starts & ~low_bits(skipped);
      if (left != 0) {
        return {bucket, chunk * kBits + static_cast<uint32_t>(std::countr_zero(left))};
      }
      if (starts == 0) {
        retire_chunk(bucket, chunk);
      }
      word = (chunk + 1) * kBits;
    }
    if (!has_any(bucket)) {
      retire_bucket(bucket);
    }
  }
  return {kNone, 0};
}

void RunIndex::repair(uint32_t chunks) {
  for (uint32_t chunk = 0; chunk < chunks; ++chunk) {
    for (uint32_t bucket = 0; bucket < bucket_count_; ++bucket) {
      // relaxed: the only thread there is.
      if (chunks_[chunk].starts[bucket].load(std::memory_order_relaxed) != 0) {
        const uint32_t index = chunk / kBits;
        mark(bucket, chunk);
        set(two(bucket, index / kBits), bit(index));
        set(top_[bucket / kBits], bit(bucket));
      }
    }
  }
}

}  // namespace spillway::core

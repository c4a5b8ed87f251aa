// SPDX-License-Identifier: MIT
// The free runs of the heap's arena by length: where the page heap looks for memory. A request is
// served from the lowest bucket that has room for it and there from the lowest address (best fit by
// eighths, address-ordered; Wilson et al., IWMM 1995, found both dense), so that long runs stay
// what they are for as long as shorter ones are left.
//
// An entry is a bucket and a word of 64 grains in which a run of that bucket starts:
//
//   level 0   a bit a word, in the chunk (Chunk::starts)
//   level 1   a bit a chunk that has entries
//   level 2   a bit a word of level 1
//   top       a bit a bucket
//
// Runs join and are cut without a word to the entries they leave behind: a thread that meets
// such an entry removes it, once. An entry, or a bit above one, is missing only while some
// add() or remove() of it, or of a bit beside it, still runs: add() sets from the bottom up and
// looks at each level before it sets, remove() clears and then looks below, so that one of the two
// sees the other.
//
// Lock-free, any thread. Cost: some loads to find an entry, a read-modify-write to make or remove
// one.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "alloc/core/chunk.h"

namespace spillway::core {

class RunIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;
  // Longer runs are all of the last bucket.
  static constexpr uint32_t kMaxLength = kGrainsPerChunk;

  // Bytes of zeroed memory that attach() needs.
  static size_t bytes_needed(uint32_t chunks);
  // `memory` is zero, aligned to 8, and stays. Bucket i is for runs of at least `min_lengths[i]`
  // grains, which ascend from above 0 to kMaxLength.
  void attach(void* memory, Chunk* chunks, uint32_t count, std::span<const uint16_t> min_lengths);

  uint32_t bucket_count() const { return bucket_count_; }
  uint32_t min_length() const { return min_length_; }
  // The bucket of a run that is so long, at least min_length().
  uint32_t bucket_of(uint32_t length) const {
    return bucket_of_[length < kMaxLength ? length : kMaxLength];
  }
  // The lowest bucket in which every run is so long; the last one if none is.
  uint32_t bucket_for(uint32_t length) const {
    if (length >= kMaxLength) {
      return bucket_count_ - 1;
    }
    return length <= min_length_ ? 0 : bucket_of_[length - 1] + 1U;
  }

  // `word` counts from the arena's base.
  void add(uint32_t bucket, uint32_t word) {
    // seq_cst: after the caller's change of the free bits; pairs with remove(), whose caller looks
    // at them afterwards.
    if ((chunks_[word / kBits].starts[bucket].load(std::memory_order_seq_cst) & bit(word)) == 0) {
      add_new(bucket, word);
    }
  }
  // For an entry whose word has no run of the bucket. Look once more afterwards: a give() that
  // ended before this may have found the entry there.
  void remove(uint32_t bucket, uint32_t word) {
    // seq_cst, both: before the caller's next look at the free bits; pairs with add().
    std::atomic<uint64_t>& starts = chunks_[word / kBits].starts[bucket];
    if ((starts.load(std::memory_order_seq_cst) & bit(word)) != 0) {
      starts.fetch_and(~bit(word), std::memory_order_seq_cst);
    }
  }

  // In the order of buckets, and of words in each, the first entry at or behind `from`; its bucket
  // is kNone behind the last.
  struct Entry {
    uint32_t bucket;
    uint32_t word;
  };
  Entry next(Entry from);
  // The same from the start of a bucket on, for heaps of no more than 64 chunks, which most are;
  // its bucket is kNone, too, when it takes longer to find out. Buckets are emptied and filled all
  // the time: bits that say too much at the moment are passed by, and stay.
  Entry next_quickly(uint32_t bucket) const {
    uint32_t passed = 0;
    for (bucket = next_bucket(bucket); bucket != kNone; bucket = next_bucket(bucket + 1)) {
      // relaxed, both: missing an add() of this moment is allowed.
      uint64_t chunks = one(bucket, 0).load(std::memory_order_relaxed);
      for (; chunks != 0; chunks &= chunks - 1) {
        const auto chunk = static_cast<uint32_t>(std::countr_zero(chunks));
        const uint64_t starts = chunks_[chunk].starts[bucket].load(std::memory_order_relaxed);
        if (starts != 0) {
          return {bucket, chunk * kBits + static_cast<uint32_t>(std::countr_zero(starts))};
        }
        ++passed;
      }
      if (++passed > kMaxPassed) {
        break;
      }
    }
    return {kNone, 0};
  }
  // For heaps that next_quickly() sees all of.
  // relaxed: as in next_quickly().
  bool is_small() const { return max_used_.load(std::memory_order_relaxed) < kBits; }

  // In a forked child, where what others were doing was left undone.
  void repair(uint32_t chunks);

 private:
  static constexpr uint32_t kBits = 64;
  static constexpr uint32_t kMaxPassed = 24;
  static constexpr uint32_t kTopWords = divide_up(Chunk::kMaxBuckets, kBits);
  using Word = std::atomic<uint64_t>;

  static constexpr uint64_t bit(uint32_t number) { return uint64_t{1} << (number % kBits); }
  Word& one(uint32_t bucket, uint32_t index) const {
    return level_one_[size_t{index} * Chunk::kMaxBuckets + bucket];
  }
  Word& two(uint32_t bucket, uint32_t index) const {
    return level_two_[size_t{index} * Chunk::kMaxBuckets + bucket];
  }
  // Sets the bit unless it is set; true when the word was zero.
  static bool set(Word& word, uint64_t bits);
  void add_new(uint32_t bucket, uint32_t word);
  void mark(uint32_t bucket, uint32_t chunk);
  void retire_chunk(uint32_t bucket, uint32_t chunk);
  void retire_bucket(uint32_t bucket);
  bool has_any(uint32_t bucket) const;
  uint32_t words_of_level_two() const {
    return max_used_.load(std::memory_order_relaxed) / (kBits * kBits) + 1;
  }
  uint32_t next_bucket(uint32_t from) const {
    for (uint32_t index = from / kBits; index < kTopWords; ++index, from = index * kBits) {
      // relaxed: as in next_quickly().
      const uint64_t bits = top_[index].load(std::memory_order_relaxed) & ~low_bits(from % kBits);
      if (bits != 0) {
        return index * kBits + static_cast<uint32_t>(std::countr_zero(bits));
      }
    }
    return kNone;
  }
  uint32_t next_chunk(uint32_t bucket, uint32_t from) const;

  Chunk* chunks_ = nullptr;
  Word* level_one_ = nullptr;
  Word* level_two_ = nullptr;
  uint32_t one_count_ = 0;  // words of a bucket
  // The highest chunk that ever had an entry. relaxed: missing an add() that still runs is
  // allowed.
  std::atomic<uint32_t> max_used_{0};
  Word top_[kTopWords]{};
  uint32_t bucket_count_ = 0;
  uint32_t min_length_ = 0;
  uint8_t bucket_of_[kMaxLength + 1] = {};
};

}  // namespace spillway::core

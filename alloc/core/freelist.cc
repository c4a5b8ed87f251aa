// SPDX-License-Identifier: MIT
#include "alloc/core/freelist.h"

#include <bit>
#include <cstring>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

constexpr uint32_t words_for(uint32_t bits) {
  return static_cast<uint32_t>(divide_up(bits, Freelist::kSlotsPerWord));
}

// take() looks into this many words before it is content with less than wanted.
constexpr uint32_t kMaxWordsPerTake = 4;

// Four slots at a time: a batch of neighbours is to cost about its one atomic operation.
constexpr uint32_t kFour = 4;
using Four = uint32_t __attribute__((vector_size(kFour * sizeof(SlotIndex))));

constexpr Four four_from(uint32_t first) { return Four{first, first + 1, first + 2, first + 3}; }

void write_neighbours(uint32_t first, uint32_t count, SlotIndex* out) {
  Four next = four_from(first);
  uint32_t i = 0;
  for (; i + kFour <= count; i += kFour, next += kFour) {
    std::memcpy(out + i, &next, sizeof(Four));
  }
  for (; i < count; ++i) {
    out[i] = SlotIndex{first + i};
  }
}

bool are_neighbours(const SlotIndex* slots, uint32_t count) {
  const uint32_t first = raw(slots[0]);
  if (raw(slots[count - 1]) - first != count - 1) {
    return false;
  }
  Four expected = four_from(first);
  Four differences = {};
  uint32_t i = 0;
  for (; i + kFour <= count; i += kFour, expected += kFour) {
    Four seen;
    std::memcpy(&seen, slots + i, sizeof(Four));
    differences |= seen ^ expected;
  }
  uint32_t difference = differences[0] | differences[1] | differences[2] | differences[3];
  for (; i < count; ++i) {
    difference |= raw(slots[i]) ^ (first + i);
  }
  return difference == 0;
}

}  // namespace

size_t Freelist::bytes_needed(uint32_t slots) {
  size_t words = 0;
  for (uint32_t level = words_for(slots);; level = words_for(level)) {
    words += level;
    if (level <= 1) {
      return words * sizeof(Word);
    }
  }
}

void Freelist::attach(void* memory, uint32_t slots, uint32_t lanes, uint32_t lane) {
  lanes_ = lanes;
  level_count_ = 0;
  for (uint32_t words = words_for(slots);; words = words_for(words)) {
    SPILLWAY_DCHECK(level_count_ < kMaxLevels);
    words_[level_count_++] = words;
    if (words <= 1) {
      break;
    }
  }
  // Summaries first: they share a page with the first words.
  auto* next = static_cast<Word*>(memory) + lane;
  for (unsigned level = level_count_; level-- > 0;) {
    levels_[level] = next;
    next += words_[level] * lanes;
  }
}

uint32_t Freelist::take(uint32_t& hint, SlotIndex* out, uint32_t wanted) {
  SPILLWAY_DCHECK(hint < words_[0]);
  // The top first where it is the word itself, or in no line with words that other threads write.
  constexpr unsigned kTopApart = 4;  // levels
  if ((level_count_ == 1 || level_count_ >= kTopApart) && seems_empty()) {
    return 0;
  }
  uint32_t taken = take_from_word(hint, out, wanted);
  uint32_t word = hint;
  if (taken == 0) {
    if (seems_empty()) {
      return 0;
    }
    retire_if_stale(1, word);
  }
  for (uint32_t visited = 1; taken < wanted && visited < kMaxWordsPerTake && !seems_empty();) {
    uint32_t next = find_bit(1, word + 1);
    if (next == kNoWord) {
      next = find_bit(1, 0);
    }
    if (next == kNoWord || next == word) {
      break;
    }
    word = next;
    const uint32_t found = take_from_word(word, out + taken, wanted - taken);
    if (found != 0) {
      hint = word;
      taken += found;
    } else if (word_at(0, word).load(std::memory_order_relaxed) == 0) {
      retire(1, word);  // a stale summary bit: each is met once, so it does not count as a visit
      continue;
    }
    ++visited;
  }
  return taken;
}

uint32_t Freelist::take_from_word(uint32_t word, SlotIndex* out, uint32_t wanted) {
  Word& bits = word_at(0, word);
  // relaxed: only a guess; the fetch_and below decides.
  uint64_t seen = bits.load(std::memory_order_relaxed);
  while (seen != 0) {
    const uint64_t mask = lowest_set_bits(seen, wanted);
    // acquire: pairs with the fetch_or in fill(), whose thread wrote the blocks and their states.
    const uint64_t before = bits.fetch_and(~mask, std::memory_order_acquire);
    const uint64_t mine = before & mask;
    if (mine == 0) {
      seen = before & ~mask;
      continue;
    }
    uint32_t count = 0;
    for_each_run(mine, [&](unsigned first, unsigned length) {
      write_neighbours(word * kSlotsPerWord + first, length, out + count);
      count += length;
    });
    return count;
  }
  return 0;
}

uint32_t Freelist::find_bit(unsigned level, uint32_t from) {
  // A list of one word has no summary: the word is its own.
  if (level == level_count_) {
    // relaxed: as in take_from_word().
    return from == 0 && word_at(0, 0).load(std::memory_order_relaxed) != 0 ? 0 : kNoWord;
  }
  for (;;) {
    const uint32_t word = from / kSlotsPerWord;
    if (word >= words_[level]) {
      return kNoWord;
    }
    // relaxed: a summary is a hint; missing a put() that still runs is allowed.
    const uint64_t bits =
        word_at(level, word).load(std::memory_order_relaxed) & ~low_bits(from % kSlotsPerWord);
    if (bits != 0) {
      return word * kSlotsPerWord + static_cast<uint32_t>(std::countr_zero(bits));
    }
    if (level + 1 == level_count_) {
      return kNoWord;
    }
    retire_if_stale(level + 1, word);
    const uint32_t next = find_bit(level + 1, word + 1);
    if (next == kNoWord) {
      return kNoWord;
    }
    retire_if_stale(level + 1, next);
    from = next * kSlotsPerWord;
  }
}

void Freelist::mark(unsigned level, uint32_t bit) {
  for (; level < level_count_; ++level, bit /= kSlotsPerWord) {
    Word& word = word_at(level, bit / kSlotsPerWord);
    const uint64_t mask = uint64_t{1} << (bit % kSlotsPerWord);
    // seq_cst: after the caller's seq_cst write one level below; pairs with retire(), which clears
    // first and then reads that level. At least one of the two sees the other.
    if ((word.load(std::memory_order_seq_cst) & mask) != 0) {
      return;
    }
    // seq_cst: the write that the next level's load must not overtake.
    if (word.fetch_or(mask, std::memory_order_seq_cst) != 0) {
      return;  // the thread that made the word non-zero marks the level above
    }
  }
}

void Freelist::retire(unsigned level, uint32_t bit) {
  if (level == level_count_) {
    return;  // a list of one word has no summary
  }
  const uint64_t mask = uint64_t{1} << (bit % kSlotsPerWord);
  // seq_cst: clear before reading below; pairs with the load in mark().
  word_at(level, bit / kSlotsPerWord).fetch_and(~mask, std::memory_order_seq_cst);
  // seq_cst: after the clear; pairs with the writes in fill() and mark().
  if (word_at(level - 1, bit).load(std::memory_order_seq_cst) != 0) {
    mark(level, bit);
  }
}

void Freelist::retire_if_stale(unsigned level, uint32_t bit) {
  if (level == level_count_) {
    return;
  }
  // relaxed, both: retire() looks again, in order.
  const uint64_t summary = word_at(level, bit / kSlotsPerWord).load(std::memory_order_relaxed);
  if ((summary >> (bit % kSlotsPerWord) & 1) != 0 &&
      word_at(level - 1, bit).load(std::memory_order_relaxed) == 0) {
    retire(level, bit);
  }
}

void Freelist::fill(uint32_t word, uint64_t mask, SlotIndex& duplicate) {
  // release: hands the blocks and their states to the fetch_and in take_from_word().
  // seq_cst: before the summary's load in mark(); pairs with retire().
  const uint64_t before = word_at(0, word).fetch_or(mask, std::memory_order_seq_cst);
  if ((before & mask) != 0) {
    duplicate =
        SlotIndex{word * kSlotsPerWord + static_cast<uint32_t>(std::countr_zero(before & mask))};
  }
  if (before == 0) {
    mark(1, word);
  }
}

SlotIndex Freelist::put(uint32_t& hint, const SlotIndex* slots, uint32_t count) {
  SlotIndex duplicate = kNoSlot;
  // What was taken together is often of one word, or even a run of neighbours.
  const uint32_t word = raw(slots[0]) / kSlotsPerWord;
  const uint32_t first = raw(slots[0]) % kSlotsPerWord;
  if (first + count <= kSlotsPerWord && are_neighbours(slots, count)) {
    hint = word;
    fill(word, low_bits(count) << first, duplicate);
    return duplicate;
  }
  uint64_t mask = 0;
  uint32_t i = 0;
  for (; i < count && raw(slots[i]) / kSlotsPerWord == word; ++i) {
    const uint64_t bit = uint64_t{1} << (raw(slots[i]) % kSlotsPerWord);
    duplicate = (mask & bit) != 0 ? slots[i] : duplicate;
    mask |= bit;
  }
  hint = word;
  fill(word, mask, duplicate);
  return i == count ? duplicate : put_scattered(hint, slots + i, count - i, duplicate);
}

SlotIndex Freelist::put_scattered(uint32_t& hint, const SlotIndex* slots, uint32_t count,
                                  SlotIndex duplicate) {
  // Slots come in any order but from few words: those of one word are gathered in a small
  // direct-mapped table before they are written.
  struct Gathered {
    uint32_t word;
    uint64_t mask;
  };
  constexpr uint32_t kGathered = 8;
  Gathered table[kGathered] = {};
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t word = raw(slots[i]) / kSlotsPerWord;
    const uint64_t bit = uint64_t{1} << (raw(slots[i]) % kSlotsPerWord);
    Gathered& entry = table[word % kGathered];
    if (entry.word != word && entry.mask != 0) {
      fill(entry.word, entry.mask, duplicate);
      entry.mask = 0;
    }
    if ((entry.mask & bit) != 0) {
      duplicate = slots[i];
    }
    entry.word = word;
    entry.mask |= bit;
    hint = word;
  }
  for (const Gathered& entry : table) {
    if (entry.mask != 0) {
      fill(entry.word, entry.mask, duplicate);
    }
  }
  return duplicate;
}

uint64_t Freelist::take_word(uint32_t word, uint32_t max_slots) {
  Word& bits = word_at(0, word);
  // relaxed: only a guess; the fetch_and decides.
  const uint64_t wanted = lowest_set_bits(bits.load(std::memory_order_relaxed), max_slots);
  if (wanted == 0) {
    retire(1, word);
    return 0;
  }
  // acquire: as in take_from_word().
  return bits.fetch_and(~wanted, std::memory_order_acquire) & wanted;
}

void Freelist::put_word(uint32_t word, uint64_t slots) {
  SlotIndex duplicate = kNoSlot;
  if (slots != 0) {
    fill(word, slots, duplicate);
  }
}

SlotIndex Freelist::next_slot(SlotIndex from) {
  const uint32_t skipped = raw(from) % kSlotsPerWord;
  for (uint32_t word = next_word(raw(from) / kSlotsPerWord); word != kNoWord;
       word = next_word(word + 1)) {
    retire_if_stale(1, word);
    // relaxed: a look; a thread that wants a slot claims it.
    const uint64_t seen = word_at(0, word).load(std::memory_order_relaxed);
    const uint64_t here = word == raw(from) / kSlotsPerWord ? seen & ~low_bits(skipped) : seen;
    if (here != 0) {
      return SlotIndex{word * kSlotsPerWord + static_cast<uint32_t>(std::countr_zero(here))};
    }
  }
  return kNoSlot;
}

bool Freelist::take_slot(SlotIndex slot) {
  const uint32_t word = raw(slot) / kSlotsPerWord;
  const uint64_t bit = uint64_t{1} << (raw(slot) % kSlotsPerWord);
  // acquire: as in take_from_word().
  return (word_at(0, word).fetch_and(~bit, std::memory_order_acquire) & bit) != 0;
}

void Freelist::repair(uint32_t slots) {
  uint32_t words = words_for(slots);
  for (unsigned level = 1; level < level_count_; ++level, words = words_for(words)) {
    for (uint32_t word = 0; word < words; ++word) {
      // relaxed, both: the only thread there is.
      if (word_at(level - 1, word).load(std::memory_order_relaxed) != 0) {
        word_at(level, word / kSlotsPerWord)
            .fetch_or(uint64_t{1} << (word % kSlotsPerWord), std::memory_order_relaxed);
      }
    }
  }
}

bool Freelist::contains(SlotIndex slot) const {
  const uint64_t bit = uint64_t{1} << (raw(slot) % kSlotsPerWord);
  // acquire: pairs with fill(), for callers who go on to read the slot's state.
  return (word_at(0, raw(slot) / kSlotsPerWord).load(std::memory_order_acquire) & bit) != 0;
}

uint32_t Freelist::count(uint32_t slots) const {
  uint32_t sum = 0;
  for (uint32_t word = 0; word < words_for(slots); ++word) {
    // relaxed: a count for tests and reports; no caller acts on a single slot of it.
    sum += static_cast<uint32_t>(std::popcount(word_at(0, word).load(std::memory_order_relaxed)));
  }
  return sum;
}

}  // namespace spillway::core

// SPDX-License-Identifier: MIT
// The rules of frames that were walked before, by the instruction: most samples come from stacks
// that share most of their frames, and reading a description takes 700 instructions. Kept are rules
// as compilers write them: the frame's address is a register and an offset, and what functions keep
// for their callers is saved below it.
//
// Zeroed memory is an empty cache. No lock: an entry's check is made of all of its words, so that
// one that two threads write at once matches no instruction. The check also covers the address
// of the table that the description was found in. Code that was loaded anew in the same place, with
// its table in the same place, too, is taken for the old: wrong frames, and no crash.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/profile/frame_rules.h"

namespace spillway::profile {

// A frame's rules in few bytes.
struct CompactRules {
#if defined(__x86_64__)
  static constexpr uint8_t kKept[] = {3, 6, 12, 13, 14, 15, 16};
  static constexpr size_t kReturn = 16;
#else
  static constexpr uint8_t kKept[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30};
  static constexpr size_t kReturn = 30;
#endif
  static constexpr size_t kMaxKept = 16;
  static_assert(sizeof kKept <= kMaxKept);

  int32_t frame_offset = 0;
  uint8_t frame_register = 0;
  bool signs_return_address = false;
  bool is_known = false;
  uint8_t unused = 0;
  // How many words below the frame's address each is saved; 0: not, as in the function.
  uint8_t saved[kMaxKept] = {};

  // False: these rules don't fit.
  bool pack(const FrameDescription& frame, const FrameRules& rules) {
    frame_offset = static_cast<int32_t>(rules.frame_offset);
    frame_register = static_cast<uint8_t>(rules.frame_register);
    signs_return_address = rules.signs_return_address;
    is_known = true;
    size_t kept = 0;
    for (size_t number = 0; number < kRegisters; ++number) {
      const bool is_kept = kept < sizeof kKept && kKept[kept] == number;
      if (rules.where[number] != FrameRules::Where::kSame) {
        const int64_t words = -rules.values[number] / kWord;
        if (!is_kept || rules.where[number] != FrameRules::Where::kSaved || words <= 0 ||
            words > UINT8_MAX || -words * kWord != rules.values[number]) {
          return false;
        }
        saved[kept] = static_cast<uint8_t>(words);
      }
      kept += is_kept ? 1 : 0;
    }
    return !frame.is_signal_frame && frame.return_register == kReturn &&
           rules.frame_expression == nullptr && rules.frame_register < kRegisters &&
           frame_offset == rules.frame_offset;
  }

  static constexpr int64_t kWord = sizeof(uintptr_t);
};

class RuleCache {
 public:
  bool find(uintptr_t address, const uint8_t* table, CompactRules& rules) const {
    const Entry& entry = entries_[index_of(address)];
    Words words;
    for (size_t i = 0; i < kWords; ++i) {
      words.all[i] = entry.words[i].load(std::memory_order_relaxed);
    }
    if (entry.check.load(std::memory_order_relaxed) != check_of(address, table, words)) {
      return false;
    }
    rules = __builtin_bit_cast(CompactRules, words);
    return rules.is_known;
  }
  void put(uintptr_t address, const uint8_t* table, const CompactRules& rules) {
    const auto words = __builtin_bit_cast(Words, rules);
    Entry& entry = entries_[index_of(address)];
    for (size_t i = 0; i < kWords; ++i) {
      entry.words[i].store(words.all[i], std::memory_order_relaxed);
    }
    entry.check.store(check_of(address, table, words), std::memory_order_relaxed);
  }

 private:
  static constexpr size_t kWords = sizeof(CompactRules) / sizeof(uint64_t);
  static constexpr unsigned kIndexBits = 11;  // 64 KiB; Python's busy stacks have some 300 places
  static constexpr uint64_t kMix = 0x9e3779b97f4a7c15;
  static_assert(sizeof(CompactRules) % sizeof(uint64_t) == 0);

  struct Words {
    uint64_t all[kWords];
  };
  // relaxed, all: the check tells whether they belong together.
  struct Entry {
    std::atomic<uint64_t> check;
    std::atomic<uint64_t> words[kWords];
  };

  static size_t index_of(uintptr_t address) { return (address * kMix) >> (64 - kIndexBits); }
  static uint64_t check_of(uintptr_t address, const uint8_t* table, const Words& words) {
    uint64_t check = (address ^ reinterpret_cast<uintptr_t>(table) * kMix) + 1;
    for (const uint64_t word : words.all) {
      check = (check ^ word) * kMix;
      check ^= check >> 29;
    }
    return check;
  }

  Entry entries_[size_t{1} << kIndexBits];
};

}  // namespace spillway::profile

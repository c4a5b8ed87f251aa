// SPDX-License-Identifier: MIT
// The places in memory that an execution accesses, by address. Only those that more than one thread
// accesses and one writes to are of interest: where threads can disturb each other, and where a
// load may see more than one value. Which these are is found out by running: a place that becomes
// one starts the exploration anew.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace spillway::model {

// Threads of an execution.
inline constexpr unsigned kMaxThreads = 4;

// What a place is to hold besides what the language says.
enum class Handed : uint8_t {
  kNo,
  kWrites,  // no two writes at once, though they are atomic
  kAll      // no access beside a write
};

struct Place {
  uintptr_t address = 0;
  uint8_t readers = 0;
  uint8_t writers = 0;
  Handed handed = Handed::kNo;
  int32_t number = -1;  // among the contended ones
};

class Places {
 public:
  Places() : table_(new Place[kSlots]) {}

  void clear();
  // `all`: each place counts as contended at once.
  void count_all(bool all) { all_ = all; }

  Place& at(uintptr_t address);
  // Notes an access; false: the place is of no interest.
  bool is_contended(Place& place, unsigned thread, bool writes);
  // Numbers what was found since the last call; whether there was anything.
  bool take_new();
  uint32_t contended() const { return contended_; }

  // Atomic accesses there are judged as said.
  void hand(uintptr_t address, uintptr_t bytes, Handed how) {
    ranges_.push_back({address, address + bytes, how});
  }

 private:
  static constexpr uint32_t kSlots = 1U << 16;
  struct Range {
    uintptr_t start;
    uintptr_t end;
    Handed how;
  };

  std::unique_ptr<Place[]> table_;
  std::vector<Place*> used_;
  std::vector<Place*> found_;
  std::vector<Range> ranges_;
  uint32_t contended_ = 0;
  bool all_ = false;
};

}  // namespace spillway::model

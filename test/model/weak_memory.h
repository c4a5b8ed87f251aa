// SPDX-License-Identifier: MIT
// Memory as C++20 allows it to be: each place keeps the values that were stored there, in order,
// and a load may see any that its thread has no reason to know to be outdated. What a thread knows
// is its view: of each place the oldest value that it may still see. A release store hands the
// view on with its value, the acquire load that sees this value takes it over; fences do so for the
// accesses on their other side. What this can't show stands in explore.h.
//
// The view also has each thread's clock (vector clocks): a plain access that is not ordered after
// another thread's is a data race.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "test/model/places.h"

namespace spillway::model {

class WeakMemory {
 public:
  static constexpr uint32_t kMaxPlaces = 8192;

  enum class Race : uint8_t { kNone, kRead, kWrite };

  WeakMemory();
  // For each execution, with so many contended places.
  void begin(uint32_t places);

  // How many older values a load may see.
  uint32_t older(const Place& place, unsigned thread, std::memory_order order, uint64_t now);
  // `older` of them.
  uint64_t load(const Place& place, unsigned thread, std::memory_order order, uint32_t older);
  void store(const Place& place, unsigned thread, std::memory_order order, uint64_t now,
             uint64_t value);
  // The newest value is `now`, and `value` follows it.
  void exchange(const Place& place, unsigned thread, std::memory_order order, uint64_t now,
                uint64_t value);
  void fence(unsigned thread, std::memory_order order);
  // A plain store follows; what is stored shows at the next call.
  void plain_store(const Place& place, unsigned thread, uint64_t now);

  // Notes an access for later ones and judges it by those before. Atomic ones race with plain ones
  // only, and if the place is handed over by others as it says.
  Race judge(const Place& place, unsigned thread, bool writes, bool atomic);

  // The thread knows all that any thread knows: it is the only one from here on.
  void know_all(unsigned thread);

 private:
  using Stamp = uint16_t;  // the number of a value of its place
  struct View {
    uint32_t clock[kMaxThreads + 1];
    Stamp seen[];
  };
  struct Value {
    uint64_t value;
    View* view;    // handed on with it; null: none
    bool follows;  // is in memory by the time of the next access
  };
  struct Accesses {  // a thread's clock at its last
    uint32_t plain_read[kMaxThreads + 1];
    uint32_t plain_write[kMaxThreads + 1];
    uint32_t atomic_read[kMaxThreads + 1];
    uint32_t atomic_write[kMaxThreads + 1];
  };

  View* new_view();
  void join(View* view, const View* other) const;
  std::vector<Value>& values(const Place& place, uint64_t now);
  void append(const Place& place, unsigned thread, std::memory_order order, uint64_t value,
              const View* before);

  char* pool_;
  size_t used_ = 0;
  uint32_t places_ = 0;
  std::vector<std::vector<Value>> values_;
  std::vector<Accesses> accesses_;
  View* now_[kMaxThreads + 1];       // what the thread knows
  View* acquired_[kMaxThreads + 1];  // what it would know after an acquire fence
  View* released_[kMaxThreads + 1];  // what it knew at its last release fence
  View* sequential_;                 // what sequentially consistent accesses know in common
};

}  // namespace spillway::model

// SPDX-License-Identifier: MIT
#include "test/model/machine.h"

#include <algorithm>
#include <cstring>

#include "test/model/stand_ins.h"

namespace spillway::model {

uint64_t read_memory(uintptr_t address, unsigned size) {
  uint64_t value = 0;
  std::memcpy(&value, reinterpret_cast<const void*>(address), size);
  return value;
}

void write_memory(uintptr_t address, unsigned size, uint64_t value) {
  std::memcpy(reinterpret_cast<void*>(address), &value, size);
}

Machine& Machine::get() {
  static Machine machine;
  return machine;
}

// --- accesses

Place* Machine::enter(uintptr_t address, bool writes, bool is_point) {
  if (!is_running() || threads_.owns(address)) {
    return nullptr;
  }
  if (++step_ > kMaxSteps) {
    fail("does not end");
  }
  Place& place = places_.at(address);
  if (!places_.is_contended(place, threads_.current(), writes)) {
    writes_ += writes ? 1 : 0;
    return nullptr;
  }
  if (is_point) {
    point();
    moved_ = true;
  }
  writes_ += writes ? 1 : 0;
  return &place;
}

uint32_t Machine::pick_older(const Place& place, std::memory_order order, uint64_t now) {
  const uint32_t possible = memory_.older(place, threads_.current(), order, now);
  if (possible == 0) {
    return 0;
  }
  uint32_t older = 0;
  if (schedule_.is_replay()) {
    older = std::min(schedule_.replayed(step_, Schedule::Kind::kOlder, 0), possible);
  } else if (older_loads_ < bounds_.older_loads) {
    older = schedule_.pick(possible + 1);
  }
  if (older != 0) {
    ++older_loads_;
    schedule_.note(step_, Schedule::Kind::kOlder, older);
  }
  return older;
}

uint64_t Machine::load(uintptr_t address, unsigned size, std::memory_order order, const void* pc) {
  const Place* const place = enter(address, false);
  const uint64_t now = read_memory(address, size);
  if (place == nullptr) {
    return now;
  }
  const uint32_t older = pick_older(*place, order, now);
  const uint64_t value = memory_.load(*place, threads_.current(), order, older);
  judge(*place, false, true, pc);
  note("load", address, value, older, order, pc);
  return value;
}

void Machine::store(uintptr_t address, unsigned size, std::memory_order order, uint64_t value,
                    const void* pc) {
  const Place* const place = enter(address, true);
  if (place != nullptr) {
    memory_.store(*place, threads_.current(), order, read_memory(address, size), value);
    judge(*place, true, true, pc);
    note("store", address, value, 0, order, pc);
  }
  write_memory(address, size, value);
}

bool Machine::compare_exchange(uintptr_t address, unsigned size, std::memory_order success,
                               std::memory_order failure, uint64_t& expected, uint64_t value,
                               const void* pc) {
  const Place* const place = enter(address, true);
  const uint64_t before = read_memory(address, size);
  const bool equal = before == expected;
  if (place != nullptr) {
    if (equal) {
      memory_.exchange(*place, threads_.current(), success, before, value);
    } else {
      memory_.older(*place, threads_.current(), failure, before);  // has its values begin
      memory_.load(*place, threads_.current(), failure, 0);
    }
    judge(*place, equal, true, pc);
    note(equal ? "compare_exchange" : "compare_exchange fails", address, equal ? value : before, 0,
         equal ? success : failure, pc);
  }
  if (equal) {
    write_memory(address, size, value);
  }
  expected = before;
  return equal;
}

void Machine::fence(std::memory_order order, const void* pc) {
  if (is_running()) {
    ++step_;
    memory_.fence(threads_.current(), order);
    note("fence", 0, 0, 0, order, pc);
  }
}

void Machine::plain(uintptr_t address, unsigned size, bool writes, const void* pc) {
  if (writes) {
    note_write(address);
  }
  const Place* const place = enter(address, writes, writes && bounds_.plain_stores);
  if (place == nullptr) {
    return;
  }
  judge(*place, writes, false, pc);
  if (writes) {
    memory_.plain_store(*place, threads_.current(), read_memory(address, size));
  }
  note(writes ? "plain store" : "plain load", address, 0, 0, std::memory_order_relaxed, pc);
}

void Machine::judge(const Place& place, bool writes, bool atomic, const void* pc) {
  const WeakMemory::Race race = memory_.judge(place, threads_.current(), writes, atomic);
  if (race != WeakMemory::Race::kNone) {
    note("races", place.address, 0, 0, std::memory_order_relaxed, pc);
    fail(std::string(writes ? "a store" : "a load") + " is not ordered after another thread's " +
         (race == WeakMemory::Race::kWrite ? "store" : "load"));
  }
}

void Machine::note(const char* what, uintptr_t address, uint64_t value, uint32_t older,
                   std::memory_order order, const void* pc) {
  if (traced_) {
    events_.push_back({step_, threads_.current(), what, address, value, older, order, pc});
  }
}

}  // namespace spillway::model

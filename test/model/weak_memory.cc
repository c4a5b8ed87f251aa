// SPDX-License-Identifier: MIT
#include "test/model/weak_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace spillway::model {
namespace {

constexpr size_t kPoolBytes = size_t{1} << 30;  // address space

bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_consume ||
         order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

}  // namespace

WeakMemory::WeakMemory()
    : pool_(static_cast<char*>(mmap(nullptr, kPoolBytes, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
  if (pool_ == MAP_FAILED) {
    std::abort();
  }
}

WeakMemory::View* WeakMemory::new_view() {
  const size_t bytes = (sizeof(View) + places_ * sizeof(Stamp) + 7) & ~size_t{7};
  if (used_ + bytes > kPoolBytes) {
    std::abort();
  }
  auto* const view = reinterpret_cast<View*>(pool_ + used_);
  used_ += bytes;
  return view;
}

void WeakMemory::begin(uint32_t places) {
  places_ = places;
  used_ = 0;
  if (values_.size() < places) {
    values_.resize(places);
  }
  for (uint32_t i = 0; i < places; ++i) {
    values_[i].clear();
  }
  accesses_.assign(places, {});
  const auto zero = [this](View*& view) {
    view = new_view();
    std::memset(static_cast<void*>(view), 0, sizeof(View) + places_ * sizeof(Stamp));
  };
  for (unsigned thread = 0; thread <= kMaxThreads; ++thread) {
    zero(now_[thread]);
    zero(acquired_[thread]);
    zero(released_[thread]);
    now_[thread]->clock[thread] = 1;
  }
  zero(sequential_);
}

void WeakMemory::join(View* view, const View* other) const {
  for (unsigned i = 0; i <= kMaxThreads; ++i) {
    view->clock[i] = std::max(view->clock[i], other->clock[i]);
  }
  for (uint32_t i = 0; i < places_; ++i) {
    view->seen[i] = std::max(view->seen[i], other->seen[i]);
  }
}

std::vector<WeakMemory::Value>& WeakMemory::values(const Place& place, uint64_t now) {
  std::vector<Value>& all = values_[static_cast<uint32_t>(place.number)];
  if (all.empty()) {
    all.push_back({now, nullptr, false});
  } else if (all.back().follows) {
    all.back().value = now;
    all.back().follows = false;
  }
  return all;
}

uint32_t WeakMemory::older(const Place& place, unsigned thread, std::memory_order order,
                           uint64_t now) {
  const auto newest = static_cast<uint32_t>(values(place, now).size() - 1);
  const auto number = static_cast<uint32_t>(place.number);
  uint32_t oldest = now_[thread]->seen[number];
  if (order == std::memory_order_seq_cst) {
    oldest = std::max<uint32_t>(oldest, sequential_->seen[number]);
  }
  return newest - oldest;
}

uint64_t WeakMemory::load(const Place& place, unsigned thread, std::memory_order order,
                          uint32_t older) {
  const auto number = static_cast<uint32_t>(place.number);
  const std::vector<Value>& all = values_[number];
  const auto stamp = static_cast<Stamp>(all.size() - 1 - older);
  now_[thread]->seen[number] = stamp;
  if (order == std::memory_order_seq_cst) {
    sequential_->seen[number] = std::max(sequential_->seen[number], stamp);
  }
  const Value& seen = all[stamp];
  if (seen.view != nullptr) {
    join(acquires(order) ? now_[thread] : acquired_[thread], seen.view);
  }
  return seen.value;
}

void WeakMemory::append(const Place& place, unsigned thread, std::memory_order order,
                        uint64_t value, const View* before) {
  const auto number = static_cast<uint32_t>(place.number);
  std::vector<Value>& all = values_[number];
  const auto stamp = static_cast<Stamp>(all.size());
  View* const mine = now_[thread];
  mine->seen[number] = stamp;
  if (order == std::memory_order_seq_cst) {
    sequential_->seen[number] = stamp;
  }
  View* const view = new_view();
  const size_t bytes = sizeof(View) + places_ * sizeof(Stamp);
  std::memcpy(static_cast<void*>(view), releases(order) ? mine : released_[thread], bytes);
  view->seen[number] = stamp;
  if (before != nullptr) {
    join(view, before);
  }
  all.push_back({value, view, false});
  ++mine->clock[thread];
}

void WeakMemory::store(const Place& place, unsigned thread, std::memory_order order, uint64_t now,
                       uint64_t value) {
  values(place, now);
  append(place, thread, order, value, nullptr);
}

void WeakMemory::exchange(const Place& place, unsigned thread, std::memory_order order,
                          uint64_t now, uint64_t value) {
  const View* const before = values(place, now).back().view;
  load(place, thread, order, 0);
  // A chain of exchanges hands the first one's view on.
  append(place, thread, order, value, before);
}

void WeakMemory::plain_store(const Place& place, unsigned thread, uint64_t now) {
  std::vector<Value>& all = values(place, now);
  now_[thread]->seen[place.number] = static_cast<Stamp>(all.size());
  all.push_back({0, nullptr, true});
}

void WeakMemory::fence(unsigned thread, std::memory_order order) {
  View* const mine = now_[thread];
  if (acquires(order)) {
    join(mine, acquired_[thread]);
  }
  if (order == std::memory_order_seq_cst) {
    for (uint32_t i = 0; i < places_; ++i) {
      mine->seen[i] = sequential_->seen[i] = std::max(mine->seen[i], sequential_->seen[i]);
    }
  }
  if (releases(order)) {
    std::memcpy(static_cast<void*>(released_[thread]), mine,
                sizeof(View) + places_ * sizeof(Stamp));
  }
  ++mine->clock[thread];
}

WeakMemory::Race WeakMemory::judge(const Place& place, unsigned thread, bool writes, bool atomic) {
  Accesses& all = accesses_[static_cast<uint32_t>(place.number)];
  const uint32_t* const known = now_[thread]->clock;
  const bool as_plain =
      !atomic || place.handed == Handed::kAll || (writes && place.handed == Handed::kWrites);
  Race race = Race::kNone;
  for (unsigned other = 0; other <= kMaxThreads; ++other) {
    if (other == thread) {
      continue;
    }
    const auto unknown = [&](const uint32_t(&clocks)[kMaxThreads + 1]) {
      return clocks[other] > known[other];
    };
    if (unknown(all.plain_write) || (as_plain && unknown(all.atomic_write))) {
      race = Race::kWrite;
    } else if (writes && (unknown(all.plain_read) || (as_plain && unknown(all.atomic_read)))) {
      race = Race::kRead;
    }
  }
  // Of a place whose writes only are handed over reads say nothing.
  uint32_t(&mine)[kMaxThreads + 1] = atomic && place.handed != Handed::kAll
                                         ? (writes ? all.atomic_write : all.atomic_read)
                                         : (writes ? all.plain_write : all.plain_read);
  if (!(place.handed == Handed::kWrites && !writes)) {
    mine[thread] = known[thread];
  }
  return race;
}

void WeakMemory::know_all(unsigned thread) {
  View* const mine = now_[thread];
  for (unsigned other = 0; other <= kMaxThreads; ++other) {
    mine->clock[other] = std::max(mine->clock[other], now_[other]->clock[other]);
  }
  for (uint32_t i = 0; i < places_; ++i) {
    mine->seen[i] = static_cast<Stamp>(std::max<size_t>(values_[i].size(), 1) - 1);
  }
}

}  // namespace spillway::model

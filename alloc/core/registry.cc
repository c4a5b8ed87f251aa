// SPDX-License-Identifier: MIT
#include "alloc/core/registry.h"

#include <algorithm>
#include <new>

#include "alloc/base/bits.h"
#include "alloc/os/os.h"

namespace spillway::core {

size_t Registry::table_bytes(uint32_t caches) {
  return align_up(Freelist::bytes_needed(caches) + caches * sizeof(std::atomic<Life>),
                  os::page_size());
}

void Registry::reserve(const Geometry& geometry, uint32_t max_caches) {
  geometry_ = &geometry;
  stride_ = align_up(ThreadCache::bytes_needed(geometry), os::page_size());
  // With a limit on address space, most of it is the program's.
  const uint64_t max_bytes = os::address_space_left() / 16;
  for (uint32_t caches = max_caches; caches > 0; caches /= 2) {
    const size_t bytes = caches * stride_ + table_bytes(caches);
    if (bytes > max_bytes) {
      continue;
    }
    auto* memory = static_cast<char*>(os::reserve(bytes, os::Access::kNone, nullptr));
    if (memory == nullptr) {
      continue;
    }
    if (!os::commit(memory + caches * stride_, table_bytes(caches))) {
      os::release(memory, bytes);
      continue;
    }
    memory_ = memory;
    room_.store(caches, std::memory_order_relaxed);
    reserved_ = caches;
    char* const tables = memory + caches * stride_;
    free_numbers_.attach(tables, caches);
    lives_ = reinterpret_cast<std::atomic<Life>*>(tables + Freelist::bytes_needed(caches));
    return;
  }
}

void Registry::release_memory() {
  if (room() != 0) {
    os::release(memory_, reserved_ * stride_ + table_bytes(reserved_));
    room_.store(0, std::memory_order_relaxed);
  }
}

void Registry::give_up_untouched() {
  // Takes all numbers that are left, one by one with threads that claim one meanwhile.
  uint32_t number = numbered_.load(std::memory_order_relaxed);
  while (number < room() &&
         !numbered_.compare_exchange_weak(number, reserved_, std::memory_order_relaxed)) {
  }
  if (number < room()) {
    room_.store(number, std::memory_order_relaxed);
    os::release_part(memory_ + number * stride_, (reserved_ - number) * stride_);
  }
}

ThreadCache* Registry::claim() {
  if (room() == 0) {
    return nullptr;
  }
  uint32_t hint = 0;
  SlotIndex number;
  if (free_numbers_.take(hint, &number, 1) == 0) {
    return create();
  }
  ThreadCache& cache = at(raw(number));
  // release: pairs with the acquire in for_each().
  lives_[cache.number()].store(Life::kInUse, std::memory_order_release);
  return &cache;
}

ThreadCache* Registry::create() {
  // relaxed: only the number matters.
  uint32_t number = numbered_.load(std::memory_order_relaxed);
  do {
    if (number >= room()) {
      return nullptr;
    }
  } while (!numbered_.compare_exchange_weak(number, number + 1, std::memory_order_relaxed));
  if (!os::commit(&at(number), stride_)) {
    return nullptr;  // the number is lost; the kernel will refuse much else
  }
  auto* cache = ::new (static_cast<void*>(&at(number))) ThreadCache;
  cache->start(number, *geometry_);
  // release: pairs with the acquire in for_each().
  lives_[number].store(Life::kInUse, std::memory_order_release);
  return cache;
}

void Registry::release(ThreadCache& cache) {
  // release: pairs with the acquire in for_each(), which may see this instead of what create()
  // released; put() below hands the cache on.
  lives_[cache.number()].store(Life::kIdle, std::memory_order_release);
  uint32_t hint = 0;
  const SlotIndex number{cache.number()};
  static_cast<void>(free_numbers_.put(hint, &number, 1));  // never there twice: it was in use
}

}  // namespace spillway::core

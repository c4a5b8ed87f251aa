// SPDX-License-Identifier: MIT
// PoolAllocator: a pool's memory for the standard containers, as a template argument.
//
//   using Numbers = std::vector<int, spillway::PoolAllocator<int>>;
//   Numbers numbers{spillway::PoolAllocator<int>(pool)};
//   numbers.resize(1000);    // a buffer of the pool
//
// Each allocation is a whole buffer: of the smallest class that holds it, or of its own size when
// there is none or the class is exhausted (pool.h). It is meant for containers with few, large
// blocks; a list's node takes a buffer of the smallest class, too, unless pool_min_size is above
// it. For a type that does not name the pool use pool_resource.h.
//
// Units: counts are objects, sizes bytes.
// Errors: std::bad_alloc when there is no memory.
// Thread-safety: that of a pointer; all copies may be used in all threads.
// Cost: that of Pool::alloc() and of a buffer's end.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "spillway/abi.h"
#include "spillway/buffer.h"
#include "spillway/pool.h"
#include "spillway/tenant.h"

#if defined(__SANITIZE_ADDRESS__)
#define SPILLWAY_POOL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPILLWAY_POOL_ASAN 1
#endif
#endif
#ifdef SPILLWAY_POOL_ASAN
extern "C" void __asan_poison_memory_region(const volatile void* start, size_t bytes);
#endif

namespace spillway {

namespace pool {
inline namespace SPILLWAY_ABI {

// Poisons the bytes of a buffer beyond the request, until the pool hands it out again, in a program
// that is built with AddressSanitizer. Internal.
inline void forbid_slack([[maybe_unused]] const Buffer& buffer, [[maybe_unused]] size_t bytes) {
#ifdef SPILLWAY_POOL_ASAN
  if (buffer.is_pooled()) {
    __asan_poison_memory_region(buffer.data() + bytes, buffer.capacity() - bytes);
  }
#endif
}

// Blocks of a pool that come back with nothing but their address. Internal.
class BlockSource {
 public:
  // Throws std::bad_alloc when there is no memory.
  BlockSource(Pool& pool, Tenant tenant)
      : pool_(&pool), tenant_(tenant), alignment_(pool.config().alignment) {
    // Any buffer tells how all are given back. One that is pooled is cheapest.
    const RawBuffer sample = take(pool.config().pool_min_size, Tenant());
    free_function_ = sample.free_function;
    hint_ = sample.hint;
    give_back(sample.data);
  }

  // Throws std::bad_alloc when there is no memory.
  void* allocate(size_t bytes) const {
    const RawBuffer block = take(bytes, tenant_);
    assert(block.free_function == free_function_ && block.hint == hint_);
    return block.data;
  }
  // Also after the pool is gone.
  void give_back(void* block) const noexcept { free_function_(block, hint_); }

  size_t alignment() const noexcept { return alignment_; }

  // Whether one may give back what the other allocated. A pool that is gone leaves its hint to no
  // other as long as one of its blocks lives.
  friend bool operator==(const BlockSource& one, const BlockSource& other) noexcept {
    return one.hint_ == other.hint_;
  }

 private:
  RawBuffer take(size_t bytes, Tenant tenant) const {
    // No allocation may give null, not even one of nothing.
    Buffer buffer = pool_->alloc(std::max<size_t>(bytes, 1), tenant);
    if (!buffer) {
      throw std::bad_alloc();
    }
    forbid_slack(buffer, bytes);
    return RawBuffer::from(std::move(buffer));
  }

  Pool* pool_;
  Tenant tenant_;
  size_t alignment_;
  RawBuffer::FreeFunction free_function_ = nullptr;
  void* hint_ = nullptr;
};

}  // namespace SPILLWAY_ABI
}  // namespace pool

inline namespace SPILLWAY_ABI {

// An allocator as the standard demands it. Copies and rebound ones use the same pool and are equal;
// equal ones may give back each other's memory. Five words large.
//
// A container takes its allocator along when it is moved or swapped, so that both cost nothing; one
// that is copied to keeps its own.
//
// The Pool must be there, and not be moved, while anything is allocated. Deallocation works without
// it, from any thread.
template <typename T>
class PoolAllocator {
 public:
  using value_type = T;  // what it allocates
  // A container that is copied to keeps its own.
  using propagate_on_container_copy_assignment = std::false_type;
  // One that is moved to takes the other's.
  using propagate_on_container_move_assignment = std::true_type;
  // Swapped with the containers.
  using propagate_on_container_swap = std::true_type;
  using is_always_equal = std::false_type;  // pools differ

  // Over `pool`, for `tenant`; for none by default. Allocates one buffer and gives it back: throws
  // std::bad_alloc when there is no memory. Copying throws nothing and costs five words.
  explicit PoolAllocator(Pool& pool, Tenant tenant = {}) : source_(pool, tenant) {}
  // Of the same pool and tenant as `other`.
  template <typename U>
  PoolAllocator(const PoolAllocator<U>& other) noexcept  // NOLINT(google-explicit-constructor)
      : source_(other.source_) {}

  // Memory for `count` objects, not null for 0 either. Aligned for T: what needs more than the
  // pool's alignment comes from operator new. Throws std::bad_array_new_length when the bytes
  // cannot be counted and std::bad_alloc when there is no memory. Cost: Pool::alloc()'s.
  [[nodiscard]] T* allocate(size_t count) {
    if (count > std::numeric_limits<size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    const size_t bytes = count * sizeof(T);
    return static_cast<T*>(alignof(T) <= source_.alignment()
                               ? source_.allocate(bytes)
                               : ::operator new (bytes, std::align_val_t{alignof(T)}));
  }
  // Gives `memory` back, which is from allocate(count) of an equal allocator.
  void deallocate(T* memory, [[maybe_unused]] size_t count) noexcept {
    if (alignof(T) <= source_.alignment()) {
      source_.give_back(memory);
    } else {
      ::operator delete (memory, std::align_val_t{alignof(T)});
    }
  }

  // Whether one may give back what the other allocated.
  template <typename U>
  bool operator==(const PoolAllocator<U>& other) const noexcept {
    return source_ == other.source_;
  }

 private:
  template <typename U>
  friend class PoolAllocator;

  pool::BlockSource source_;
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway

#undef SPILLWAY_POOL_ASAN

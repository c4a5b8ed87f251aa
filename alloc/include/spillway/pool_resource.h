// SPDX-License-Identifier: MIT
// PoolResource: a pool's memory for std::pmr containers, and for all else that takes a
// std::pmr::memory_resource.
//
//   spillway::PoolResource resource(pool);
//   std::pmr::vector<std::byte> bytes(10000, &resource);  // a buffer of the pool
//
// Each allocation is a whole buffer: of the smallest class that holds it, or of its own size when
// there is none or the class is exhausted (pool.h). For many small objects put a resource in front
// that cuts them from larger blocks:
//
//   std::pmr::monotonic_buffer_resource nodes(&resource);
//   std::pmr::map<int, int> map(&nodes);
//
// Units: sizes and alignments are bytes.
// Errors: std::bad_alloc when there is no memory.
// Thread-safety: all members may be called by any thread at any time.
// Cost: that of Pool::alloc() and of a buffer's end.
#pragma once

#include <cassert>
#include <cstddef>
#if !__has_include(<memory_resource>)
#error "spillway/pool_resource.h needs std::pmr: libc++ has it from version 16 on"
#endif
#include <memory_resource>

#include "spillway/abi.h"
#include "spillway/export.h"
#include "spillway/pool.h"
#include "spillway/pool_allocator.h"
#include "spillway/tenant.h"

namespace spillway {
inline namespace SPILLWAY_ABI {

// A std::pmr::memory_resource over a pool. As any resource it must outlive what it allocated. The
// Pool must be there, and not be moved, while anything is allocated; deallocation works without it.
class SPILLWAY_POOL_API PoolResource final : public std::pmr::memory_resource {
 public:
  // Over `pool`, for `tenant`; for none by default. `upstream` serves what needs more than the
  // pool's alignment; it must outlive this resource and is not null. Allocates one buffer and gives
  // it back: throws std::bad_alloc when there is no memory.
  explicit PoolResource(Pool& pool, Tenant tenant = {},
                        std::pmr::memory_resource* upstream = std::pmr::get_default_resource())
      : source_(pool, tenant), upstream_(upstream) {
    assert(upstream != nullptr);
  }
  PoolResource(const PoolResource&) = delete;
  PoolResource& operator=(const PoolResource&) = delete;
  ~PoolResource() override = default;

  // What serves larger alignments than the pool's.
  std::pmr::memory_resource* upstream_resource() const noexcept { return upstream_; }

 private:
  void* do_allocate(size_t bytes, size_t alignment) override {
    return alignment <= source_.alignment() ? source_.allocate(bytes)
                                            : upstream_->allocate(bytes, alignment);
  }
  void do_deallocate(void* memory, size_t bytes, size_t alignment) override {
    if (alignment <= source_.alignment()) {
      source_.give_back(memory);
    } else {
      upstream_->deallocate(memory, bytes, alignment);
    }
  }
  // Of the same pool, and with equal upstreams.
  bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    const auto* same = dynamic_cast<const PoolResource*>(&other);
    return same != nullptr && source_ == same->source_ && *upstream_ == *same->upstream_;
  }

  pool::BlockSource source_;
  std::pmr::memory_resource* upstream_;
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway

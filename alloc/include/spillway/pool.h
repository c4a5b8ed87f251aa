// SPDX-License-Identifier: MIT
// A pool of buffers with size classes, thread caches and tenants, beside whatever allocator the
// process uses: nothing is overridden, and several pools share nothing.
//
//   auto pool = spillway::Pool::create(spillway::PoolConfig::network());
//   spillway::Buffer buffer = pool->alloc(1500);    // size 0, capacity 2048
//   buffer.append("hello");
//   spillway::SharedBuffer shared = std::move(buffer).freeze();
//
// Sizes are bytes. All members may be called by any thread at any time, and after a fork; none
// but create(), tenant() and what returns strings, vectors or statistics throws or allocates. The
// destructor may run while buffers are in use: they stay valid, and their memory goes when they do.
// In C this is the C interface, spillway/pool_c.h.
#pragma once

#include "spillway/pool_c.h"

#ifdef __cplusplus
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spillway/buffer.h"
#include "spillway/expected.h"
#include "spillway/export.h"
#include "spillway/pool_config.h"
#include "spillway/pool_statistics.h"
#include "spillway/regions.h"
#include "spillway/tenant.h"

namespace spillway {

enum class PoolError : uint8_t {
  kOversized,  // larger than the largest class
  kExhausted,  // max_per_class buffers of the class are in use, or in other threads' caches
  kNoMemory    // the system has none
};
// For messages: "oversized" and so on.
SPILLWAY_POOL_API const char* name_of(PoolError error) noexcept;

class SPILLWAY_POOL_API Pool {
 public:
  // A pool, or what is wrong with `config` or with the system, in one line. Reserves address space
  // for all buffers; memory only with prefill.
  SPILLWAY_EXPECTED static expected<Pool, std::string> create(const PoolConfig& config);

  Pool(Pool&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  Pool& operator=(Pool&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~Pool();

  // Buffers of the smallest class that holds `size` bytes; of exactly `size` bytes, taken from the
  // system for this request alone ("untracked"), when it is smaller than pool_min_size, larger than
  // the largest class, or the class is exhausted. Without memory when the system has none.
  // `tenant`: see tenant.h; none by default. Cost: a few ns; with a miss in the thread's cache, a
  // few atomic operations for half a cache of buffers.
  //
  // Size 0, capacity at least `size`.
  Buffer alloc(size_t size, Tenant tenant = {}) noexcept;
  // Size `size`, contents unspecified.
  Buffer alloc_len(size_t size, Tenant tenant = {}) noexcept;
  // Size `size`, all zero; without writing to memory that is known to be zero.
  Buffer alloc_zeroed(size_t size, Tenant tenant = {}) noexcept;
  // All of the buffer: size and capacity are those of the class, all zero.
  Buffer acquire(size_t size, Tenant tenant = {}) noexcept;

  // The same, but with an error instead of an untracked buffer when `size` is larger than the
  // largest class or the class is exhausted.
  SPILLWAY_EXPECTED expected<Buffer, PoolError> try_alloc(size_t size, Tenant tenant = {}) noexcept;
  SPILLWAY_EXPECTED expected<Buffer, PoolError> try_alloc_len(size_t size,
                                                              Tenant tenant = {}) noexcept;
  SPILLWAY_EXPECTED expected<Buffer, PoolError> try_alloc_zeroed(size_t size,
                                                                 Tenant tenant = {}) noexcept;

  // Moves the calling thread's cached buffers to where all threads find them. Thread exit does the
  // same.
  void flush() noexcept;
  // Gives the memory of all free buffers outside thread caches back to the system; bytes. 0 for a
  // pinned pool. The buffers stay usable.
  size_t purge() noexcept;

  // The tenant of that name, made when there is none.
  Tenant tenant(std::string_view name);
  // Also before the tenant first allocates.
  void set_tenant_soft_limit(std::string_view name, uint64_t bytes);
  // Called when an allocation, a recorded one, too, takes a tenant over its limit, in the thread
  // that allocates, under no lock; once for each crossing, not when the limit is lowered. May use
  // the pool. Replaces the one before; calls under way end by themselves. Must not throw.
  void on_tenant_limit(std::function<void(const TenantUsage&)> callback);

  // Memory as a few contiguous ranges: see regions.h.
  std::vector<Region> regions() const;
  // Where a byte of a pooled buffer is; nothing for other memory and before its region was added.
  std::optional<RegionOffset> locate(const void* pointer) const noexcept;
  // Called with each region when it is added, in the thread whose allocation needs it, under no
  // lock, before the allocation returns; with those that are there already before this returns.
  // Allocations of other threads may get buffers of the region meanwhile: locate() knows them only
  // when the callback has returned.
  void on_region(std::function<void(const Region&)> callback);

  PoolStatistics statistics() const;

  const PoolConfig& config() const noexcept;

 private:
  explicit Pool(pool::Core* core) noexcept : core_(core) {}
  pool::Core* core_;
};

}  // namespace spillway
#endif

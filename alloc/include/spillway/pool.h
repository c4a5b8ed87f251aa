// SPDX-License-Identifier: MIT
// A pool of buffers with size classes, thread caches and tenants, beside whatever allocator the
// process uses: nothing is overridden, and several pools share nothing.
//
//   auto pool = spillway::Pool::create(spillway::PoolConfig::network());
//   spillway::Buffer buffer = pool->alloc(1500);    // size 0, capacity 2048
//   buffer.append("hello");
//   spillway::SharedBuffer shared = std::move(buffer).freeze();
//
// Units: sizes and limits are bytes.
// Errors: results say so. Only create(), tenant(), set_tenant_soft_limit(), regions(),
// statistics() and the callbacks' setters throw: std::bad_alloc.
// Thread-safety: all members may be called by any thread at any time, and after a fork. The
// destructor may run while buffers are in use: they stay valid, and their memory goes when they do.
// Cost: allocations take some nanoseconds, see alloc(); the others microseconds, unless they say
// more. Members that throw also allocate.
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

#include "spillway/abi.h"
#include "spillway/buffer.h"
#include "spillway/expected.h"
#include "spillway/export.h"
#include "spillway/pool_config.h"
#include "spillway/pool_statistics.h"
#include "spillway/regions.h"
#include "spillway/tenant.h"

namespace spillway {
inline namespace SPILLWAY_ABI {

// Why there is no buffer.
enum class PoolError : uint8_t {
  kOversized,  // larger than the largest class
  kExhausted,  // max_per_class buffers of the class are in use, or in other threads' caches
  kNoMemory    // the system has none
};
// The error's name for messages: "oversized" and so on. Static.
SPILLWAY_POOL_API const char* name_of(PoolError error) noexcept;

// A bounded number of buffers of each of some sizes.
class SPILLWAY_POOL_API Pool {
 public:
  // A pool, or one line that names the mistake in `config` or the system's refusal. Reserves
  // address space for all buffers; memory only with prefill.
  static expected<Pool, std::string> create(const PoolConfig& config);

  // Takes the pool of `other`, which may only be destroyed or assigned to then.
  Pool(Pool&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  // Exchanges the pools with `other`.
  Pool& operator=(Pool&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  // Gives the free memory back to the system; the rest goes with the buffers.
  ~Pool();

  // A buffer of the smallest class that holds `size` bytes: of size 0, with the class's capacity.
  // Its capacity is charged to `tenant` (tenant.h); to none by default.
  //
  // The buffer is unpooled, exactly `size` bytes from the system for this request alone, in three
  // cases: `size` is below pool_min_size or above the largest class, or the class is exhausted.
  // Without memory when the system has none.
  // Cost: a few ns; with a miss in the thread's cache, a few atomic operations for half a cache of
  // buffers.
  Buffer alloc(size_t size, Tenant tenant = {}) noexcept;
  // As alloc(), but of the size asked; contents unspecified.
  Buffer alloc_len(size_t size, Tenant tenant = {}) noexcept;
  // As alloc_len(), but zero; memory known to be zero is not written to.
  Buffer alloc_zeroed(size_t size, Tenant tenant = {}) noexcept;
  // As alloc_zeroed(), but of all of the buffer: its size is its capacity.
  Buffer acquire(size_t size, Tenant tenant = {}) noexcept;

  // As alloc(), but with an error instead of an unpooled buffer above the largest class and from an
  // exhausted one.
  expected<Buffer, PoolError> try_alloc(size_t size, Tenant tenant = {}) noexcept;
  // As alloc_len(), with the errors of try_alloc().
  expected<Buffer, PoolError> try_alloc_len(size_t size, Tenant tenant = {}) noexcept;
  // As alloc_zeroed(), with the errors of try_alloc().
  expected<Buffer, PoolError> try_alloc_zeroed(size_t size, Tenant tenant = {}) noexcept;

  // Moves the calling thread's cached buffers to where all threads find them. Thread exit does the
  // same.
  void flush() noexcept;
  // Gives the memory of all free buffers outside thread caches back to the system; bytes. 0 for a
  // pinned pool. The buffers stay usable. About a tenth of a second for each gigabyte.
  size_t purge() noexcept;

  // The tenant of that `name`, made when there is none.
  Tenant tenant(std::string_view name);
  // Sets the soft limit of the tenant `name` to `bytes`, also before it first allocates.
  void set_tenant_soft_limit(std::string_view name, uint64_t bytes);
  // `callback` is called when an allocation, a recorded one, too, takes a tenant over its limit:
  // once for each crossing, not when the limit is lowered. The thread that allocates calls it,
  // under no lock. It may use the pool, and must not throw. The usage has no name when there is no
  // memory for it. Replaces the one before, whose calls under way end by themselves.
  void on_tenant_limit(std::function<void(const TenantUsage&)> callback);

  // Memory as a few contiguous ranges: see regions.h.
  std::vector<Region> regions() const;
  // Where the byte at `pointer` of a pooled buffer is; nothing for other memory and before its
  // region was added.
  std::optional<RegionOffset> locate(const void* pointer) const noexcept;
  // `callback` is called with each region: with those that there are, before this returns; with
  // others when they are added. The thread whose allocation needs the region calls it, under no
  // lock, before the allocation returns. Other threads may get buffers of the region meanwhile:
  // locate() knows them only when the callback has returned.
  void on_region(std::function<void(const Region&)> callback);

  // What it has done and holds.
  PoolStatistics statistics() const;

  // As it was made.
  const PoolConfig& config() const noexcept;

 private:
  friend struct pool::CInterface;
  explicit Pool(pool::Core* core) noexcept : core_(core) {}
  pool::Core* core_;
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway
#endif

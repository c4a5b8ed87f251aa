// SPDX-License-Identifier: MIT
// What a pool has done and holds, at one moment: each field is one metric, and while other threads
// work each is right for some moment of the snapshot. Counters never fall.
//
// Units: as each field says; bytes where the name has `bytes` or `size`.
// Errors: what allocates throws std::bad_alloc when there is no memory.
// Thread-safety: that of any value.
// Cost: prometheus() takes some ten microseconds, the others nanoseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "spillway/abi.h"
#include "spillway/export.h"
#include "spillway/tenant.h"

namespace spillway {
inline namespace SPILLWAY_ABI {

// Of one size class.
struct PoolClassStatistics {
  std::string name;          // its size unless it was given one
  uint64_t size = 0;         // bytes of a buffer
  uint64_t allocations = 0;  // of pooled buffers
  uint64_t created = 0;      // of these, with memory that was not used before or was given back
  uint64_t hits = 0;         // of these, with memory of a returned buffer
  uint64_t exhausted = 0;    // requests that found no free buffer
  uint64_t live = 0;         // buffers in use
  uint64_t cached = 0;       // in thread caches
  uint64_t free = 0;         // for all threads
  // created and exhausted together.
  uint64_t misses() const { return created + exhausted; }
};

// Of a whole pool.
struct SPILLWAY_POOL_API PoolStatistics {
  uint64_t allocations = 0;                  // of all buffers
  uint64_t recycles = 0;                     // with memory of a returned buffer
  uint64_t misses = 0;                       // all others
  uint64_t oversized = 0;                    // requests larger than the largest class
  uint64_t unpooled = 0;                     // buffers of exactly the size asked
  uint64_t live_bytes = 0;                   // of all tenants together
  std::vector<PoolClassStatistics> classes;  // ascending
  std::vector<TenantUsage> tenants;          // in the order they were made

  // recycles / allocations; 0 when nothing was asked.
  double recycle_rate() const;
  // In Prometheus' text format, names beginning with spillway_pool_.
  std::string prometheus() const;
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway

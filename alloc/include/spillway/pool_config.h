// SPDX-License-Identifier: MIT
// The configuration of a buffer pool: size classes, how many buffers of each, thread caches,
// tenants. Plain values; every rule is checked by check(), which Pool::create() calls first.
//
// Units: sizes and limits are bytes.
// Errors: check() names the broken rule; all that allocates throws std::bad_alloc when there is no
// memory.
// Thread-safety: that of any value.
// Cost: that of copying a few vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spillway/abi.h"
#include "spillway/export.h"

namespace spillway {
inline namespace SPILLWAY_ABI {

// How many free buffers of each class a thread keeps for itself.
struct SPILLWAY_POOL_API ThreadCachePolicy {
  // How the number is given.
  enum class Kind : uint8_t {
    kAutomatic,  // max_per_class / (2 * min(parallelism, max_per_class)); 0 disables
    kExact,      // as `buffers` says
    kDisabled    // none
  };
  Kind kind = Kind::kAutomatic;  // how the number is given
  size_t buffers = 0;            // for kExact

  // A share of max_per_class.
  static ThreadCachePolicy automatic() { return {}; }
  // So many `buffers`.
  static ThreadCachePolicy exact(size_t buffers) { return {Kind::kExact, buffers}; }
  // None: every call goes to what threads share.
  static ThreadCachePolicy disabled() { return {Kind::kDisabled, 0}; }
};

// A pool's configuration.
struct SPILLWAY_POOL_API PoolConfig {
  // Preset: powers of two from 4 KiB to 1 MiB, `max_per_class` of each: for files and pages.
  static PoolConfig page_buffers(size_t max_per_class = 64);
  // Preset: 4 KiB, 64 KiB, 1 MiB and 10 MiB, 64 of each, named small, medium, large and huge.
  static PoolConfig tiered();
  // Preset: powers of two from 1 KiB to 128 KiB, 4096 of each.
  static PoolConfig network();
  // Preset: powers of two from the system's page to 8 MiB, 64 of each, aligned to pages.
  static PoolConfig storage();

  size_t min_size = 4096;     // the classes: the powers of two from here
  size_t max_size = 1 << 20;  // to here,
  // or, unless empty, exactly these: ascending multiples of `alignment`.
  std::vector<size_t> class_sizes;
  std::vector<std::string> class_names;  // as many as classes, or none: then sizes are the names

  // Requests below this are never pooled.
  size_t pool_min_size = 0;
  // Buffers of each class there can be at one time.
  size_t max_per_class = 64;
  // Makes all of them exist, resident, before create() returns.
  bool prefill = false;
  // Of every buffer's first byte, pooled or not: a power of two.
  size_t alignment = 64;
  // Threads that are expected to use the pool at the same time.
  size_t parallelism = 8;
  ThreadCachePolicy thread_cache;  // free buffers that a thread keeps
  // For tenants without a limit of their own.
  uint64_t tenant_soft_limit = uint64_t{256} << 20;
  // For regions (regions.h): memory is committed in whole regions and never given back.
  bool pinned = false;

  // A copy whose classes are the powers of two from `min` to `max`.
  PoolConfig with_sizes(size_t min, size_t max) const;
  // A copy with classes of these `sizes` and `names`.
  PoolConfig with_classes(std::vector<size_t> sizes, std::vector<std::string> names = {}) const;
  // A copy with pool_min_size `bytes`.
  PoolConfig with_pool_min_size(size_t bytes) const;
  // A copy with so many `buffers` of each class.
  PoolConfig with_max_per_class(size_t buffers) const;
  // A copy with max_per_class = ceil(`bytes` / sum of the class sizes), at least 1.
  PoolConfig with_budget(uint64_t bytes) const;
  // A copy that is, or is not, resident from the start, as `prefill` says.
  PoolConfig with_prefill(bool prefill = true) const;
  // A copy whose buffers are aligned to `bytes`.
  PoolConfig with_alignment(size_t bytes) const;
  // A copy for so many `threads` at the same time.
  PoolConfig with_parallelism(size_t threads) const;
  // A copy whose threads keep free buffers as `policy` says.
  PoolConfig with_thread_cache(ThreadCachePolicy policy) const;
  // A copy whose tenants have a soft limit of `bytes`.
  PoolConfig with_tenant_soft_limit(uint64_t bytes) const;
  // A copy whose memory is, or is not, in regions, as `pinned` says.
  PoolConfig with_pinned(bool pinned = true) const;

  // The classes that this gives, ascending; empty when min_size and max_size give none.
  std::vector<size_t> sizes() const;
  // Buffers a thread keeps per class; 0: none.
  size_t thread_cache_buffers() const;

  // The first broken rule, in one line that names the values; nothing when all are kept. The rules:
  //
  //   min_size, max_size, alignment are powers of two; min_size >= alignment;
  //   max_size >= min_size; pool_min_size <= the smallest class;
  //   class_sizes ascend and are multiples of alignment; at most 63 classes;
  //   the largest class is at most 1 GiB and less than 65536 times the unit that classes are
  //   counted in, the largest power of two, at most 4096, that divides all of them;
  //   as many class_names as classes, all different, or none;
  //   max_per_class and parallelism are at least 1; an exact thread cache <= max_per_class;
  //   alignment <= 2 MiB;
  //   max_per_class is at most 2^31 - 1, and so many buffers of the largest class at most 64 TiB;
  //   that, rounded up to a power of two, times the number of classes is less than 2^32 units.
  std::optional<std::string> check() const;
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway

// SPDX-License-Identifier: MIT
// THE table of statistics: name, kind and help of each stand in one line; snapshot, text, JSON,
// Prometheus output and the JSON's schema are derived from it, and documentation, dashboard and
// alert rules are checked against it. Counters never fall; gauges are momentary and, while other
// threads work, each is right for some moment of the snapshot, and never negative.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/base/index.h"
#include "alloc/stats/identity.h"

namespace spillway::stats {

enum class Kind : uint8_t {
  kCounter,
  kGauge,
  kOptionalGauge  // may be kUnknown
};

// A value that can't be had: null in JSON, "unknown" in text, no sample for Prometheus.
inline constexpr uint64_t kUnknown = UINT64_MAX;

// X(name, kind, help): of the whole process. Bytes where the name says so.
#define SPILLWAY_STATISTICS(X)                                                                   \
  X(allocated_bytes, kGauge, "blocks of every size that the program holds")                      \
  X(active_bytes, kGauge, "the same with their rounding, and blocks in thread caches")           \
  X(resident_bytes, kGauge, "memory that the allocator holds, at most: held_bytes and metadata") \
  X(retained_bytes, kGauge, "address space of the allocator that holds no memory")               \
  X(mapped_bytes, kGauge, "address space that the allocator has mapped")                         \
  X(metadata_bytes, kGauge, "memory of the pool's tables and thread caches, at most")            \
  X(mappings, kGauge, "reservations of address space, and segments of mimalloc in use")          \
  X(process_resident_bytes, kOptionalGauge,                                                      \
    "memory of the whole process, as the kernel counts it")                                      \
  X(pool_off, kGauge, "1 when every request goes to mimalloc")                                   \
  X(pool_reserved_bytes, kGauge, "address space of the arena")                                   \
  X(pool_committed_bytes, kGauge, "arena memory that may be used without asking the kernel")     \
  X(pool_grown_bytes, kGauge, "of these, chunks that were taken into use")                       \
  X(pool_live_bytes, kGauge, "blocks that the program holds")                                    \
  X(requested_estimate_bytes, kGauge, "estimate of what the program asked for in these")         \
  X(pool_cached_bytes, kGauge, "blocks in thread caches")                                        \
  X(pool_free_bytes, kGauge, "free runs, and blocks between threads")                            \
  X(pool_clean_bytes, kGauge, "of these, pages whose memory the kernel has")                     \
  X(pool_dirty_bytes, kGauge, "of these, the rest: free memory")                                 \
  X(large_live_bytes, kGauge, "blocks above 1 MiB, and growing ones, that the program holds")    \
  X(large_free_bytes, kGauge, "memory that freed ones of these still have")                      \
  X(large_blocks, kGauge, "number of such blocks that the program holds")                        \
  X(guarded_live_bytes, kGauge, "hardened or sampled blocks that the program holds")             \
  X(guarded_blocks, kGauge, "number of such blocks that the program holds")                      \
  X(guarded_allocations_total, kCounter, "such blocks handed out")                               \
  X(cache_capacity_bytes, kGauge, "what thread caches may hold at the moment")                   \
  X(cache_budget_bytes, kGauge, "what all thread caches together may ever hold")                 \
  X(thread_caches, kGauge, "thread caches in use")                                               \
  X(allocations_total, kCounter, "blocks of the pool handed to the program")                     \
  X(frees_total, kCounter, "blocks of the pool that the program gave back")                      \
  X(cache_hits_total, kCounter, "of the pool's blocks handed out, those from a thread cache")    \
  X(large_allocations_total, kCounter, "blocks above 1 MiB and growing ones handed out")         \
  X(large_frees_total, kCounter, "such blocks that the program gave back")                       \
  X(refills_total, kCounter, "times that a thread cache was empty")                              \
  X(spills_total, kCounter, "times that a thread cache was full")                                \
  X(purged_bytes_total, kCounter, "bytes given back to the kernel")                              \
  X(purges_total, kCounter, "steps in which that happened")                                      \
  X(purges_refused_total, kCounter, "times that the kernel refused to take memory back")         \
  X(page_faults_avoided_total, kCounter, "pages handed out by the page heap with their memory")  \
  X(uncached_total, kCounter, "blocks taken or given back without a thread cache")               \
  X(class_full_total, kCounter, "requests passed to mimalloc: class full or memory refused")     \
  X(held_bytes, kGauge, "memory held for the program, free and mimalloc's included")             \
  X(mimalloc_committed_bytes, kGauge, "of these, what mimalloc holds")                           \
  X(mimalloc_live_bytes, kGauge, "of these, blocks that the program holds of mimalloc")          \
  X(mimalloc_live_blocks, kOptionalGauge, "the same in blocks")                                  \
  X(mimalloc_mapped_bytes, kGauge, "of mapped_bytes, what mimalloc has mapped")                  \
  X(limit_bytes, kGauge, "the soft limit in force; 0: none")                                     \
  X(hard_limit_bytes, kGauge, "the hard limit in force; 0: none")                                \
  X(limit_crossed_total, kCounter, "times that the soft limit was crossed")                      \
  X(hard_limit_refusals_total, kCounter, "requests refused by the hard limit")                   \
  X(pressure_purges_total, kCounter, "times that pressure had free memory given back")           \
  X(profile_samples_total, kCounter, "blocks that the heap profile sampled")                     \
  X(profile_samples, kGauge, "of these, blocks that the program holds")                          \
  X(profile_dropped_total, kCounter, "samples that the heap profile had no room for")            \
  X(double_frees_total, kCounter, "blocks freed twice")                                          \
  X(invalid_frees_total, kCounter, "pointers freed that are not a block's start")                \
  X(damages_total, kCounter, "blocks found written to where the program may not")                \
  X(size_mismatches_total, kCounter, "sized frees with another size than allocated")

// X(name, kind, heading, help): of one size class. In blocks where the name does not say bytes. A
// heading puts it into the text form, which has room for six.
#define SPILLWAY_CLASS_STATISTICS(X)                                                            \
  X(live, kGauge, "live", "blocks that the program holds")                                      \
  X(cached, kGauge, "cached", "blocks in thread caches")                                        \
  X(allocations_total, kCounter, "allocations", "blocks handed to the program")                 \
  X(frees_total, kCounter, "", "blocks that the program gave back")                             \
  X(cache_hits_total, kCounter, "hits", "of the blocks handed out, those from a thread cache")  \
  X(refills_total, kCounter, "refills", "times that a thread cache was empty")                  \
  X(spills_total, kCounter, "spills", "times that a thread cache was full")                     \
  X(live_bytes, kGauge, "", "blocks that the program holds, in bytes")                          \
  X(cached_bytes, kGauge, "", "blocks in thread caches, in bytes")                              \
  X(requested_estimate_bytes, kOptionalGauge, "",                                               \
    "estimate of what the program asked for in live_bytes, by the average of requests that no " \
    "cache could serve")

// X(name, kind, heading, help): of one tenant.
#define SPILLWAY_TENANT_STATISTICS(X)                                                         \
  X(live_bytes, kGauge, "live bytes", "bytes of the blocks that are charged to the tenant")   \
  X(live_blocks, kGauge, "blocks", "blocks that are charged to the tenant")                   \
  X(peak_bytes, kGauge, "peak", "the most bytes that were charged to the tenant at one time") \
  X(soft_limit_bytes, kGauge, "soft limit", "the tenant's soft limit; 0: none")               \
  X(allocations_total, kCounter, "", "blocks that were charged to the tenant so far")         \
  X(soft_limit_exceeded_total, kCounter, "exceeded",                                          \
    "requests that left the tenant above its soft limit")                                     \
  X(soft_limit_crossed_total, kCounter, "", "times that the tenant crossed its soft limit")   \
  X(uncharged_total, kCounter, "",                                                            \
    "blocks that are not charged: no memory to note them, or a mimalloc that charges none")

struct Spec {
  std::string_view name;
  Kind kind;
  std::string_view help;
  std::string_view heading = {};  // of the text form's column
};

inline constexpr Spec kSpecs[] = {
#define SPILLWAY_X(name, kind, help) {#name, Kind::kind, help},
    SPILLWAY_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
};
inline constexpr Spec kClassSpecs[] = {
#define SPILLWAY_X(name, kind, heading, help) {#name, Kind::kind, help, heading},
    SPILLWAY_CLASS_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
};

inline constexpr Spec kTenantSpecs[] = {
#define SPILLWAY_X(name, kind, heading, help) {#name, Kind::kind, help, heading},
    SPILLWAY_TENANT_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
};

struct TenantSnapshot {
  const char* tenant = "";  // its name: letters, digits and _-./
#define SPILLWAY_X(name, kind, heading, help) uint64_t name = 0;
  SPILLWAY_TENANT_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X

  std::array<uint64_t, sizeof kTenantSpecs / sizeof(Spec)> values() const {
    return {
#define SPILLWAY_X(name, kind, heading, help) name,
        SPILLWAY_TENANT_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
    };
  }
};

struct ClassSnapshot {
  uint32_t block_size = 0;
  bool was_used() const { return live + cached + allocations_total != 0; }
  uint64_t free = 0;  // of a pool's class; a heap's free memory belongs to none
#define SPILLWAY_X(name, kind, heading, help) uint64_t name = 0;
  SPILLWAY_CLASS_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X

  std::array<uint64_t, sizeof kClassSpecs / sizeof(Spec)> values() const {
    return {
#define SPILLWAY_X(name, kind, heading, help) name,
        SPILLWAY_CLASS_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
    };
  }
};

// What Prometheus has of a process's identity, beside the labels `program` and `pid` of all
// samples.
inline constexpr Spec kIdentitySpecs[] = {
    {"build_info", Kind::kGauge, "1; the label says which version"},
    {"start_time_seconds", Kind::kGauge, "when the process's heap began, in seconds since 1970"},
    {"snapshot_time_seconds", Kind::kGauge, "when these were taken, in seconds since 1970"},
};

// A counter that is a difference of others that change meanwhile, each of which was read so that
// the difference is too small rather than too large: what was shown once is shown again.
class ShownCounter {
 public:
  // relaxed: a count that orders nothing.
  uint64_t at_least(uint64_t value) {
    uint64_t shown = shown_.load(std::memory_order_relaxed);
    while (value > shown &&
           !shown_.compare_exchange_weak(shown, value, std::memory_order_relaxed)) {
    }
    return value > shown ? value : shown;
  }

 private:
  std::atomic<uint64_t> shown_{0};
};

struct Snapshot {
  Identity identity;
  uint64_t wide_live_bytes = 0;  // of large_live_bytes, what lies beside the chunks
#define SPILLWAY_X(name, kind, help) uint64_t name = 0;
  SPILLWAY_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
  uint32_t class_count = 0;
  ClassSnapshot classes[kMaxClasses];  // 1 .. class_count
  // Tenants are read when they are printed: there may be many. False: there is none of the number.
  int last_tenant = 0;
  bool (*read_tenant)(int tenant, TenantSnapshot& usage) = nullptr;  // 1 .. last_tenant

  std::array<uint64_t, sizeof kSpecs / sizeof(Spec)> values() const {
    return {
#define SPILLWAY_X(name, kind, help) name,
        SPILLWAY_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
    };
  }
};

}  // namespace spillway::stats

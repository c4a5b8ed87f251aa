// THE table of statistics: name, kind and help of each stand in one line; snapshot, text, JSON and
// Prometheus output are derived from it. Counters never fall; gauges are momentary and, while other
// threads work, each is right for some moment of the snapshot, and never negative.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/base/index.h"

namespace spillway::stats {

enum class Kind : uint8_t { kCounter, kGauge };

// X(name, kind, help): of the whole process. Bytes where the name says so.
#define SPILLWAY_STATISTICS(X)                                                                \
  X(pool_off, kGauge, "1 when every request goes to mimalloc")                                \
  X(pool_reserved_bytes, kGauge, "address space of the arena")                                \
  X(pool_committed_bytes, kGauge, "arena memory that may be used without asking the kernel")  \
  X(pool_grown_bytes, kGauge, "of these, chunks that were taken into use")                    \
  X(pool_live_bytes, kGauge, "blocks that the program holds")                                 \
  X(pool_cached_bytes, kGauge, "blocks in thread caches")                                     \
  X(pool_free_bytes, kGauge, "free runs, and blocks between threads")                         \
  X(pool_clean_bytes, kGauge, "of these, pages whose memory the kernel has")                  \
  X(large_live_bytes, kGauge, "blocks above 1 MiB, and growing ones, that the program holds") \
  X(large_free_bytes, kGauge, "memory that freed ones of these still have")                   \
  X(large_blocks, kGauge, "number of such blocks that the program holds")                     \
  X(guarded_live_bytes, kGauge, "hardened or sampled blocks that the program holds")          \
  X(guarded_blocks, kGauge, "number of such blocks that the program holds")                   \
  X(guarded_allocations_total, kCounter, "such blocks handed out")                            \
  X(cache_capacity_bytes, kGauge, "what thread caches may hold at the moment")                \
  X(cache_budget_bytes, kGauge, "what all thread caches together may ever hold")              \
  X(thread_caches, kGauge, "thread caches in use")                                            \
  X(allocations_total, kCounter, "blocks of the pool handed to the program")                  \
  X(large_allocations_total, kCounter, "blocks above 1 MiB and growing ones handed out")      \
  X(refills_total, kCounter, "times that a thread cache was empty")                           \
  X(spills_total, kCounter, "times that a thread cache was full")                             \
  X(purged_bytes_total, kCounter, "bytes given back to the kernel")                           \
  X(purges_total, kCounter, "steps in which that happened")                                   \
  X(purges_refused_total, kCounter, "times that the kernel refused to take memory back")      \
  X(uncached_total, kCounter, "blocks taken or given back without a thread cache")            \
  X(class_full_total, kCounter, "requests passed to mimalloc: class full or memory refused")  \
  X(held_bytes, kGauge, "memory held for the program, free and mimalloc's included")          \
  X(fallback_committed_bytes, kGauge, "of these, what mimalloc holds")                        \
  X(fallback_live_bytes, kGauge, "of these, blocks that the program holds of mimalloc")       \
  X(limit_crossed_total, kCounter, "times that the soft limit was crossed")                   \
  X(hard_limit_refusals_total, kCounter, "requests refused by the hard limit")                \
  X(pressure_purges_total, kCounter, "times that pressure had free memory given back")        \
  X(double_frees_total, kCounter, "blocks freed twice")                                       \
  X(invalid_frees_total, kCounter, "pointers freed that are not a block's start")             \
  X(damages_total, kCounter, "blocks found written to where the program may not")             \
  X(size_mismatches_total, kCounter, "sized frees with another size than allocated")

// X(name, kind, help): of one size class, in blocks.
#define SPILLWAY_CLASS_STATISTICS(X)               \
  X(live, kGauge, "blocks that the program holds") \
  X(cached, kGauge, "blocks in thread caches")     \
  X(allocations_total, kCounter, "blocks handed to the program")

struct Spec {
  std::string_view name;
  Kind kind;
  std::string_view help;
};

inline constexpr Spec kSpecs[] = {
#define SPILLWAY_X(name, kind, help) {#name, Kind::kind, help},
    SPILLWAY_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
};
inline constexpr Spec kClassSpecs[] = {
#define SPILLWAY_X(name, kind, help) {#name, Kind::kind, help},
    SPILLWAY_CLASS_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
};

struct ClassSnapshot {
  uint32_t block_size = 0;
  uint64_t free = 0;  // of a pool's class; a heap's free memory belongs to none
#define SPILLWAY_X(name, kind, help) uint64_t name = 0;
  SPILLWAY_CLASS_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X

  std::array<uint64_t, sizeof kClassSpecs / sizeof(Spec)> values() const {
    return {
#define SPILLWAY_X(name, kind, help) name,
        SPILLWAY_CLASS_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
    };
  }
};

struct Snapshot {
#define SPILLWAY_X(name, kind, help) uint64_t name = 0;
  SPILLWAY_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
  uint32_t class_count = 0;
  ClassSnapshot classes[kMaxClasses];  // 1 .. class_count

  std::array<uint64_t, sizeof kSpecs / sizeof(Spec)> values() const {
    return {
#define SPILLWAY_X(name, kind, help) name,
        SPILLWAY_STATISTICS(SPILLWAY_X)
#undef SPILLWAY_X
    };
  }
};

}  // namespace spillway::stats

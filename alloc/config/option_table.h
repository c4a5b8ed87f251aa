// SPDX-License-Identifier: MIT
// THE table of options: name, type, default, bounds and help of each stand in one line; parser,
// messages, the effective-options report and `spillway options` are derived from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/config/size_classes.h"

namespace spillway::config {

enum class OptionType : uint8_t {
  kFlag,    // 0 or 1
  kNumber,  // in the unit that the help names
  kBytes,   // a number with an optional suffix K, M or G
  kLimit,   // as kBytes, or a share in per cent: 1% to 100%
  kChoice,  // one of the words in `words`, in the order of the enumeration of the same name
  kText,    // kept apart from the numbers, as kPath
  kPath
};

// Shares are kept as negative numbers, from -2 for 1% on.
constexpr bool is_per_cent(int64_t value) { return value < -1; }
constexpr int64_t per_cent(int64_t value) { return -1 - value; }

// A kNumber, kBytes or kLimit option may have one word for a value that no number can say; it reads
// as this, and the number -1 means the same.
inline constexpr int64_t kWordValue = -1;

enum class OnMisuse : uint8_t { kAbort, kReport, kIgnore };
enum class HugePages : uint8_t { kNever, kAuto, kAlways };
enum class Deepbind : uint8_t { kCleared, kKept };
enum class StatsFormat : uint8_t { kOff, kText, kJson, kPrometheus };
enum class Control : uint8_t { kOff, kAuto, kUser };

// X(name, type, default, min, max, words, help)
#define SPILLWAY_OPTIONS(X)                                                                      \
  X(enabled, kFlag, 1, 0, 1, "", "0: every request goes to mimalloc")                            \
  X(min_size, kBytes, kMinPooledSize, kMinPooledSize, kMaxPooledSize, "",                        \
    "smallest pooled request; requests count rounded up to 4 KiB")                               \
  X(max_size, kBytes, kMaxPooledSize, kMinPooledSize, kMaxPooledSize, "",                        \
    "largest pooled request; requests count rounded up to 4 KiB")                                \
  X(cache_budget, kBytes, kWordValue, 0, int64_t{1} << 40, "adaptive",                           \
    "bytes that all thread caches together may hold; 0: none; adaptive: 8M for each processor "  \
    "and a thirty-second of the pool")                                                           \
  X(reserve, kBytes, kWordValue, int64_t{16} << 20, int64_t{1} << 40, "auto",                    \
    "address space of the pool; auto: four times the machine's memory")                          \
  X(purge_delay, kNumber, 1000, 0, 3600000, "never",                                             \
    "milliseconds after which free memory goes back to the kernel; -1 or never: it stays")       \
  X(purge_thread, kFlag, 1, 0, 1, "",                                                            \
    "0: no thread for it; threads that allocate do it, an idle process keeps its memory")        \
  X(thp, kChoice, 1, 0, 2, "never|auto|always",                                                  \
    "huge pages: auto asks for them where a heap of 32M grows and is used throughout")           \
  X(prefill, kText, 0, 0, 0, "none",                                                             \
    "64K:32,1M:4: so many blocks of these sizes have memory from the start; + between, too")     \
  X(limit, kLimit, kWordValue, 1, int64_t{1} << 50, "none",                                      \
    "bytes, or N% of the control group's memory: above it free memory goes back at once")        \
  X(hard_limit, kLimit, kWordValue, 1, int64_t{1} << 50, "none",                                 \
    "bytes, or N%: above it requests of 4K and more fail with ENOMEM")                           \
  X(tenant_limits, kText, 0, 0, 0, "none",                                                       \
    "NAME=64M,NAME=1G: soft limits of tenants; + between, too")                                  \
  X(pressure, kNumber, kWordValue, 1, 100, "none",                                               \
    "per cent of the time that programs wait for memory, above which free memory goes back at "  \
    "once; not watched with purge_delay never")                                                  \
  X(on_misuse, kChoice, 0, 0, 2, "abort|report|ignore", "what a wrong free, or damage, does")    \
  X(hardened, kFlag, 0, 0, 1, "",                                                                \
    "1: all of the next five, but those that are set by themselves, for every request; slower")  \
  X(guard_pages, kFlag, 0, 0, 1, "",                                                             \
    "1: inaccessible pages around blocks of 4K to 64M, and in place of freed ones")              \
  X(zero_on_free, kFlag, 0, 0, 1, "", "1: freed memory reads as zero, which reuse checks")       \
  X(canaries, kFlag, 0, 0, 1, "", "1: secret bytes around each block, which its free checks")    \
  X(random_placement, kFlag, 0, 0, 1, "", "1: the next block's place can't be told")             \
  X(quarantine, kNumber, kWordValue, 0, 4096, "none",                                            \
    "freed blocks of each size that wait before one is reused")                                  \
  X(guard_sample, kNumber, kWordValue, 1, 1000000000, "none",                                    \
    "one in so many requests that a thread cache can't serve has these five, others do not")     \
  X(deepbind, kChoice, 0, 0, 1, "cleared|kept",                                                  \
    "RTLD_DEEPBIND in calls of dlopen; kept: the library that is opened uses libc's heap")       \
  X(stats, kChoice, 0, 0, 3, "off|text|json|prometheus", "statistics at exit, in this format")   \
  X(stats_file, kPath, 0, 0, 0, "stderr",                                                        \
    "where they go; %p is the process id, and asks forked children for theirs, too")             \
  X(stats_interval, kNumber, kWordValue, 1, 31536000, "none",                                    \
    "seconds between two writes of stats_file while the process runs, each a whole file in the " \
    "old one's place; needs stats and stats_file")                                               \
  X(control, kChoice, 1, 0, 2, "off|auto|user",                                                  \
    "users that may see and steer the process: auto, those that may debug it; user, its own, "   \
    "too, where Yama lets parents only debug")                                                   \
  X(profile, kBytes, kWordValue, 1, int64_t{1} << 40, "none",                                    \
    "bytes between two samples of the heap profile, on average")                                 \
  X(profile_file, kPath, 0, 0, 0, "none",                                                        \
    "where the profile goes at exit, for pprof; %p as in stats_file")                            \
  X(verbose, kFlag, 0, 0, 1, "", "1: print the effective options at start")

enum class Option : uint8_t {
#define SPILLWAY_X(name, ...) name,  // NOLINT(readability-identifier-naming): the option's own name
  SPILLWAY_OPTIONS(SPILLWAY_X)
#undef SPILLWAY_X
};

struct OptionSpec {
  std::string_view name;
  OptionType type;
  int64_t default_value;
  int64_t min;
  int64_t max;
  std::string_view words;  // '|' between them
  std::string_view help;
};

inline constexpr OptionSpec kOptionSpecs[] = {
#define SPILLWAY_X(name, type, default_value, min, max, words, help) \
  {#name,                                                            \
   OptionType::type,                                                 \
   static_cast<int64_t>(default_value),                              \
   static_cast<int64_t>(min),                                        \
   static_cast<int64_t>(max),                                        \
   words,                                                            \
   help},
    SPILLWAY_OPTIONS(SPILLWAY_X)
#undef SPILLWAY_X
};
inline constexpr size_t kOptionCount = sizeof kOptionSpecs / sizeof kOptionSpecs[0];

}  // namespace spillway::config

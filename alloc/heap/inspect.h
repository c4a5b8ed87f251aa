// SPDX-License-Identifier: MIT
// Looking at this heap and steering it: the calls that every C library's programs may make.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spillway::heap {

// Gives all free memory back, whatever `pad` says: this thread's cache and those of idle threads,
// the pool's and mimalloc's free memory. 1 when there was any.
int trim(size_t pad);
// The same; returns the pool's bytes.
uint64_t purge();
void flush_thread();

// The text statistics, on stderr.
void print_statistics();
// 0, EINVAL for a format that does not exist, or EIO when not all was written.
int write_statistics_as(int descriptor, const char* format);

// major * 10000 + minor * 100 + patch.
constexpr int version() { return SPILLWAY_VERSION_NUMBER; }

}  // namespace spillway::heap

// SPDX-License-Identifier: MIT
// The heap's scavenger (core/scavenger.h). maintenance.h says which thread runs it.
#pragma once

#include <cstdint>

#include "alloc/base/bits.h"
#include "alloc/core/scavenger.h"

namespace spillway::heap {

extern constinit core::Scavenger scavenger;

// Less free memory than this is not worth a thread, which costs 20 KiB and wakes up four times a
// second. By `ab` apache, left after load: 16.3 MiB with 4 MiB here, 14.4 with 1; glibc 13.8.
// With 1/4 nearly every command would start one.
inline constexpr uint64_t kMinWaiting = kMiB;
// Whether so much is free and resident, or may be so in caches. Cost: a look at each chunk where
// less is free.
bool is_much_free();
// Whether the options have a thread give free memory back.
bool wants_thread();

// After a call that took memory, with nothing held. When the heap has grown by an eighth since the
// last time, free memory that it can't use goes back: that of freed wide slots, and what mimalloc
// keeps for the thread. Some nanoseconds otherwise.
void balance();

// Starts the background thread again, after end_background(), if free memory waits.
void resume_scavenging_in_background();

void pause_scavenging();
void resume_scavenging();
// In a forked child.
void resume_scavenging_after_fork();

}  // namespace spillway::heap

// SPDX-License-Identifier: MIT
// Stands before parts of alloc/os/os.h's process half: a clock that stands still, a kernel without
// membarrier, a machine of another size. Linked with --wrap (test/CMakeLists.txt); does what the
// real ones do until told.
#pragma once

#include <cstdint>

namespace spillway::os::fake {

// Until reset() the clock moves only by advance_clock().
void stop_clock();
void advance_clock(uint64_t nanoseconds);

void refuse_barriers();
// Until reset(): `call(context)` at each barrier, before it.
void at_barrier(void (*call)(void* context), void* context);

void have_processors(uint32_t count);

void reset();

}  // namespace spillway::os::fake

// SPDX-License-Identifier: MIT
// Where records go: a file per process, and of it a chunk per thread. For use inside a Call only,
// so that what happens here is not recorded.
#pragma once

#include <cstdint>

#include "bench/trace/raw.h"

namespace bench::trace {

// Whether this process is recorded; opens its file on the first call and in a forked child.
bool sink_is_open();

// 0: not to be recorded.
std::uint64_t next_stamp();

// Room for one record of this thread; nullptr when there is no more, which ends the recording.
RawRecord* next_record();

// Threads are numbered by their first record; after next_record() only.
std::uint32_t own_number();

}  // namespace bench::trace

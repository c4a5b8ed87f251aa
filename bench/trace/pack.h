// SPDX-License-Identifier: MIT
// From what the recorder wrote to a trace: addresses become blocks, threads become lanes. Not for
// timed code.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "bench/trace/format.h"
#include "bench/trace/raw.h"

namespace bench::trace {

struct Packed {
  Recording recording;
  std::uint32_t threads = 0;  // that were recorded; as many as 64 at once keep a lane of their own
  std::uint64_t last_stamp = 0;
  std::uint64_t unknown = 0;  // ends of blocks made before the first event, or unseen; left out
  std::uint64_t mended = 0;   // ends that were not seen, put where the address was used again
};

// `records` in any order; those whose stamp is 0 don't count. Throws BadTrace.
Packed pack(const std::string& program, std::span<const RawRecord> records);

// The same of a recorder's file; the line begins with its name.
Packed pack_file(const std::string& path);

}  // namespace bench::trace

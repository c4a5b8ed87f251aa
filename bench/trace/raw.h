// SPDX-License-Identifier: MIT
// What the recorder writes while the program runs, one file per process: RawHeader in a page of its
// own, then chunks of records. The file is mapped and written in place: whatever ends the process,
// nothing is lost. A record counts once its stamp is not 0, which is written last.
//
// The stamps of a process are 1, 2, 3...: an order in which the calls can be repeated, whatever its
// threads did. A block is stamped after it was made and before it is ended, so the stamp of its end
// is the larger one, and smaller than that of the next block at the same address.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bench::trace {

enum class RawOp : std::uint8_t {
  kMalloc,
  kCalloc,
  kAligned,
  kReallocBegin,  // `address` may be used again from here on
  kReallocEnd,  // the same thread's next record; `address` 0: nothing happened, or size 0 freed it
  kFree,
};

struct RawRecord {
  std::uint64_t stamp;
  std::uint64_t address;
  std::uint64_t size;
  std::uint32_t thread;
  RawOp op;
  std::uint8_t alignment_log2;
  std::uint8_t unused[2];
};
static_assert(sizeof(RawRecord) == 32);

struct RawHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t pid;
  char program[64];  // ends with 0
};

constexpr char kRawMagic[8] = {'s', 'p', 'w', 'c', 'a', 'l', 'l', 's'};
constexpr std::uint32_t kRawVersion = 1;
constexpr std::size_t kRawHeaderBytes = 4096;
constexpr std::size_t kChunkBytes = 65536;
static_assert(sizeof(RawHeader) <= kRawHeaderBytes);

// What `spillway record` tells the recorder.
constexpr const char* kFolderVariable = "SPWTRACE_FOLDER";    // absolute; unset: do nothing
constexpr const char* kPidVariable = "SPWTRACE_PID";          // only this process
constexpr const char* kProgramVariable = "SPWTRACE_PROGRAM";  // only processes of this name
constexpr const char* kEventsVariable = "SPWTRACE_EVENTS";    // stamps at most
constexpr const char* kSkipVariable = "SPWTRACE_SKIP";        // stamps before the first

}  // namespace bench::trace

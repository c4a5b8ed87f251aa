// SPDX-License-Identifier: MIT
// A trace: the allocator calls of one process, in an order in which they can be repeated, and the
// file that holds it.
//
//   8 bytes "spwtrace", 4 bytes version (little endian), then one zstd frame with checksum and
//   content size. Its content, where number means a varint (7 bits a byte, lowest first):
//     number of bytes of the program's name, the name; number of threads; number of events;
//     five columns, each preceded by the number of its bytes:
//       heads       one byte per event, its Op; kSwitch before an event of another thread than the
//                   last one's (the first thread is 0)
//       threads     a number per kSwitch: the thread
//       sizes       a number per event that makes a block: the bytes asked for
//       ends        a number per event that ends a block: how many blocks were made after that one
//       alignments  one byte per kAligned: the binary logarithm
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench::trace {

enum class Op : std::uint8_t { kMalloc, kCalloc, kAligned, kRealloc, kFree };

constexpr bool makes_block(Op op) { return op != Op::kFree; }
constexpr bool ends_block(Op op) { return op == Op::kFree || op == Op::kRealloc; }

// Blocks are numbered as they are made, from 0. Each is ended once at most; a realloc ends one and
// makes another.
struct Event {
  std::uint64_t size = 0;   // makes_block() only
  std::uint32_t made = 0;   // makes_block() only
  std::uint32_t ended = 0;  // ends_block() only
  std::uint16_t thread = 0;
  Op op = Op::kMalloc;
  std::uint8_t alignment_log2 = 0;  // kAligned only

  bool operator==(const Event&) const = default;
};

struct Recording {
  std::string program;
  std::uint32_t threads = 1;
  std::uint32_t blocks = 0;  // made by all events together
  std::vector<Event> events = {};

  bool operator==(const Recording&) const = default;
};

constexpr std::string_view kMagic = "spwtrace";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint8_t kSwitch = 5;
constexpr std::uint32_t kMaxThreads = 64;
constexpr std::uint64_t kMaxEvents = 1U << 25;  // 1 GiB of them in memory when replayed
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 46;
constexpr std::uint8_t kMinAlignmentLog2 = 3;  // posix_memalign() takes no less
constexpr std::uint8_t kMaxAlignmentLog2 = 30;
constexpr std::size_t kMaxName = 255;

// One line for the user, without the file's name.
struct BadTrace : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The recording keeps the rules above.
std::vector<std::uint8_t> encode(const Recording& recording);

// Throws BadTrace for anything that encode() does not write.
Recording decode(std::span<const std::uint8_t> file);

}  // namespace bench::trace

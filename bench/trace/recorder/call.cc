// SPDX-License-Identifier: MIT
// Fast part: stamps, and records in the thread's chunk. sink.cc is the rest.
#include "bench/trace/recorder/call.h"

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "bench/trace/recorder/sink.h"

namespace bench::trace {
namespace {

thread_local unsigned t_depth = 0;

}  // namespace

Call::Call() : outermost_(t_depth == 0) { ++t_depth; }

Call::~Call() { --t_depth; }

void Call::note(RawOp op, const void* block, std::size_t size, unsigned alignment_log2) {
  if (!sink_is_open()) {
    return;
  }
  const std::uint64_t stamp = next_stamp();
  if (stamp == 0) {
    return;
  }
  RawRecord* record = next_record();
  if (record == nullptr) {
    return;
  }
  record->address = reinterpret_cast<std::uintptr_t>(block);
  record->size = size;
  record->thread = own_number();
  record->op = op;
  record->alignment_log2 = static_cast<std::uint8_t>(alignment_log2);
  // Release: a process that is killed here leaves a whole record or none.
  std::atomic_ref(record->stamp).store(stamp, std::memory_order_release);
}

}  // namespace bench::trace

// SPDX-License-Identifier: MIT
#include "alloc/heap/glibc_information.h"

#include <cerrno>
#include <climits>

#include "alloc/heap/report.h"
#include "alloc/heap/report_space.h"

namespace spillway::heap {
namespace {

int to_int(size_t value) { return value > INT_MAX ? INT_MAX : static_cast<int>(value); }

}  // namespace

struct mallinfo2 info2() {
  ReportSpace space;
  if (!space) {
    return {};
  }
  stats::Snapshot& snapshot = space.snapshot();
  collect(snapshot);
  const uint64_t dirty = snapshot.pool_dirty_bytes;
  struct mallinfo2 result = {};
  const uint64_t mimalloc_free = snapshot.mimalloc_committed_bytes - snapshot.mimalloc_live_bytes;
  result.uordblks =
      snapshot.pool_live_bytes + snapshot.mimalloc_live_bytes + snapshot.guarded_live_bytes;
  result.fordblks = snapshot.pool_cached_bytes + dirty + snapshot.large_free_bytes + mimalloc_free;
  result.arena = result.uordblks + result.fordblks;
  result.keepcost = dirty + snapshot.large_free_bytes;
  result.hblks = snapshot.large_blocks;
  result.hblkhd = snapshot.large_live_bytes;
  return result;
}

struct mallinfo info() {
  const struct mallinfo2 wide = info2();
  struct mallinfo result = {};
  result.arena = to_int(wide.arena);
  result.uordblks = to_int(wide.uordblks);
  result.fordblks = to_int(wide.fordblks);
  result.keepcost = to_int(wide.keepcost);
  result.hblks = to_int(wide.hblks);
  result.hblkhd = to_int(wide.hblkhd);
  return result;
}

int info_xml(int options, std::FILE* stream) {
  if (options != 0) {
    errno = EINVAL;
    return -1;
  }
  ReportSpace space;
  if (!space) {
    errno = ENOMEM;
    return -1;
  }
  stats::Snapshot& snapshot = space.snapshot();
  collect(snapshot);
  std::fputs("<malloc version=\"spillway-1\">\n<heap nr=\"0\">\n<sizes>\n", stream);
  for (uint32_t index = 1; index <= snapshot.class_count; ++index) {
    const stats::ClassSnapshot& one = snapshot.classes[index];
    const unsigned long free_blocks = one.cached + one.free;
    if (free_blocks != 0) {
      std::fprintf(stream, "<size from=\"%u\" to=\"%u\" total=\"%lu\" count=\"%lu\"/>\n",
                   one.block_size, one.block_size, free_blocks * one.block_size, free_blocks);
    }
  }
  std::fprintf(stream,
               "</sizes>\n<total type=\"mmap\" count=\"%lu\" size=\"%lu\"/>\n"
               "<mimalloc live=\"%lu\" committed=\"%lu\"/>\n"
               "<system type=\"current\" size=\"%lu\"/>\n"
               "<aspace type=\"total\" size=\"%lu\"/>\n</heap>\n</malloc>\n",
               snapshot.large_blocks, snapshot.large_live_bytes, snapshot.mimalloc_live_bytes,
               snapshot.mimalloc_committed_bytes, snapshot.held_bytes,
               snapshot.pool_reserved_bytes);
  return std::ferror(stream) != 0 ? -1 : 0;
}

int set_parameter(int parameter, int value) {
  constexpr int kMaxFast = 80 * sizeof(size_t) / 4;
  return parameter != M_MXFAST || (value >= 0 && value <= kMaxFast) ? 1 : 0;
}

}  // namespace spillway::heap

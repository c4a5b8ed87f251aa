#include "alloc/heap/inspect.h"

#include <cerrno>
#include <climits>

#include "alloc/fallback/fallback.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/report.h"
#include "alloc/heap/start.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"

namespace spillway::heap {
namespace {

int to_int(size_t value) { return value > INT_MAX ? INT_MAX : static_cast<int>(value); }

}  // namespace

int trim(size_t /*pad*/) {
  const os::ErrnoKeeper keeper;
  if (is_pooling()) {
    heap.engine.flush(anchor);
  }
  const size_t before = fallback::footprint().committed;
  fallback::collect(true);
  return fallback::footprint().committed < before ? 1 : 0;
}

struct mallinfo2 info2() {
  stats::Snapshot snapshot;
  collect(snapshot);
  struct mallinfo2 result = {};
  result.arena = snapshot.pool_committed_bytes;
  result.uordblks = snapshot.pool_live_bytes;
  result.fordblks = snapshot.pool_cached_bytes + snapshot.pool_free_bytes;
  result.hblkhd = fallback::footprint().committed;
  return result;
}

struct mallinfo info() {
  const struct mallinfo2 wide = info2();
  struct mallinfo result = {};
  result.arena = to_int(wide.arena);
  result.uordblks = to_int(wide.uordblks);
  result.fordblks = to_int(wide.fordblks);
  result.hblkhd = to_int(wide.hblkhd);
  return result;
}

int info_xml(int options, std::FILE* stream) {
  if (options != 0) {
    errno = EINVAL;
    return -1;
  }
  stats::Snapshot snapshot;
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
               "</sizes>\n<system type=\"current\" size=\"%lu\"/>\n"
               "<aspace type=\"total\" size=\"%lu\"/>\n</heap>\n</malloc>\n",
               snapshot.pool_committed_bytes, snapshot.pool_reserved_bytes);
  return std::ferror(stream) != 0 ? -1 : 0;
}

void print_statistics() { write_statistics(os::kStandardError, config::StatsFormat::kText); }

int set_parameter(int /*parameter*/, int /*value*/) { return 0; }

}  // namespace spillway::heap

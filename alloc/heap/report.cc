// SPDX-License-Identifier: MIT
#include "alloc/heap/report.h"

#include <algorithm>
#include <new>

#include "alloc/heap/counters.h"
#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/state.h"
#include "alloc/heap/tenants.h"
#include "alloc/heap/watched.h"
#include "alloc/mimalloc/calls.h"
#include "alloc/os/os.h"
#include "alloc/stats/output.h"
#include "alloc/stats/print.h"

namespace spillway::heap {
namespace {

stats::Identity identity() {
  return {.program = os::program_name(),
          .process = os::process_id(),
          .version = SPILLWAY_VERSION_NUMBER,
          .started_at_ns = started_at_ns(),
          .taken_at_ns = os::wall_clock_ns()};
}

// The gauges of the field, from those of pool, large blocks and mimalloc.
void sum_up(stats::Snapshot& snapshot, os::Mapped mapped, uint64_t segments) {
  snapshot.allocated_bytes = snapshot.pool_live_bytes + snapshot.large_live_bytes +
                             snapshot.guarded_live_bytes + snapshot.mimalloc_live_bytes;
  const uint64_t in_chunks =
      snapshot.pool_grown_bytes - std::min(snapshot.pool_grown_bytes, snapshot.pool_free_bytes);
  snapshot.active_bytes = std::max(snapshot.allocated_bytes, in_chunks + snapshot.wide_live_bytes +
                                                                 snapshot.guarded_live_bytes +
                                                                 snapshot.mimalloc_live_bytes);
  snapshot.resident_bytes = snapshot.held_bytes + snapshot.metadata_bytes;
  snapshot.mapped_bytes = mapped.bytes + snapshot.mimalloc_mapped_bytes;
  snapshot.retained_bytes =
      snapshot.mapped_bytes - std::min(snapshot.mapped_bytes, snapshot.resident_bytes);
  snapshot.mappings = mapped.mappings + segments;
}

}  // namespace

void collect(stats::Snapshot& snapshot, Effort effort) {
  new (&snapshot) stats::Snapshot;  // an assignment would have a second one on the stack
  if (is_pooling()) {
    heap.engine.collect(snapshot);
    scavenger.collect(heap.engine, snapshot);
    snapshot.metadata_bytes += watched_table_bytes();
  } else {
    snapshot.pool_off = 1;
  }
  snapshot.identity = identity();
  const mimalloc::Footprint mimalloc = mimalloc::footprint();
  const mimalloc::Live live = mimalloc::live();
  const uint64_t resident = effort == Effort::kFull ? os::resident_bytes() : 0;
  snapshot.process_resident_bytes = resident != 0 ? resident : stats::kUnknown;
  snapshot.held_bytes =
      held_bytes(mimalloc.committed, resident != 0 ? resident : mimalloc.peak_resident);
  snapshot.mimalloc_live_bytes = live.bytes;
  snapshot.mimalloc_live_blocks =
      live.blocks != mimalloc::Live::kUnknown ? live.blocks : stats::kUnknown;
  // Added up by mimalloc, the whole is at times less than its part.
  snapshot.mimalloc_committed_bytes = std::max(mimalloc.committed, live.bytes);
  snapshot.mimalloc_mapped_bytes =
      std::max(mimalloc::mapped_bytes(), size_t{snapshot.mimalloc_committed_bytes});
  snapshot.limit_bytes = soft_limit_bytes();
  snapshot.hard_limit_bytes = hard_limit_bytes();
  snapshot.limit_crossed_total = counters.limit_crossed.get();
  snapshot.pressure_purges_total = counters.pressure_purges.get();
  snapshot.hard_limit_refusals_total = counters.hard_limit_refusals.get();
  snapshot.class_full_total = counters.class_full.get();
  snapshot.profile_samples = heap_profile.live();
  snapshot.profile_samples_total = heap_profile.taken();
  snapshot.profile_dropped_total = heap_profile.dropped();
  snapshot.double_frees_total = counters.double_frees.get();
  snapshot.invalid_frees_total = counters.invalid_frees.get();
  snapshot.guarded_live_bytes = guarded.live_bytes();
  snapshot.guarded_blocks = guarded.live_blocks();
  snapshot.guarded_allocations_total = guarded.allocations();
  snapshot.damages_total = counters.damages.get();
  snapshot.size_mismatches_total = counters.size_mismatches.get();
  sum_up(snapshot, os::mapped(), live.segments);
  snapshot.last_tenant = last_tenant();
  snapshot.read_tenant = read_tenant;
}

void print_statistics(stats::Output& output, config::StatsFormat format, stats::Snapshot& snapshot,
                      Effort effort) {
  collect(snapshot, effort);
  switch (format) {
    case config::StatsFormat::kOff:
      break;
    case config::StatsFormat::kText:
      stats::print_text(snapshot, output);
      break;
    case config::StatsFormat::kJson:
      stats::print_json(snapshot, output);
      break;
    case config::StatsFormat::kPrometheus:
      stats::print_prometheus(snapshot, output);
      break;
  }
}

bool write_statistics(int descriptor, config::StatsFormat format, ReportSpace& space,
                      Effort effort) {
  stats::Output output(descriptor, space.text());
  print_statistics(output, format, space.snapshot(), effort);
  return output.finish();
}

bool write_statistics(int descriptor, config::StatsFormat format) {
  ReportSpace space;
  return space && write_statistics(descriptor, format, space);
}

}  // namespace spillway::heap

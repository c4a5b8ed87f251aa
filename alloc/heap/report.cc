#include "alloc/heap/report.h"

#include <algorithm>
#include <string_view>

#include "alloc/base/line.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/start.h"
#include "alloc/heap/upkeep.h"
#include "alloc/os/message.h"
#include "alloc/stats/print.h"

namespace spillway::heap {
namespace {

constexpr size_t kLongestPath = 4096;

// The path with the process id for each %p.
void expand(std::string_view pattern, Line<kLongestPath>& path) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && i + 1 < pattern.size() && pattern[i + 1] == 'p') {
      path.number(os::process_id());
      ++i;
    } else {
      path.put(pattern[i]);
    }
  }
}

int kept_stderr = -1;

}  // namespace

void collect(stats::Snapshot& snapshot) {
  snapshot = {};
  if (is_pooling()) {
    heap.engine.collect(snapshot);
    upkeep.collect(heap.engine, snapshot);
  } else {
    snapshot.pool_off = 1;
  }
  snapshot.held_bytes = held_bytes();
  // Added up by mimalloc, the whole is at times less than its part.
  snapshot.fallback_live_bytes = fallback::live_bytes();
  snapshot.fallback_committed_bytes =
      std::max(fallback::footprint().committed, snapshot.fallback_live_bytes);
  snapshot.limit_crossed_total = counters.limit_crossed.get();
  snapshot.pressure_purges_total = counters.pressure_purges.get();
  snapshot.hard_limit_refusals_total = counters.hard_limit_refusals.get();
  snapshot.class_full_total = counters.class_full.get();
  snapshot.double_frees_total = counters.double_frees.get();
  snapshot.invalid_frees_total = counters.invalid_frees.get();
  snapshot.size_mismatches_total = counters.size_mismatches.get();
}

void write_statistics(int descriptor, config::StatsFormat format) {
  stats::Snapshot snapshot;
  collect(snapshot);
  switch (format) {
    case config::StatsFormat::kOff:
      return;
    case config::StatsFormat::kText:
      return stats::print_text(snapshot, descriptor);
    case config::StatsFormat::kJson:
      return stats::print_json(snapshot, descriptor);
    case config::StatsFormat::kPrometheus:
      return stats::print_prometheus(snapshot, descriptor);
  }
}

void prepare_exit_report() {
  const auto format = options().choice<config::StatsFormat>(config::Option::stats);
  if (format != config::StatsFormat::kOff && options().text(config::Option::stats_file).empty()) {
    kept_stderr = os::duplicate_descriptor(os::kStandardError);
  }
}

void report_at_exit() {
  const auto format = options().choice<config::StatsFormat>(config::Option::stats);
  if (format == config::StatsFormat::kOff) {
    return;
  }
  if (options().text(config::Option::stats_file).empty()) {
    return write_statistics(kept_stderr, format);
  }
  Line<kLongestPath> path;
  expand(options().text(config::Option::stats_file), path);
  const int descriptor = os::open_for_writing(path.c_str());
  if (descriptor < 0) {
    os::Message message;
    message.line().text("option stats_file: cannot write ").quoted(path.view());
    message.send();
    return;
  }
  write_statistics(descriptor, format);
  os::close_descriptor(descriptor);
}

}  // namespace spillway::heap

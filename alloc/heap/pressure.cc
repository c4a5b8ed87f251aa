#include "alloc/heap/pressure.h"

#include "alloc/config/options.h"
#include "alloc/heap/counters.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/start.h"
#include "alloc/heap/upkeep.h"
#include "alloc/os/os.h"

namespace spillway::heap {

bool watches_pressure() { return options().value(config::Option::pressure) != config::kWordValue; }

void relieve_pressure() {
  static constinit PressureGauge gauge;
  if (!watches_pressure()) {
    return;
  }
  const int64_t per_cent = options().value(config::Option::pressure);
  const uint64_t stall_us =
      os::memory_stall_us("/proc/self/cgroup", "/sys/fs/cgroup", "/proc/pressure/memory");
  if (gauge.rose(per_cent, stall_us, os::monotonic_ns()) &&
      upkeep.purge_everything(heap.engine) != 0) {
    counters.pressure_purges.add();
  }
}

}  // namespace spillway::heap

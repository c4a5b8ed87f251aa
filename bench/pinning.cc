// SPDX-License-Identifier: MIT
#include "bench/pinning.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstddef>

namespace bench {

void pin_to_core(int thread) {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) {
    return;
  }
  int skip = thread % std::max(1, CPU_COUNT(&usable));
  for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &usable) && skip-- == 0) {
      cpu_set_t own;
      CPU_ZERO(&own);
      CPU_SET(core, &own);
      pthread_setaffinity_np(pthread_self(), sizeof own, &own);
      return;
    }
  }
}

}  // namespace bench

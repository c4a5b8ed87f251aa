// SPDX-License-Identifier: MIT
// Only with the system's mimalloc: brings the end of a thread, where mimalloc hands the thread's
// heap over under locks of its own, behind the fork gate. mimalloc asks for that by a pthread key,
// whose destructor can't be wrapped; so its key's value is cleared and a key of ours takes its
// place. Where mimalloc's key cannot be told, threads end as mimalloc has it, without the gate.
#pragma once

#include "alloc/base/attributes.h"

namespace spillway::mimalloc {

extern __attribute__((tls_model("initial-exec"))) __thread bool thread_is_adopted;
void adopt_thread_slow();

// Before an allocation, inside the gate. Does its work at a thread's first one.
inline void adopt_thread() {
  if (SPILLWAY_UNLIKELY(!thread_is_adopted)) {
    adopt_thread_slow();
  }
}

}  // namespace spillway::mimalloc

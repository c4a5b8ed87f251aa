// SPDX-License-Identifier: MIT
// The options limit and hard_limit: how much memory the process's heap may hold, pool and mimalloc
// together.
//
// Above the soft one all free memory goes back at once; when that is not enough it is counted and
// the program's callback is called. Above the hard one, requests that pass here fail with ENOMEM:
// those of pooled and larger sizes that no thread cache can serve. Smaller ones never do; they
// count as mimalloc commits memory for them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/base/owned_cell.h"

namespace spillway::heap {

using LimitCallback = void (*)(uint64_t held, uint64_t limit);

// As the options say; a share of the memory that the control group, or else the machine, has.
void configure_limits();
// In per cent of the control group's memory, whose files have to be read.
bool limits_are_shares();
// The control group's limit may have changed. Cheap without limits in per cent.
void refresh_limits();
// In a forked child.
void recover_limits_after_fork();
void set_limit_callback(LimitCallback callback);

// In bytes; 0: none.
uint64_t soft_limit_bytes();
uint64_t hard_limit_bytes();

// Bytes held for the program, free ones that are still here included.
uint64_t held_bytes();
// The same of what mimalloc has committed; of that no more counts than the process has resident.
uint64_t held_bytes(uint64_t committed, uint64_t resident);

extern constinit OwnedCell<bool> limits_are_set;
bool admit_slow(size_t size);

// Whether a request may be served; false: the caller fails with ENOMEM.
SPILLWAY_ALWAYS_INLINE bool admit(size_t size) {
  return SPILLWAY_LIKELY(!limits_are_set.get()) || admit_slow(size);
}

}  // namespace spillway::heap

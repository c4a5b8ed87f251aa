// SPDX-License-Identifier: MIT
// Brings the heap to life: the one file of the heap's that knows all others (state.h has
// ensure_started()).
#pragma once

namespace spillway::heap {

// In a forked child: its heap begins now; a start that another thread had begun will never end, and
// the heap is off then.
void recover_start_after_fork();

}  // namespace spillway::heap

// SPDX-License-Identifier: MIT
// The process that replays: fresh, and with nothing in it but the plan. Its parent is parent.h.
#pragma once

#include "bench/trace/replay/player.h"

namespace bench::trace {

// Replays the plan in descriptor `file` twice and writes the outcome there.
void run_child(int file, Touch touch);

}  // namespace bench::trace

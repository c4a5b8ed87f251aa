// SPDX-License-Identifier: MIT
// Which core a thread of a benchmark runs on.
#pragma once

namespace bench {

// The calling thread, the benchmark's n-th, runs on the n-th usable core from now on, counted round
// and round. Left to itself the kernel sometimes puts two threads on one core for a while, and
// handing over then costs something else altogether. Where pinning is refused it runs anywhere.
void pin_to_core(int thread);

}  // namespace bench

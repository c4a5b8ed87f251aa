// SPDX-License-Identifier: MIT
// What the allocator is told of its surroundings, so that it does the same on every machine and
// each time: the processors, since it takes as many arenas or stripes as fit them, and a row with
// 64 threads should meet those of a machine with 64 processors; the time (clock.h); random numbers.
// Threads that the allocator creates sleep for good: what they would do is not counted, and would
// disturb what is.
// The program's own definitions of sysconf, clock_gettime and their like come before the library's
// for every file of the process. What a library asks the kernel itself is true.
#pragma once

namespace bench::contention {

// For the program that this process becomes by exec: sets environment variables. glibc's malloc
// asks for processors inside the library; it gets its number of arenas as a tunable. Another
// tunable keeps memset and its like from AVX-512, whose instructions capstone 4 does not know.
void pretend(unsigned processors, unsigned memory_gib);

}  // namespace bench::contention

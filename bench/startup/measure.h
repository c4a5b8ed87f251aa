// SPDX-License-Identifier: MIT
// Starts a small program under an allocator and says what that took. Not for use by several
// threads.
#pragma once

#include <string>

namespace bench {

struct Contender {
  std::string name;
  std::string library;  // what LD_PRELOAD gets; empty: nothing is preloaded
};

struct Start {
  double wall_us;  // from before the spawn until the program was waited for
  double cpu_us;   // user and system time of the program
  double faults;
};

struct Memory {
  double resident_kib;  // as top shows it, shared pages of libraries included
  double private_kib;   // only this process has these
};

// Each ends the program with a message if the program can't be started or fails.
Start time_start(const Contender& contender);

// Memory at the moment of the program's exit, read while it is stopped there: the kernel's figure
// for children (ru_maxrss) would include their parent's memory. False if tracing is not allowed.
bool measure_memory(const Contender& contender, Memory& memory);

// The file that malloc comes from in a process started this way; asks a second copy of this
// program.
std::string file_in_use(const Contender& contender);

// The argument that makes this program print that file and end.
inline constexpr const char* kPrintAllocator = "--print-allocator";

}  // namespace bench

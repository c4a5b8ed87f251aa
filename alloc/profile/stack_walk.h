// SPDX-License-Identifier: MIT
// The calling thread's stack: the addresses that its functions will return to, by the frame
// descriptions that compilers write for exceptions (.eh_frame). Works where they are, with or
// without frame pointers; code without any, such as a JIT compiler's, ends the walk.
//
// No allocation, no lock, no system call; in signal handlers and inside dlopen(), too. Takes 4 KiB
// of stack at most and some 200 ns for each frame. Ours instead of libgcc's (_Unwind_Backtrace):
// that one takes as long, brings a library into C programs, aborts the process on a description
// that it can't read, and reads whatever address a wrong one gives.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spillway::profile {

inline constexpr size_t kMaxFrames = 64;

class RuleCache;

struct AddressRange {
  uintptr_t start = 0;
  uintptr_t end = 0;
};

// Innermost first: addresses inside of the calls, not behind them. Leaves out leading frames in
// `skipped`, this function's own included. Returns how many; at most kMaxFrames. With a cache
// frames that were walked before take some 30 ns.
size_t walk_stack(AddressRange skipped, uintptr_t (&frames)[kMaxFrames],
                  RuleCache* cache = nullptr);

}  // namespace spillway::profile

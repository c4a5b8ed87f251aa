// SPDX-License-Identifier: MIT
// A case in a process of its own, so that no row depends on what the rows before it left of the
// heap: free memory of other sizes, huge pages, caches. This process has one thread and a heap that
// is all but untouched, and so has each child when it begins.
#pragma once

#include <vector>

#include "bench/threads/cases.h"
#include "bench/threads/crew.h"

namespace bench {

// Ends the program if the child did not end well.
std::vector<Sample> run_apart(const Case& one, Effort effort);

}  // namespace bench

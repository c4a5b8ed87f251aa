// SPDX-License-Identifier: MIT
// Counts what the program asks of operator new, in all threads.
#pragma once

#include <cstdint>

namespace spillway::pool::testing {

uint64_t heap_allocations();

}  // namespace spillway::pool::testing

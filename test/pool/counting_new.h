// SPDX-License-Identifier: MIT
// Counts what the program asks of operator new, in all threads, and refuses it on demand.
#pragma once

#include <cstdint>

namespace spillway::pool::testing {

uint64_t heap_allocations();

// While it lives, the calls after the next `successes` ones throw std::bad_alloc.
class RefusingNew {
 public:
  explicit RefusingNew(uint64_t successes);
  ~RefusingNew();
  RefusingNew(const RefusingNew&) = delete;
  RefusingNew& operator=(const RefusingNew&) = delete;
};

}  // namespace spillway::pool::testing

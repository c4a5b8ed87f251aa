// SPDX-License-Identifier: MIT
// What a reader must know of the machine to judge a figure. Not for timed code.
#pragma once

#include "bench/json.h"

namespace bench {

// Processors this process may run on (its affinity, not the machine's count).
int usable_cores();

// Processor, cores, memory, kernel, page size, huge-page policy and load, as name and text.
Facts machine_facts();

// machine_facts() preceded by the allocator that is really loaded and the file it comes from.
Facts run_facts();

// One line each, to stdout.
void print_facts(const Facts& facts);

}  // namespace bench

// SPDX-License-Identifier: MIT
// What the programs have in common that report through Google Benchmark, and their rows of several
// threads: those are measured by a crew (bench/threads/crew.h), not by Google Benchmark, whose
// figure for more threads than cores depends on the order in which they get to run.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bench/threads/crew.h"

namespace bench {

// A row whose time is the median of Sample::wall_ns, and whose counter `quiet` is that of
// bench/threads/summary.h.
void register_crew_row(const std::string& name, std::function<std::unique_ptr<Work>()> make);

// The program's main(): Google Benchmark's options, and for crew rows --repetitions=N and
// --milliseconds=N; --smoke: everything once and briefly, to see that it runs. `register_rows` is
// called once the options are known; the machine and the allocator are in the output's context.
int run_rows(int argc, char** argv, void (*register_rows)());

}  // namespace bench

// SPDX-License-Identifier: MIT
// How the heap comes to life, and what it decided then.
//
// unstarted --first pooled request, or the constructor--> starting --> pooling | off
//
// A request that comes while another thread starts the heap, or before it can be started, goes to
// mimalloc: no thread waits.
#pragma once

#include "alloc/config/options.h"

namespace spillway::heap {

// Starts the heap if that has not happened; true when it is pooling. Called before the C library
// has set itself up it does nothing and is asked again later.
bool ensure_started();

bool is_pooling();

// When the heap of this process began, in nanoseconds since 1970; a forked child's at the fork.
uint64_t started_at_ns();

// The options in force; defaults before the start.
const config::Options& options();
// At run time; see set_option.h.
void change_option(const config::OptionSpec& spec, int64_t value);

// In a forked child: its heap begins now; a start that another thread had begun will never end, and
// the heap is off then.
void recover_start_after_fork();

}  // namespace spillway::heap

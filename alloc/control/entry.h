// SPDX-License-Identifier: MIT
// What entry.cc, which says what the entry is, has besides.
#pragma once

// What runs on the entry's stack, in whatever thread; heap/control.cc has it.
extern "C" [[gnu::visibility("hidden")]] void spillway_control_woken();

namespace spillway::control {

// In a forked child: a thread that was on the entry's stack is not there, unless it forked.
void forget_entry_after_fork();

}  // namespace spillway::control

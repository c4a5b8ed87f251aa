// SPDX-License-Identifier: MIT
// What a case's threads share, and the operating system as they find it: memory that each execution
// finds as it was, a clock that moves only while all threads wait, barriers and yields of the
// machine's threads.
#pragma once

#include <cstdint>

namespace spillway::model {

// What is in the world now is what restore_world() brings back.
void keep_world();
void restore_world();
// Of each plain store, before it: reserved memory of blocks is restored, too.
void note_write(uintptr_t address);
// The ranges of hand_over().
void hand_over_again();

// Where the program begins in memory.
uintptr_t load_address();

}  // namespace spillway::model

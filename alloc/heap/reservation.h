// SPDX-License-Identifier: MIT
// The address space that the heap reserves and does not use, in a process that limits its own or
// locks its memory.
#pragma once

#include <cstdint>

namespace spillway::heap {

// Before the process's limit of address space becomes `bytes`: where that leaves less than the
// machine's memory for growth, reserved space that was never used goes back to the kernel. The pool
// grows no more then; mimalloc serves what it has not, up to the limit.
void make_room_below(uint64_t bytes);

// After the kernel refused to lock all memory, because it counts the reservation: the same, if the
// limit admits the rest. False: it does not, or there is nothing to give.
bool make_room_to_lock();

// The process locked its memory: the heap commits no more than it needs from now on.
void note_locked();

}  // namespace spillway::heap

// The address space that the heap reserves and does not use, in a process that limits its own.
#pragma once

#include <cstdint>

namespace spillway::heap {

// Before the process's limit of address space becomes `bytes`: where that leaves less than the
// machine's memory for growth, reserved space that was never used goes back to the kernel. The pool
// grows no more then; mimalloc serves what it has not, up to the limit.
void make_room_below(uint64_t bytes);

}  // namespace spillway::heap

// SPDX-License-Identifier: MIT
// DWARF expressions, as far as frame descriptions use them: in the linker's procedure tables, in
// the C library's return from signal handlers, and around realigned stacks.
#pragma once

#include <cstdint>

#include "alloc/profile/frame_memory.h"
#include "alloc/profile/frame_rules.h"

namespace spillway::profile {

// `block`: the expression's length and its operations. `first` lies on the expression's stack
// already. False for operations that are not known and memory that is not the stack's.
bool evaluate(const uint8_t* block, const uintptr_t (&registers)[kRegisters], uintptr_t first,
              const FrameMemory& memory, uintptr_t& result);

}  // namespace spillway::profile

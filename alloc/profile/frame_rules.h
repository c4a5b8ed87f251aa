// SPDX-License-Identifier: MIT
// Where a caller's registers are, at one instruction of a function: the outcome of the frame
// description's instructions up to there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/profile/frame_table.h"

namespace spillway::profile {

#if defined(__x86_64__)
inline constexpr size_t kRegisters = 17;  // the last one: the return address
inline constexpr size_t kStackPointer = 7;
#elif defined(__aarch64__)
inline constexpr size_t kRegisters = 32;
inline constexpr size_t kStackPointer = 31;
#else
#error "stacks are walked on x86-64 and 64-bit ARM"
#endif

struct FrameRules {
  enum class Where : uint8_t {
    kSame,       // not saved: as in the function
    kUndefined,  // there is no caller's value
    kSaved,      // in memory, at `value` bytes from the frame's address
    kOffset,     // the frame's address and `value`
    kRegister,   // in the register `value`
    kSavedAt,    // in memory, where the expression at `value` says
    kExpression  // what that says
  };
  // Apart, so that few bytes are set and copied.
  Where where[kRegisters];
  int64_t values[kRegisters];
  // The frame's address: register and offset, or an expression.
  const uint8_t* frame_expression;
  int64_t frame_offset;
  uint32_t frame_register;
  bool signs_return_address;  // of 64-bit ARM
};

// False for instructions that are not known. Takes some KiB of stack, whatever they are.
bool find_rules(const FrameDescription& frame, uintptr_t address, FrameRules& rules);

}  // namespace spillway::profile

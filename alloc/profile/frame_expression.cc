// SPDX-License-Identifier: MIT
#include "alloc/profile/frame_expression.h"

#include <cstddef>

#include "alloc/profile/cfi_cursor.h"

namespace spillway::profile {
namespace {

// DWARF 5, section 2.5. Nothing branches, so that each operation is carried out once.
class Machine {
 public:
  Machine(const uintptr_t (&registers)[kRegisters], const FrameMemory& memory)
      : registers_(registers), memory_(memory) {}

  bool push(uintptr_t value) {
    if (depth_ == kMaxDepth) {
      return false;
    }
    stack_[depth_++] = value;
    return true;
  }
  bool pop(uintptr_t& value) {
    if (depth_ == 0) {
      return false;
    }
    value = stack_[--depth_];
    return true;
  }

  bool step(CfiCursor& cursor) {
    const auto code = cursor.fixed<uint8_t>();
    if (code >= 0x30 && code < 0x50) {  // lit0 .. lit31
      return push(code - 0x30U);
    }
    if (code >= 0x70 && code < 0x90) {  // breg0 .. breg31
      return push_register(code - 0x70U, cursor.signed_leb());
    }
    if (code >= 0x08 && code <= 0x11) {
      return push_constant(code, cursor);
    }
    return code < 0x19 ? step_stack(code) : step_arithmetic(code, cursor);
  }

 private:
  static constexpr size_t kMaxDepth = 8;

  bool push_register(uint64_t number, int64_t offset) {
    return number < kRegisters && push(registers_[number] + static_cast<uintptr_t>(offset));
  }

  bool push_constant(uint8_t code, CfiCursor& cursor) {
    switch (code) {
      case 0x08:
        return push(cursor.fixed<uint8_t>());
      case 0x09:
        return push(static_cast<uintptr_t>(int64_t{cursor.fixed<int8_t>()}));
      case 0x0a:
        return push(cursor.fixed<uint16_t>());
      case 0x0b:
        return push(static_cast<uintptr_t>(int64_t{cursor.fixed<int16_t>()}));
      case 0x0c:
        return push(cursor.fixed<uint32_t>());
      case 0x0d:
        return push(static_cast<uintptr_t>(int64_t{cursor.fixed<int32_t>()}));
      case 0x0e:
      case 0x0f:
        return push(cursor.fixed<uint64_t>());
      case 0x10:
        return push(cursor.unsigned_leb());
      default:
        return push(static_cast<uintptr_t>(cursor.signed_leb()));
    }
  }

  bool step_stack(uint8_t code) {
    uintptr_t top = 0;
    uintptr_t next = 0;
    switch (code) {
      case 0x06: {  // deref
        uintptr_t word = 0;
        return pop(top) && memory_.read(top, word) && push(word);
      }
      case 0x12:  // dup
        return pop(top) && push(top) && push(top);
      case 0x13:  // drop
        return pop(top);
      case 0x14:  // over
        return pop(top) && pop(next) && push(next) && push(top) && push(next);
      case 0x16:  // swap
        return pop(top) && pop(next) && push(top) && push(next);
      default:
        return false;
    }
  }

  bool step_arithmetic(uint8_t code, CfiCursor& cursor) {
    uintptr_t right = 0;
    uintptr_t left = 0;
    switch (code) {
      case 0x23:  // plus_uconst
        return pop(left) && push(left + cursor.unsigned_leb());
      case 0x1f:  // neg
        return pop(left) && push(uintptr_t{0} - left);
      case 0x20:  // not
        return pop(left) && push(~left);
      default:
        return pop(right) && pop(left) && combine(code, left, right);
    }
  }

  bool combine(uint8_t code, uintptr_t left, uintptr_t right) {
    const auto signed_left = static_cast<intptr_t>(left);
    const auto signed_right = static_cast<intptr_t>(right);
    constexpr uintptr_t kBits = 64;
    switch (code) {
      case 0x1a:
        return push(left & right);
      case 0x1c:
        return push(left - right);
      case 0x1e:
        return push(left * right);
      case 0x21:
        return push(left | right);
      case 0x22:
        return push(left + right);
      case 0x24:
        return push(right < kBits ? left << right : 0);
      case 0x25:
        return push(right < kBits ? left >> right : 0);
      case 0x27:
        return push(left ^ right);
      case 0x29:
        return push(left == right ? 1 : 0);
      case 0x2a:
        return push(signed_left >= signed_right ? 1 : 0);
      case 0x2b:
        return push(signed_left > signed_right ? 1 : 0);
      case 0x2c:
        return push(signed_left <= signed_right ? 1 : 0);
      case 0x2d:
        return push(signed_left < signed_right ? 1 : 0);
      case 0x2e:
        return push(left != right ? 1 : 0);
      default:
        return false;
    }
  }

  const uintptr_t (&registers_)[kRegisters];
  const FrameMemory& memory_;
  uintptr_t stack_[kMaxDepth];
  size_t depth_ = 0;
};

}  // namespace

bool evaluate(const uint8_t* block, const uintptr_t (&registers)[kRegisters], uintptr_t first,
              const FrameMemory& memory, uintptr_t& result) {
  CfiCursor cursor(block);
  const uint64_t length = cursor.unsigned_leb();
  const uint8_t* const end = cursor.position() + length;
  Machine machine(registers, memory);
  bool good = machine.push(first);
  while (good && cursor.position() < end) {
    good = machine.step(cursor);
  }
  return good && machine.pop(result);
}

}  // namespace spillway::profile

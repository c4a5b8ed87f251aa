// SPDX-License-Identifier: MIT
#include "alloc/profile/frame_rules.h"

#include <cstring>

#include "alloc/profile/cfi_cursor.h"

namespace spillway::profile {
namespace {

using Where = FrameRules::Where;

// Carries out the instructions (DWARF 5, section 6.4.2).
class Interpreter {
 public:
  Interpreter(const FrameDescription& frame, uintptr_t address, FrameRules& rules)
      : frame_(frame), address_(address), location_(frame.start), rules_(rules) {}

  bool run() {
    if (!run(frame_.common, frame_.common_end)) {
      return false;
    }
    initial_ = rules_;
    return run(frame_.own, frame_.own_end);
  }

 private:
  // gcc and clang nest none; hand-written code nests one in another at times.
  static constexpr size_t kMaxRemembered = 2;

  bool run(const uint8_t* from, const uint8_t* end) {
    CfiCursor cursor(from);
    while (cursor.position() < end && location_ <= address_) {
      if (!step(cursor)) {
        return false;
      }
    }
    return true;
  }

  bool step(CfiCursor& cursor) {
    const auto code = cursor.fixed<uint8_t>();
    const uint8_t operand = code & 0x3f;
    switch (code & 0xc0) {
      case 0x40:
        advance(operand);
        return true;
      case 0x80:
        set(operand, Where::kSaved, scaled(cursor.unsigned_leb()));
        return true;
      case 0xc0:
        restore(operand);
        return true;
      default:
        return operand < 0x0b ? step_location(operand, cursor) : step_frame(operand, cursor);
    }
  }

  bool step_location(uint8_t code, CfiCursor& cursor) {
    switch (code) {
      case 0x00:  // nop
        return true;
      case 0x01: {  // set_loc
        uint64_t location = 0;
        const bool known = cursor.encoded(frame_.pointer_encoding, location);
        location_ = location;
        return known;
      }
      case 0x02:
        advance(cursor.fixed<uint8_t>());
        return true;
      case 0x03:
        advance(cursor.fixed<uint16_t>());
        return true;
      case 0x04:
        advance(cursor.fixed<uint32_t>());
        return true;
      case 0x05: {  // offset_extended
        const uint64_t number = cursor.unsigned_leb();
        set(number, Where::kSaved, scaled(cursor.unsigned_leb()));
        return true;
      }
      case 0x06:
        restore(cursor.unsigned_leb());
        return true;
      case 0x07:
        set(cursor.unsigned_leb(), Where::kUndefined, 0);
        return true;
      case 0x08:
        set(cursor.unsigned_leb(), Where::kSame, 0);
        return true;
      case 0x09: {  // register
        const uint64_t number = cursor.unsigned_leb();
        set(number, Where::kRegister, static_cast<int64_t>(cursor.unsigned_leb()));
        return true;
      }
      case 0x0a:  // remember_state
        if (remembered_count_ == kMaxRemembered) {
          return false;
        }
        remembered_[remembered_count_++] = rules_;
        return true;
      default:
        return false;
    }
  }

  bool step_frame(uint8_t code, CfiCursor& cursor) {
    switch (code) {
      case 0x0b:  // restore_state
        if (remembered_count_ == 0) {
          return false;
        }
        rules_ = remembered_[--remembered_count_];
        return true;
      case 0x0c:  // def_cfa
        rules_.frame_register = static_cast<uint32_t>(cursor.unsigned_leb());
        rules_.frame_offset = static_cast<int64_t>(cursor.unsigned_leb());
        rules_.frame_expression = nullptr;
        return true;
      case 0x0d:
        rules_.frame_register = static_cast<uint32_t>(cursor.unsigned_leb());
        return true;
      case 0x0e:
        rules_.frame_offset = static_cast<int64_t>(cursor.unsigned_leb());
        return true;
      case 0x0f:
        rules_.frame_expression = cursor.position();
        skip_block(cursor);
        return true;
      case 0x10:
      case 0x16: {  // expression, val_expression
        const uint64_t number = cursor.unsigned_leb();
        set(number, code == 0x10 ? Where::kSavedAt : Where::kExpression,
            reinterpret_cast<int64_t>(cursor.position()));
        skip_block(cursor);
        return true;
      }
      case 0x11: {  // offset_extended_sf
        const uint64_t number = cursor.unsigned_leb();
        set(number, Where::kSaved, cursor.signed_leb() * frame_.data_unit);
        return true;
      }
      case 0x12:  // def_cfa_sf
        rules_.frame_register = static_cast<uint32_t>(cursor.unsigned_leb());
        rules_.frame_offset = cursor.signed_leb() * frame_.data_unit;
        rules_.frame_expression = nullptr;
        return true;
      case 0x13:
        rules_.frame_offset = cursor.signed_leb() * frame_.data_unit;
        return true;
      case 0x14: {  // val_offset
        const uint64_t number = cursor.unsigned_leb();
        set(number, Where::kOffset, scaled(cursor.unsigned_leb()));
        return true;
      }
      case 0x15: {
        const uint64_t number = cursor.unsigned_leb();
        set(number, Where::kOffset, cursor.signed_leb() * frame_.data_unit);
        return true;
      }
      case 0x2d:  // AARCH64_negate_ra_state
        rules_.signs_return_address = !rules_.signs_return_address;
        return true;
      case 0x2e:  // GNU_args_size
        static_cast<void>(cursor.unsigned_leb());
        return true;
      default:
        return false;
    }
  }

  void advance(uint64_t units) { location_ += units * frame_.code_unit; }
  int64_t scaled(uint64_t units) const { return static_cast<int64_t>(units) * frame_.data_unit; }
  // Others, such as vector registers, are nothing that a walk needs.
  void set(uint64_t number, Where where, int64_t value) {
    if (number < kRegisters) {
      rules_.where[number] = where;
      rules_.values[number] = value;
    }
  }
  void restore(uint64_t number) {
    if (number < kRegisters) {
      rules_.where[number] = initial_.where[number];
      rules_.values[number] = initial_.values[number];
    }
  }
  static void skip_block(CfiCursor& cursor) {
    const uint64_t length = cursor.unsigned_leb();
    cursor.skip(length);
  }

  const FrameDescription& frame_;
  uintptr_t address_;
  uintptr_t location_;
  FrameRules& rules_;
  FrameRules initial_;  // set before the function's own instructions
  FrameRules remembered_[kMaxRemembered];
  size_t remembered_count_ = 0;
};

}  // namespace

bool find_rules(const FrameDescription& frame, uintptr_t address, FrameRules& rules) {
  std::memset(rules.where, static_cast<int>(Where::kSame), sizeof rules.where);
  rules.frame_expression = nullptr;
  rules.frame_offset = 0;
  rules.frame_register = 0;
  rules.signs_return_address = false;
  return Interpreter(frame, address, rules).run();
}

}  // namespace spillway::profile

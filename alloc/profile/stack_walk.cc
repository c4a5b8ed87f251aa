// SPDX-License-Identifier: MIT
#include "alloc/profile/stack_walk.h"

#include <sys/auxv.h>

#include "alloc/base/attributes.h"
#include "alloc/os/os.h"
#include "alloc/profile/frame_expression.h"
#include "alloc/profile/frame_memory.h"
#include "alloc/profile/frame_rules.h"
#include "alloc/profile/frame_table.h"
#include "alloc/profile/rule_cache.h"

namespace spillway::profile {
namespace {

// A frame that is longer, and a stack that is, ends the walk: arbitrary, but for what it is to
// find, a wrong frame description.
constexpr uintptr_t kMaxFrame = uintptr_t{16} << 20;
constexpr uintptr_t kMaxStack = uintptr_t{1} << 30;

struct Context {
  uintptr_t registers[kRegisters];
  uintptr_t address;  // of the instruction
  bool is_exact;      // at it, as in a signal handler's caller; otherwise behind a call
};

// The C library keeps a thread's own data at the upper end of its stack, and the kernel puts random
// bytes above the first thread's.
uintptr_t end_of_stack(uintptr_t stack_pointer) {
  for (const uintptr_t end : {os::this_thread(), uintptr_t{getauxval(AT_RANDOM)}}) {
    if (end > stack_pointer && end - stack_pointer < kMaxStack) {
      return end;
    }
  }
  return stack_pointer + kMaxStack;
}

// Of a register that is saved somewhere.
bool find_value(FrameRules::Where where, uintptr_t offset, const Context& context, uintptr_t frame,
                const FrameMemory& memory, uintptr_t& value) {
  using Where = FrameRules::Where;
  switch (where) {
    case Where::kSame:
      return true;
    case Where::kUndefined:
      value = 0;
      return true;
    case Where::kSaved:
      return memory.read(frame + offset, value);
    case Where::kOffset:
      value = frame + offset;
      return true;
    case Where::kRegister:
      value = offset < kRegisters ? context.registers[offset] : 0;
      return offset < kRegisters;
    case Where::kSavedAt:
    case Where::kExpression: {
      uintptr_t result = 0;
      if (!evaluate(reinterpret_cast<const uint8_t*>(offset), context.registers, frame, memory,
                    result)) {
        return false;
      }
      value = result;
      return where == Where::kExpression || memory.read(result, value);
    }
  }
  return false;
}

bool find_frame_address(const FrameRules& rules, const Context& context, const FrameMemory& memory,
                        uintptr_t& frame) {
  if (rules.frame_expression != nullptr) {
    return evaluate(rules.frame_expression, context.registers, 0, memory, frame);
  }
  if (rules.frame_register >= kRegisters) {
    return false;
  }
  frame = context.registers[rules.frame_register] + static_cast<uintptr_t>(rules.frame_offset);
  return true;
}

// A signed return address has its signature above the bits of addresses.
uintptr_t without_signature([[maybe_unused]] bool is_signed, uintptr_t address) {
#if defined(__aarch64__)
  constexpr uintptr_t kAddressBits = (uintptr_t{1} << 48) - 1;
  return is_signed ? address & kAddressBits : address;
#else
  return address;
#endif
}

enum class Step : uint8_t { kDone, kEnd, kUnknown };

// By rules that were kept; unknown where a description may know better.
Step step_by(const CompactRules& rules, Context& context, const FrameMemory& memory) {
  uintptr_t(&registers)[kRegisters] = context.registers;
  const uintptr_t frame =
      registers[rules.frame_register] + static_cast<uintptr_t>(int64_t{rules.frame_offset});
  const uintptr_t stack_pointer = registers[kStackPointer];
  if (frame <= stack_pointer || frame - stack_pointer > kMaxFrame) {
    return Step::kUnknown;
  }
  for (size_t i = 0; i < sizeof CompactRules::kKept; ++i) {
    const uintptr_t below = rules.saved[i] * sizeof(uintptr_t);
    if (below != 0 && !memory.read(frame - below, registers[CompactRules::kKept[i]])) {
      return Step::kEnd;
    }
  }
  registers[kStackPointer] = frame;
  context.address = without_signature(rules.signs_return_address, registers[CompactRules::kReturn]);
  context.is_exact = false;
  return context.address != 0 ? Step::kDone : Step::kEnd;
}

// From a function to its caller. False at the stack's end, and where nothing is known.
bool step(Context& context, const FrameMemory& memory, RuleCache* cache) {
  const uintptr_t inside = context.address - (context.is_exact ? 0 : 1);
  const uint8_t* const table = find_frame_table(inside);
  if (table == nullptr) {
    return false;
  }
  CompactRules compact;
  if (cache != nullptr && cache->find(inside, table, compact)) {
    const Step result = step_by(compact, context, memory);
    if (result != Step::kUnknown) {
      return result == Step::kDone;
    }
  }
  FrameDescription description;
  FrameRules rules;
  uintptr_t frame = 0;
  if (!find_frame(table, inside, description) || !find_rules(description, inside, rules) ||
      !find_frame_address(rules, context, memory, frame)) {
    return false;
  }
  compact = {};
  if (cache != nullptr && compact.pack(description, rules)) {
    cache->put(inside, table, compact);
  }
  const uintptr_t stack_pointer = context.registers[kStackPointer];
  // A signal handler may be on another stack than what it interrupted.
  if (!description.is_signal_frame &&
      (frame <= stack_pointer || frame - stack_pointer > kMaxFrame)) {
    // Without a frame, as a function that has not begun: allowed once, by what a signal interrupts.
    if (frame != stack_pointer || !context.is_exact) {
      return false;
    }
  }
  if (description.return_register >= kRegisters ||
      rules.where[description.return_register] == FrameRules::Where::kUndefined) {
    return false;
  }
  Context caller = context;
  for (size_t number = 0; number < kRegisters; ++number) {
    const FrameRules::Where where = rules.where[number];
    if (where != FrameRules::Where::kSame &&
        !find_value(where, static_cast<uintptr_t>(rules.values[number]), context, frame, memory,
                    caller.registers[number])) {
      return false;
    }
  }
  if (rules.where[kStackPointer] == FrameRules::Where::kSame) {
    caller.registers[kStackPointer] = frame;
  }
  caller.address =
      without_signature(rules.signs_return_address, caller.registers[description.return_register]);
  caller.is_exact = description.is_signal_frame;
  context = caller;
  return context.address != 0;
}

// The caller's registers as far as functions keep them for their callers, here.
SPILLWAY_ALWAYS_INLINE void begin(Context& context) {
  uintptr_t(&r)[kRegisters] = context.registers;
#if defined(__x86_64__)
  __asm__ volatile(
      "movq %%rbx, %0\n\tmovq %%rbp, %1\n\tmovq %%rsp, %2\n\tmovq %%r12, %3\n\t"
      "movq %%r13, %4\n\tmovq %%r14, %5\n\tmovq %%r15, %6\n\t"
      "leaq 0(%%rip), %%rax\n\tmovq %%rax, %7"
      : "=m"(r[3]), "=m"(r[6]), "=m"(r[7]), "=m"(r[12]), "=m"(r[13]), "=m"(r[14]), "=m"(r[15]),
        "=m"(context.address)
      :
      : "rax");
#else
  __asm__ volatile(
      "stp x19, x20, [%1]\n\tstp x21, x22, [%1, #16]\n\tstp x23, x24, [%1, #32]\n\t"
      "stp x25, x26, [%1, #48]\n\tstp x27, x28, [%1, #64]\n\tstp x29, x30, [%1, #80]\n\t"
      "mov x9, sp\n\tstr x9, [%1, #96]\n\tadr x9, .\n\tstr x9, [%2]"
      : "=m"(context)
      : "r"(&r[19]), "r"(&context.address)
      : "x9");
#endif
  context.is_exact = true;
}

}  // namespace

SPILLWAY_NOINLINE size_t walk_stack(AddressRange skipped, uintptr_t (&frames)[kMaxFrames],
                                    RuleCache* cache) {
  Context context{};
  begin(context);
  const uintptr_t stack_pointer = context.registers[kStackPointer];
  FrameMemory memory{.start = stack_pointer, .end = end_of_stack(stack_pointer)};
  size_t count = 0;
  // Twice as many steps as frames are kept: enough for what is left out.
  for (size_t steps = 0; steps < 2 * kMaxFrames && count < kMaxFrames; ++steps) {
    if (!step(context, memory, cache)) {
      break;
    }
    const uintptr_t now = context.registers[kStackPointer];
    if (now < memory.start || now >= memory.end) {  // off a signal handler's stack
      memory = {.start = now, .end = end_of_stack(now)};
    }
    const uintptr_t inside = context.address - (context.is_exact ? 0 : 1);
    if (count != 0 || inside - skipped.start >= skipped.end - skipped.start) {
      frames[count++] = inside;
    }
  }
  return count;
}

}  // namespace spillway::profile

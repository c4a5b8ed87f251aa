// SPDX-License-Identifier: MIT
// A decoded instruction: what the interpreter must know of it.
#pragma once

#include <cstdint>

#include "bench/contention/registers.h"

namespace bench::contention {

enum class Kind : uint8_t {
  kPlain,       // executed by the processor, from a copy
  kJump,        // to `target`, or where `place` says
  kJumpIf,      // `condition`
  kJumpIfZero,  // jrcxz, jecxz: the register by `operand_bytes`
  kLoop,
  kCall,    // to `target`, or where `place` says
  kReturn,  // `target` is what it takes off the stack beside the address
  kSystemCall,
  kStandIn,  // the beginning of a function that the program does itself
  kUnsupported,
};

struct MemoryOperand {
  Register base = kNoRegister;
  Register index = kNoRegister;
  uint8_t scale = 1;
  bool thread_local_base = false;  // fs
  uint8_t bytes = 0;
  bool reads = false;
  bool writes = false;
  int64_t offset = 0;  // absolute where the instruction's is relative to rip
};

enum class StandIn : uint8_t { kNone, kClockGettime, kPthreadCreate };

// Where an indirect jump or call goes: memory[0], a register, or nowhere (direct).
enum class Place : uint8_t { kDirect, kRegister, kMemory };

struct Instruction {
  uint64_t address = 0;
  uint8_t length = 0;
  Kind kind = Kind::kPlain;
  Place place = Place::kDirect;
  uint8_t condition = 0;      // as the low four bits of the opcode
  uint8_t operand_bytes = 8;  // kJumpIfZero
  Register target_register = kNoRegister;
  uint64_t target = 0;
  StandIn stand_in = StandIn::kNone;
  uint8_t memory_operands = 0;
  MemoryOperand memory[2];
  bool atomic = false;   // reads, changes and writes memory in one go: lock, or xchg with memory
  bool fence = false;    // mfence
  bool vector = false;   // uses more than the general registers
  bool repeats = false;  // rep: an operand's access is as long as rcx went down
  void (*native)() = nullptr;  // kPlain and kSystemCall, once it has been made
};

}  // namespace bench::contention

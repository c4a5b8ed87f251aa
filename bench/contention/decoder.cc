// SPDX-License-Identifier: MIT
#include "bench/contention/decoder.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string_view>

#include "bench/contention/capstone_registers.h"
#include "bench/contention/fail.h"
#include "bench/contention/own_memory.h"

namespace bench::contention {
namespace {

constexpr uint8_t kLockPrefix = 0xf0;
constexpr uint8_t kFsPrefix = 0x64;

bool is_one_of(unsigned id, std::initializer_list<x86_insn> ids) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool is_string(unsigned id) {
  return is_one_of(id, {X86_INS_MOVSB, X86_INS_MOVSW, X86_INS_MOVSD, X86_INS_MOVSQ, X86_INS_STOSB,
                        X86_INS_STOSW, X86_INS_STOSD, X86_INS_STOSQ, X86_INS_LODSB, X86_INS_LODSW,
                        X86_INS_LODSD, X86_INS_LODSQ, X86_INS_CMPSB, X86_INS_CMPSW, X86_INS_CMPSD,
                        X86_INS_CMPSQ, X86_INS_SCASB, X86_INS_SCASW, X86_INS_SCASD, X86_INS_SCASQ});
}

bool touches_no_memory(unsigned id) {
  return is_one_of(
      id, {X86_INS_LEA, X86_INS_NOP, X86_INS_PREFETCH, X86_INS_PREFETCHNTA, X86_INS_PREFETCHT0,
           X86_INS_PREFETCHT1, X86_INS_PREFETCHT2, X86_INS_PREFETCHW, X86_INS_CLFLUSH});
}

bool begins_with_one_of(std::string_view name, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [name](std::string_view word) { return name.starts_with(word); });
}

// What happens to the memory that is operand `index`. Capstone 4 says of some stores, such as
// movups, that they read, and of test that it writes.
void set_access(MemoryOperand& memory, std::string_view name, unsigned index, bool floating) {
  if (index != 0) {
    memory.reads = true;
  } else if (begins_with_one_of(
                 name, {"mov", "vmov", "set", "stos", "stmx", "vstmx", "fst", "fist", "fnst", "pop",
                        "pextr", "vpextr", "vextract", "xsave", "fxsave"})) {
    memory.writes = true;
  } else {
    memory.reads = true;
    memory.writes =
        !floating &&
        !begins_with_one_of(name, {"cmps", "scas", "lods", "test", "push", "call", "jmp", "mul",
                                   "imul", "div", "idiv", "ldmx", "vldmx", "xrstor", "fxrstor"}) &&
        name != "cmp" && name != "bt";
  }
}

// Vector or floating-point state without a register among the operands that says so.
bool uses_state(unsigned id) {
  return is_one_of(
      id, {X86_INS_VZEROUPPER, X86_INS_VZEROALL, X86_INS_EMMS, X86_INS_XSAVE, X86_INS_XSAVE64,
           X86_INS_XSAVEC, X86_INS_XSAVEC64, X86_INS_XSAVEOPT, X86_INS_XSAVEOPT64, X86_INS_XRSTOR,
           X86_INS_XRSTOR64, X86_INS_FXSAVE, X86_INS_FXSAVE64, X86_INS_FXRSTOR, X86_INS_FXRSTOR64,
           X86_INS_LDMXCSR, X86_INS_STMXCSR, X86_INS_VLDMXCSR, X86_INS_VSTMXCSR});
}

bool cannot_be_copied(const cs_insn& one, csh capstone) {
  const unsigned id = one.id;
  return cs_insn_group(capstone, &one, X86_GRP_RTM) ||
         is_one_of(id, {X86_INS_LOOPE, X86_INS_LOOPNE, X86_INS_IRETQ, X86_INS_SYSENTER, X86_INS_INT,
                        X86_INS_RDFSBASE, X86_INS_WRFSBASE, X86_INS_RDGSBASE, X86_INS_WRGSBASE,
                        X86_INS_ENTER}) ||
         one.detail->x86.prefix[1] == 0x65;  // gs holds the guest's fs
}

bool is_floating(const cs_x86& x86) { return x86.opcode[0] >= 0xd8 && x86.opcode[0] <= 0xdf; }

bool uses_vectors(const cs_insn& one) {
  const cs_x86& x86 = one.detail->x86;
  if (uses_state(one.id) || is_floating(x86)) {
    return true;
  }
  return std::any_of(x86.operands, x86.operands + x86.op_count, [](const cs_x86_op& operand) {
    return operand.type == X86_OP_REG && any_register(operand.reg) == kNoRegister;
  });
}

MemoryOperand memory_operand(const cs_insn& one, const cs_x86_op& operand) {
  const x86_op_mem& mem = operand.mem;
  MemoryOperand memory;
  memory.base = full_register(mem.base);
  memory.index = full_register(mem.index);
  memory.scale = static_cast<uint8_t>(mem.scale);
  memory.offset = mem.disp;
  memory.thread_local_base = mem.segment == X86_REG_FS;
  memory.bytes = operand.size;
  if (mem.base == X86_REG_RIP) {
    memory.offset += static_cast<int64_t>(one.address + one.size);
  }
  return memory;
}

// A register for the place of rip, with which `one` does nothing else.
Register spare_register(csh capstone, const cs_insn& one) {
  cs_regs read;
  cs_regs written;
  uint8_t reads = 0;
  uint8_t writes = 0;
  if (cs_regs_access(capstone, &one, read, &reads, written, &writes) != CS_ERR_OK) {
    return kNoRegister;
  }
  const auto is = [](Register wanted) {
    return [wanted](uint16_t reg) { return any_register(reg) == wanted; };
  };
  for (const Register candidate : {kRsi, kRdi, kRbp, kRbx, kRcx, kRdx, kRax}) {
    if (std::none_of(read, read + reads, is(candidate)) &&
        std::none_of(written, written + writes, is(candidate))) {
      return candidate;
    }
  }
  return kNoRegister;
}

void find_target(Instruction& instruction, const cs_x86& x86) {
  const cs_x86_op& operand = x86.operands[0];
  if (x86.op_count == 0) {
    return;
  }
  if (operand.type == X86_OP_IMM) {
    instruction.target = static_cast<uint64_t>(operand.imm);
  } else if (operand.type == X86_OP_REG) {
    instruction.place = Place::kRegister;
    instruction.target_register = full_register(operand.reg);
  } else {
    instruction.place = Place::kMemory;
  }
}

Kind kind_of(csh capstone, const cs_insn& one) {
  switch (one.id) {
    case X86_INS_JMP:
      return Kind::kJump;
    case X86_INS_CALL:
      return Kind::kCall;
    case X86_INS_RET:
      return Kind::kReturn;
    case X86_INS_SYSCALL:
      return Kind::kSystemCall;
    case X86_INS_JRCXZ:
    case X86_INS_JECXZ:
      return Kind::kJumpIfZero;
    case X86_INS_LOOP:
      return Kind::kLoop;
    default:
      break;
  }
  if (cannot_be_copied(one, capstone)) {
    return Kind::kUnsupported;
  }
  return cs_insn_group(capstone, &one, X86_GRP_JUMP) ? Kind::kJumpIf : Kind::kPlain;
}

}  // namespace

Decoder::Decoder() {
  cs_opt_mem memory{};
  memory.malloc = own_allocate;
  memory.calloc = [](std::size_t count, std::size_t size) {
    return std::memset(own_allocate(count * size), 0, count * size);
  };
  memory.realloc = own_reallocate;
  memory.free = own_release;
  memory.vsnprintf = std::vsnprintf;
  if (cs_option(0, CS_OPT_MEM, reinterpret_cast<std::size_t>(&memory)) != CS_ERR_OK ||
      cs_open(CS_ARCH_X86, CS_MODE_64, &capstone_) != CS_ERR_OK ||
      cs_option(capstone_, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK) {
    fail("capstone can't be set up");
  }
  scratch_ = cs_malloc(capstone_);
}

Decoder::~Decoder() {
  cs_free(scratch_, 1);
  cs_close(&capstone_);
}

void Decoder::stand_in(uint64_t address, StandIn what) {
  Instruction& instruction = known_[address];
  instruction.address = address;
  instruction.kind = Kind::kStandIn;
  instruction.stand_in = what;
}

const Instruction& Decoder::decode(uint64_t address) {
  constexpr std::size_t kLongest = 15;
  const auto* code = reinterpret_cast<const uint8_t*>(address);
  std::size_t left = kLongest;
  uint64_t next = address;
  if (!cs_disasm_iter(capstone_, &code, &left, &next, scratch_)) {
    fail_at(address, "capstone does not know the instruction");
  }
  const cs_insn& one = *scratch_;
  const cs_x86& x86 = one.detail->x86;
  Instruction instruction;
  instruction.address = address;
  instruction.length = static_cast<uint8_t>(one.size);
  instruction.kind = kind_of(capstone_, one);
  instruction.fence = one.id == X86_INS_MFENCE;
  instruction.repeats = is_string(one.id) && x86.prefix[0] != 0;
  for (unsigned i = 0; i < x86.op_count; ++i) {
    if (x86.operands[i].type == X86_OP_MEM && !touches_no_memory(one.id) &&
        instruction.memory_operands < std::size(instruction.memory)) {
      MemoryOperand& memory = instruction.memory[instruction.memory_operands++];
      memory = memory_operand(one, x86.operands[i]);
      set_access(memory, cs_insn_name(capstone_, one.id), i, is_floating(x86));
    }
  }
  switch (instruction.kind) {
    case Kind::kPlain:
    case Kind::kSystemCall:
      make_native(instruction);
      break;
    case Kind::kJumpIf:
      // 7x, or 0f 8x.
      instruction.condition = (x86.opcode[0] == 0x0f ? x86.opcode[1] : x86.opcode[0]) & 0xf;
      find_target(instruction, x86);
      break;
    case Kind::kJumpIfZero:
      instruction.operand_bytes = one.id == X86_INS_JECXZ ? 4 : 8;
      find_target(instruction, x86);
      break;
    case Kind::kReturn:
    case Kind::kJump:
    case Kind::kCall:
    case Kind::kLoop:
      find_target(instruction, x86);
      break;
    case Kind::kStandIn:
    case Kind::kUnsupported:
      break;
  }
  return known_.emplace(address, instruction).first->second;
}

// Of the instruction in `scratch_`.
void Decoder::make_native(Instruction& instruction) {
  const cs_insn& one = *scratch_;
  const cs_x86& x86 = one.detail->x86;
  Copy copy;
  copy.bytes = std::span(one.bytes, one.size);
  copy.address = one.address;
  for (const cs_x86_op& operand : std::span(x86.operands, x86.op_count)) {
    if (operand.type != X86_OP_MEM) {
      continue;
    }
    instruction.atomic |= x86.prefix[0] == kLockPrefix || one.id == X86_INS_XCHG;
    copy.replaces_fs |= x86.prefix[1] == kFsPrefix;
    if (operand.mem.base == X86_REG_RIP) {
      copy.rip_modrm = x86.encoding.modrm_offset;
      copy.spare = spare_register(capstone_, one);
    }
  }
  if (copy.rip_modrm != 0 && copy.spare == kNoRegister) {
    instruction.kind = Kind::kUnsupported;
    return;
  }
  instruction.vector = uses_vectors(one);
  instruction.native = native_.make(copy, instruction.vector);
}

}  // namespace bench::contention

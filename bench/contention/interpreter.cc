// SPDX-License-Identifier: MIT
#include "bench/contention/interpreter.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "bench/contention/fail.h"
#include "bench/contention/system_call_names.h"

namespace bench::contention {
namespace {

// Where a call returns to: never executed.
const char return_place = 0;
const auto kReturnAddress = reinterpret_cast<uint64_t>(&return_place);

Registers& registers() { return contention_native.registers; }
uint64_t& general(Register number) { return contention_native.registers.general[number]; }

bool holds(uint8_t condition, uint64_t flags) {
  const bool carry = (flags & kCarry) != 0;
  const bool zero = (flags & kZero) != 0;
  const bool sign = (flags & kSign) != 0;
  const bool overflow = (flags & kOverflow) != 0;
  const bool of_pair[] = {overflow,
                          carry,
                          zero,
                          carry || zero,
                          sign,
                          (flags & kParity) != 0,
                          sign != overflow,
                          zero || sign != overflow};
  return of_pair[condition / 2] != (condition % 2 != 0);  // odd: the opposite
}

// These would run on with the wrong thread, or in the wrong place.
bool is_forbidden(uint64_t call) {
  constexpr uint64_t kForbidden[] = {SYS_clone,      SYS_clone3,       SYS_fork,
                                     SYS_vfork,      SYS_execve,       SYS_exit,
                                     SYS_arch_prctl, SYS_rt_sigreturn, SYS_rt_sigsuspend};
  return std::find(std::begin(kForbidden), std::end(kForbidden), call) != std::end(kForbidden);
}

uint64_t library_function(const char* name) {
  return reinterpret_cast<uint64_t>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

Interpreter::Interpreter(Ledger& ledger, Kernel& kernel) : ledger_(ledger), kernel_(kernel) {
  decoder_.stand_in(library_function("clock_gettime"), StandIn::kClockGettime);
  decoder_.stand_in(library_function("pthread_create"), StandIn::kPthreadCreate);
}

void Interpreter::select(Guest& guest) {
  if (guest_ == &guest) {
    return;
  }
  if (guest_ != nullptr) {
    guest_->registers = registers();
  }
  guest_ = &guest;
  registers() = guest.registers;
  contention_native.vectors = guest.vectors;
  set_guest_thread(guest.thread_base);
}

void Interpreter::call(uint64_t function, uint64_t argument) {
  registers() = Registers{};
  general(kRdi) = argument;
  general(kRsp) = guest_->stack + Guest::kStackBytes - 64;  // aligned, as before a call
  push(kReturnAddress);
  registers().rip = function;
  guest_->in_call = true;
}

uint64_t Interpreter::result() const { return general(kRax); }

Step Interpreter::step() {
  Registers& now = registers();
  const Instruction& instruction = decoder_.at(now.rip);
  ledger_.instruction();
  const uint64_t next = instruction.address + instruction.length;
  switch (instruction.kind) {
    case Kind::kPlain:
      return execute_plain(instruction);
    case Kind::kSystemCall:
      return make_system_call(instruction);
    case Kind::kStandIn:
      return stand_in(instruction);
    case Kind::kJump:
      now.rip = destination(instruction);
      return Step::kWent;
    case Kind::kJumpIf:
      now.rip = holds(instruction.condition, now.flags) ? instruction.target : next;
      return Step::kWent;
    case Kind::kJumpIfZero: {
      const uint64_t counter = general(kRcx);
      const bool zero = instruction.operand_bytes == 4 ? (counter & UINT32_MAX) == 0 : counter == 0;
      now.rip = zero ? instruction.target : next;
      return Step::kWent;
    }
    case Kind::kLoop:
      now.rip = --general(kRcx) != 0 ? instruction.target : next;
      return Step::kWent;
    case Kind::kCall: {
      const uint64_t to = destination(instruction);
      push(next);
      now.rip = to;
      return Step::kWent;
    }
    case Kind::kReturn:
      now.rip = pop();
      general(kRsp) += instruction.target;
      if (now.rip != kReturnAddress) {
        return Step::kWent;
      }
      guest_->in_call = false;
      return Step::kReturned;
    case Kind::kUnsupported:
      break;
  }
  fail_at(instruction.address, "an instruction that can't be counted");
}

Step Interpreter::execute_plain(const Instruction& instruction) {
  Registers& now = registers();
  if (instruction.atomic) {
    ledger_.rmw(instruction.address);
  } else if (instruction.fence) {
    ledger_.fence(instruction.address);
  }
  uint64_t starts[2] = {};
  for (int i = 0; i < instruction.memory_operands; ++i) {
    starts[i] = address_of(instruction.memory[i]);
  }
  const uint64_t count = general(kRcx);
  const uint64_t flags = now.flags;
  execute(instruction);
  now.rip = instruction.address + instruction.length;
  for (int i = 0; i < instruction.memory_operands; ++i) {
    const MemoryOperand& memory = instruction.memory[i];
    uint64_t bytes = memory.bytes;
    if (instruction.repeats) {
      const uint64_t all = (count - general(kRcx)) * bytes;
      if ((flags & kDirection) != 0 && all != 0) {
        starts[i] -= all - bytes;
      }
      bytes = all;
    }
    note(instruction, starts[i], bytes, memory.writes);
  }
  return Step::kWent;
}

Step Interpreter::make_system_call(const Instruction& instruction) {
  Registers& now = registers();
  const uint64_t number = general(kRax);
  ledger_.system_call(instruction.address, system_call_name(number));
  now.rip = instruction.address + instruction.length;
  switch (kernel_.call(*guest_, now)) {
    case Kernel::Answer::kDone:
      return Step::kWent;
    case Kernel::Answer::kYields:
      return Step::kYielded;
    case Kernel::Answer::kWaits:
      guest_->registers = now;
      guest_ = nullptr;  // the wait's end sets a register
      return Step::kWaits;
    case Kernel::Answer::kReal:
      break;
  }
  if (is_forbidden(number)) {
    fail_at(instruction.address,
            "a system call that can't be made there, " + system_call_name(number));
  }
  execute(instruction);
  return Step::kWent;
}

// A function of the library that the program does itself.
Step Interpreter::stand_in(const Instruction& instruction) {
  if (instruction.stand_in == StandIn::kClockGettime) {
    ledger_.system_call(instruction.address, "clock_gettime", false);
    general(kRax) = static_cast<uint64_t>(kernel_.clock().read(
        static_cast<clockid_t>(general(kRdi)), reinterpret_cast<timespec*>(general(kRsi))));
  } else {
    ledger_.system_call(instruction.address, "pthread_create", false);
    general(kRax) = static_cast<uint64_t>(pthread_create(
        reinterpret_cast<pthread_t*>(general(kRdi)),
        reinterpret_cast<const pthread_attr_t*>(general(kRsi)),
        reinterpret_cast<void* (*)(void*)>(general(kRdx)), reinterpret_cast<void*>(general(kRcx))));
  }
  registers().rip = pop();
  return Step::kWent;
}

uint64_t Interpreter::address_of(const MemoryOperand& memory) const {
  uint64_t address = static_cast<uint64_t>(memory.offset);
  if (memory.base != kNoRegister) {
    address += general(memory.base);
  }
  if (memory.index != kNoRegister) {
    address += general(memory.index) * memory.scale;
  }
  return memory.thread_local_base ? address + guest_->thread_base : address;
}

uint64_t Interpreter::destination(const Instruction& instruction) {
  switch (instruction.place) {
    case Place::kDirect:
      return instruction.target;
    case Place::kRegister:
      return general(instruction.target_register);
    case Place::kMemory:
      break;
  }
  const uint64_t address = address_of(instruction.memory[0]);
  note(instruction, address, sizeof address, false);
  return *reinterpret_cast<const uint64_t*>(address);
}

// No other thread uses a guest's stack.
void Interpreter::note(const Instruction& instruction, uint64_t address, uint64_t bytes,
                       bool writes) {
  if (!guest_->on_stack(address)) {
    ledger_.access(guest_->number, instruction.address, address, bytes, writes);
  }
}

void Interpreter::push(uint64_t value) {
  general(kRsp) -= sizeof value;
  *reinterpret_cast<uint64_t*>(general(kRsp)) = value;
}

uint64_t Interpreter::pop() {
  const uint64_t value = *reinterpret_cast<const uint64_t*>(general(kRsp));
  general(kRsp) += sizeof value;
  return value;
}

}  // namespace bench::contention

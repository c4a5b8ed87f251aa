// SPDX-License-Identifier: MIT
// Executes calls of guests one instruction at a time and tells the ledger what each does. One guest
// is current; its registers are in `contention_native` then. One thread.
#pragma once

#include <cstdint>

#include "bench/contention/decoder.h"
#include "bench/contention/guest.h"
#include "bench/contention/kernel.h"
#include "bench/contention/ledger.h"

namespace bench::contention {

enum class Step {
  kWent,
  kReturned,  // the call is over; result() tells what it returned
  kYielded,
  kWaits,  // in the kernel: see Guest::waiting
};

class Interpreter {
 public:
  Interpreter(Ledger& ledger, Kernel& kernel);

  // The guest that the functions below are about.
  void select(Guest& guest);
  // None; the one that was may go.
  void release() { guest_ = nullptr; }

  // Begins a call of `function`, with an integer or pointer as its argument.
  void call(uint64_t function, uint64_t argument);
  Step step();
  uint64_t result() const;

 private:
  Step execute_plain(const Instruction& instruction);
  Step make_system_call(const Instruction& instruction);
  Step stand_in(const Instruction& instruction);
  uint64_t address_of(const MemoryOperand& memory) const;
  uint64_t destination(const Instruction& instruction);
  void note(const Instruction& instruction, uint64_t address, uint64_t bytes, bool writes);
  void push(uint64_t value);
  uint64_t pop();

  Ledger& ledger_;
  Kernel& kernel_;
  Decoder decoder_;
  Guest* guest_ = nullptr;
};

}  // namespace bench::contention

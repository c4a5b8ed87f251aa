// SPDX-License-Identifier: MIT
// Machine code to Instruction, by capstone. One thread; keeps what it has decoded.
#pragma once

#include <capstone/capstone.h>

#include <cstdint>
#include <unordered_map>

#include "bench/contention/instruction.h"
#include "bench/contention/native.h"

namespace bench::contention {

class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // The instruction at `address` of this process; the same one at each call. Code must not change.
  const Instruction& at(uint64_t address) {
    const auto known = known_.find(address);
    return known != known_.end() ? known->second : decode(address);
  }

  // The function that begins at `address` is done by the program. Before it is first decoded.
  void stand_in(uint64_t address, StandIn what);

 private:
  const Instruction& decode(uint64_t address);
  void make_native(Instruction& instruction);

  csh capstone_ = 0;
  cs_insn* scratch_ = nullptr;
  NativeCode native_;
  std::unordered_map<uint64_t, Instruction> known_;
};

}  // namespace bench::contention

// SPDX-License-Identifier: MIT
// The registers of a thread whose instructions this program executes one at a time.
#pragma once

#include <cstdint>

namespace bench::contention {

// In the order in which instructions number them.
enum Register : int8_t {
  kRax,
  kRcx,
  kRdx,
  kRbx,
  kRsp,
  kRbp,
  kRsi,
  kRdi,
  kR8,
  kR9,
  kR10,
  kR11,
  kR12,
  kR13,
  kR14,
  kR15,
  kNoRegister = -1,
};

enum Flag : uint64_t {
  kCarry = 1U << 0,
  kParity = 1U << 2,
  kZero = 1U << 6,
  kSign = 1U << 7,
  kDirection = 1U << 10,
  kOverflow = 1U << 11,
};

// native.cc's assembly knows the offsets.
struct Registers {
  uint64_t general[16] = {};
  uint64_t flags = 0x202;  // the bit that is always set, interrupts on
  uint64_t rip = 0;
};

}  // namespace bench::contention

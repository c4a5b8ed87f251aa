// SPDX-License-Identifier: MIT
// Capstone's names of registers and the numbers in instructions.
#pragma once

#include "bench/contention/registers.h"

namespace bench::contention {

// The general register of 64 bits that an x86_reg is, or none.
Register full_register(unsigned reg);

// The general register that an x86_reg is or is a part of, or none.
Register any_register(unsigned reg);

}  // namespace bench::contention

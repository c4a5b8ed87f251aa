// SPDX-License-Identifier: MIT
// What the compiler says about the frame of a function: found by an address in it, in the
// .eh_frame_hdr of the object that holds it. Nothing is registered, cached or locked: glibc's
// _dl_find_object() (2.35) takes no lock and allocates nothing, inside dlopen() and in signal
// handlers, too. In a static program, and with an older C library, only the program itself has
// frames.
#pragma once

#include <cstdint>

namespace spillway::profile {

// A frame description entry with its common part.
struct FrameDescription {
  const uint8_t* common = nullptr;  // instructions for all functions of the kind
  const uint8_t* common_end = nullptr;
  const uint8_t* own = nullptr;  // this function's
  const uint8_t* own_end = nullptr;
  uintptr_t start = 0;  // of the function
  uint64_t code_unit = 1;
  int64_t data_unit = 1;
  uint64_t return_register = 0;
  uint8_t pointer_encoding = 0;
  bool is_signal_frame = false;
};

// The table of descriptions of the object that holds `address`; null: none, or it can't be told.
// Some 10 ns.
const uint8_t* find_frame_table(uintptr_t address);
// False when the address belongs to no function that the table describes. Some 50 ns.
bool find_frame(const uint8_t* table, uintptr_t address, FrameDescription& found);

// The addresses of the object that holds `address`; false when no object does, or that can't be
// told.
struct ObjectRange {
  uintptr_t start = 0;
  uintptr_t end = 0;
};
bool find_object(uintptr_t address, ObjectRange& range);

}  // namespace spillway::profile

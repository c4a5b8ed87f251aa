// SPDX-License-Identifier: MIT
// Executes single instructions on the processor: a copy of the instruction between code that loads
// a guest's registers and code that stores them again. Exact by construction, faults included. A
// copy relative to rip gets a spare register in its place; fs, which is this thread's own, becomes
// gs, which holds the guest's. One guest at a time, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "bench/contention/instruction.h"

namespace bench::contention {

// What native code loads and stores: the guest's registers, and its vector state if used.
struct NativeState {
  Registers registers;
  uint64_t host_stack = 0;
  void (*target)() = nullptr;
  void* vectors = nullptr;  // an xsave area
};
extern "C" NativeState contention_native;

// What there is to know of an instruction to copy it.
struct Copy {
  std::span<const uint8_t> bytes;
  uint64_t address = 0;
  uint8_t rip_modrm = 0;         // where its ModRM byte is, if relative to rip; else 0
  Register spare = kNoRegister;  // rip_modrm only: a low register that it does not use
  bool replaces_fs = false;
};

class NativeCode {
 public:
  NativeCode();
  ~NativeCode();
  NativeCode(const NativeCode&) = delete;
  NativeCode& operator=(const NativeCode&) = delete;

  void (*make(const Copy& copy, bool vector))();

 private:
  void put(std::span<const uint8_t> bytes);
  void put(std::initializer_list<uint8_t> bytes) { put(std::span(bytes.begin(), bytes.size())); }
  void put_address(const void* to);  // rel32 of an address in the area

  uint8_t* area_ = nullptr;
  std::size_t used_ = 0;
};

// An instruction made by NativeCode, with `contention_native` as its state.
void execute(const Instruction& instruction);

// fs of the guest that runs from now on.
void set_guest_thread(uint64_t thread_base);

std::size_t vector_area_bytes();
// The state of a thread that has used no vectors.
void start_vectors(void* area);

// What the processor or kernel lacks, or null.
const char* missing_for_native();

}  // namespace bench::contention

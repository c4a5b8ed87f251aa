// SPDX-License-Identifier: MIT
// A thread of the program whose calls into the allocator are executed instruction by instruction.
// The thread itself sleeps meanwhile; the instructions see its thread-local data, but a stack and
// registers of their own.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstring>

#include "bench/contention/fail.h"
#include "bench/contention/native.h"
#include "bench/contention/registers.h"

namespace bench::contention {

class Guest {
 public:
  static constexpr uint64_t kStackBytes = 512 << 10;

  // `its_thread_base` is what fs holds in the thread.
  Guest(unsigned its_number, uint64_t its_thread_base)
      : number(its_number), thread_base(its_thread_base) {
    const std::size_t vectors_bytes = (vector_area_bytes() + 4095) & ~std::size_t{4095};
    void* const memory = mmap(nullptr, vectors_bytes + kStackBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      fail("no memory for a thread's stack");
    }
    vectors = memory;
    start_vectors(vectors);
    stack = reinterpret_cast<uint64_t>(memory) + vectors_bytes;
  }

  bool on_stack(uint64_t address) const { return address - stack < kStackBytes; }

  unsigned number;
  uint64_t thread_base;
  uint64_t stack = 0;  // lowest address
  void* vectors = nullptr;
  Registers registers;
  bool in_call = false;

  // While it waits in the kernel.
  bool waiting = false;
  uint64_t waits_for = 0;    // a futex's address; 0: only for the time
  uint32_t waits_while = 0;  // the futex's value
  uint64_t queue_place = 0;  // who waited first
  uint64_t until_ns = 0;     // by Clock::now_ns(); 0: without end
};

}  // namespace bench::contention

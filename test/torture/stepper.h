// SPDX-License-Identifier: MIT
// One thread of another process, stepped instruction by instruction; the process' other threads run
// on. x86-64.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <initializer_list>

#include "library_map.h"

namespace torture {

class Stepper {
 public:
  // False when the kernel refuses it.
  bool seize(pid_t thread);

  // Each of these returns false when the thread has ended; after the others it is stopped at pc().
  bool step(int signal = 0);
  // Out of a function that one of `callers` has just called, back to the caller. One step where it
  // was not called from there, or the kernel gives no breakpoint. An int3 on the way is noted.
  bool step_over(std::initializer_list<LibraryMap> callers);
  // Until the thread executes int3.
  bool run_to_trap();

  uint64_t pc() const { return pc_; }
  // Whether the top of the stack is an address just behind `call`: that of a call instruction.
  bool was_called_from(uint64_t call) const;
  // Whether the thread executed int3 in the last step_over().
  bool has_trapped() const { return trapped_; }
  // The number of the signal that ended the thread, if one did.
  int killed_by() const { return killed_by_; }

 private:
  bool resume(int request, int signal);
  bool set_breakpoint(uint64_t address);
  void clear_breakpoint();
  bool await();
  uint64_t top_of_stack() const;
  bool is_behind_trap() const;

  pid_t thread_ = 0;
  uint64_t pc_ = 0;
  int killed_by_ = 0;
  int pending_ = 0;  // a signal that is not the tracer's, for the next step
  bool trapped_ = false;
};

}  // namespace torture

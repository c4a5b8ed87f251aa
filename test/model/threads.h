// SPDX-License-Identifier: MIT
// The threads of an execution: coroutines of one thread of the process, so that they change only
// where they are told to. They stay from one execution to the next.
#pragma once

#include <ucontext.h>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "test/model/places.h"

namespace spillway::model {

class Threads {
 public:
  static constexpr unsigned kOutside = kMaxThreads + 1;

  Threads();
  // What thread `number` does in each execution. At its end it changes to another thread, or to the
  // outside; what it does in the next execution is what follows that.
  void set_body(std::function<void(unsigned)> body) { body_ = std::move(body); }

  void change_to(unsigned next);
  // From outside: threads begin anew the next time, wherever they are.
  void abandon_all();

  unsigned current() const { return current_; }
  bool owns(uintptr_t address) const {
    return address - reinterpret_cast<uintptr_t>(stacks_) < kStackBytes * (kMaxThreads + 1);
  }

 private:
  static constexpr size_t kStackBytes = size_t{256} << 10;
  static void enter();
  void start(unsigned number);

  char* stacks_;
  std::function<void(unsigned)> body_;
  unsigned current_ = kOutside;
  bool begun_[kMaxThreads + 1] = {};
  jmp_buf points_[kMaxThreads + 2];
  ucontext_t first_[kMaxThreads + 1];
};

}  // namespace spillway::model

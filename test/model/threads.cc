// SPDX-License-Identifier: MIT
#include "test/model/threads.h"

#include <sys/mman.h>

#include <cstdlib>

namespace spillway::model {
namespace {

Threads* starting = nullptr;

}  // namespace

Threads::Threads()
    : stacks_(
          static_cast<char*>(mmap(nullptr, kStackBytes * (kMaxThreads + 1), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))) {
  if (stacks_ == MAP_FAILED) {
    std::abort();
  }
}

void Threads::enter() {
  Threads& self = *starting;
  for (;;) {
    self.body_(self.current_);
  }
}

// setcontext() begins a thread; from then on _longjmp() is all, without system calls.
void Threads::start(unsigned number) {
  begun_[number] = true;
  ucontext_t& context = first_[number];
  getcontext(&context);
  context.uc_stack.ss_sp = stacks_ + kStackBytes * number;
  context.uc_stack.ss_size = kStackBytes;
  context.uc_link = nullptr;
  makecontext(&context, enter, 0);
  starting = this;
  setcontext(&context);
}

void Threads::change_to(unsigned next) {
  if (_setjmp(points_[current_]) != 0) {
    return;
  }
  current_ = next;
  if (next == kOutside || begun_[next]) {
    _longjmp(points_[next], 1);
  }
  start(next);
}

void Threads::abandon_all() {
  for (bool& begun : begun_) {
    begun = false;
  }
}

}  // namespace spillway::model

// SPDX-License-Identifier: MIT
#include "bench/contention/crew.h"

#include <pthread.h>

#include <algorithm>
#include <cstdlib>

#include "bench/contention/fail.h"

namespace bench::contention {

Crew::Crew(Workload& workload, unsigned threads) : workload_(workload) {
  for (unsigned thread = 0; thread < threads; ++thread) {
    members_.emplace_back();
    members_.back().crew = this;
    members_.back().number = thread;
    pthread_t created;
    if (pthread_create(&created, nullptr, enter, &members_.back()) != 0) {
      fail("can't create a thread");
    }
    pthread_detach(created);
    over_.acquire();
  }
}

void* Crew::enter(void* member) {
  auto& self = *static_cast<Member*>(member);
  self.crew->live(self);
}

void Crew::live(Member& member) {
  member.thread_base = pthread_self();  // x86-64: what fs points to
  for (;;) {
    over_.release();
    member.begin.acquire();
    make_calls(member.number, turn_);
  }
}

void Crew::make_calls(unsigned thread, uint64_t calls) {
  for (; calls > 0; --calls) {
    const auto call = workload_.next(thread);
    if (!call) {
      return;
    }
    void* block = nullptr;
    if (call->frees) {
      std::free(reinterpret_cast<void*>(call->argument));
    } else if (block = std::malloc(call->argument); block == nullptr) {
      fail("out of memory");
    }
    workload_.done(thread, *call, reinterpret_cast<uint64_t>(block));
  }
}

void Crew::warm_up(uint64_t calls, uint64_t turn, Clock& clock) {
  constexpr uint64_t kCallNs = 100;
  for (uint64_t made = 0; made < calls; made += turn) {
    turn_ = std::min(turn, calls - made);
    for (Member& member : members_) {
      member.begin.release();
      over_.acquire();
    }
    clock.advance_to(clock.now_ns() + turn_ * kCallNs);
  }
}

}  // namespace bench::contention

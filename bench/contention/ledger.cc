// SPDX-License-Identifier: MIT
#include "bench/contention/ledger.h"

namespace bench::contention {

void Ledger::start_counting() {
  counting_ = true;
  coherence_.start_counting();
}

void Ledger::rmw(uint64_t where) {
  if (counting_) {
    ++totals_.rmw;
    ++sites_[where].rmw;
  }
}

void Ledger::fence(uint64_t where) {
  if (counting_) {
    ++totals_.fences;
    ++sites_[where].fences;
  }
}

void Ledger::access(unsigned thread, uint64_t where, uint64_t address, uint64_t bytes,
                    bool writes) {
  if (bytes == 0) {
    return;
  }
  constexpr uint64_t kLine = Coherence::kLineBytes;
  for (uint64_t line = address / kLine; line <= (address + bytes - 1) / kLine; ++line) {
    if (coherence_.access(thread, line * kLine, writes) && counting_) {
      ++totals_.transfers;
      ++sites_[where].transfers;
    }
  }
}

void Ledger::system_call(uint64_t where, const std::string& name, bool entered) {
  if (counting_) {
    totals_.system_calls += entered;
    sites_[where].system_calls += entered;
    ++calls_[name];
  }
}

}  // namespace bench::contention

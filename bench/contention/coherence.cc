// SPDX-License-Identifier: MIT
#include "bench/contention/coherence.h"

#include <algorithm>

namespace bench::contention {

bool Coherence::access(unsigned thread, uint64_t address, bool writes) {
  Line& line = lines_[address / kLineBytes];
  line.users.set(thread);
  const bool held = line.holders.test(thread);
  if (!writes) {
    line.holders.set(thread);
    return !held && line.last_writer != kNobody && line.last_writer != static_cast<int>(thread);
  }
  line.written = true;
  line.last_writer = static_cast<int>(thread);
  line.holders.reset(thread);
  const bool taken = line.holders.any();
  line.holders.reset();
  line.holders.set(thread);
  return taken;
}

void Coherence::start_counting() {
  for (auto& [number, line] : lines_) {
    line.users.reset();
    line.written = false;
  }
}

uint64_t Coherence::shared_lines() const {
  return static_cast<uint64_t>(std::count_if(lines_.begin(), lines_.end(), [](const auto& entry) {
    return entry.second.written && entry.second.users.count() > 1;
  }));
}

}  // namespace bench::contention

// SPDX-License-Identifier: MIT
// What the environment asks of the recorder.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace bench::trace {

struct Settings {
  const char* folder = nullptr;
  const char* program = nullptr;  // null: any
  pid_t pid = 0;                  // 0: any
  std::uint64_t events = UINT64_MAX;
  std::uint64_t skip = 0;

  // False while there is no environment to read: before the C library is ready. Strings are copied:
  // programs overwrite their environment.
  bool read();

  bool wants_this_process() const;
};

}  // namespace bench::trace

// SPDX-License-Identifier: MIT
#include "bench/trace/replay/memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace bench::trace {
namespace {

double status_bytes(const char* field) {
  char text[4096] = {};
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  const ssize_t got = read(file, text, sizeof text - 1);
  close(file);
  const char* found = got > 0 ? std::strstr(text, field) : nullptr;
  return found != nullptr ? 1024 * std::strtod(found + std::strlen(field), nullptr) : 0;
}

}  // namespace

double resident_bytes() { return status_bytes("VmRSS:"); }

double peak_bytes() { return status_bytes("VmHWM:"); }

void reset_peak() {
  const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  (void)!write(file, "5", 1);
  close(file);
}

}  // namespace bench::trace

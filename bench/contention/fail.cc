// SPDX-License-Identifier: MIT
#include "bench/contention/fail.h"

#include <unistd.h>

#include <cstdio>

namespace bench::contention {
namespace {

const char* failing = "";

}  // namespace

void name_failures(const char* where) { failing = where; }

void fail(std::string_view what) {
  char line[512];
  const int length =
      std::snprintf(line, sizeof line, "bench_contention: %s%s%.*s\n", failing,
                    *failing != 0 ? ": " : "", static_cast<int>(what.size()), what.data());
  const auto size = static_cast<std::size_t>(length);
  const ssize_t written = write(STDERR_FILENO, line, size < sizeof line ? size : sizeof line - 1);
  (void)written;
  _exit(1);
}

void fail_at(uint64_t address, std::string_view what) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(address);
  char line[256];
  const int length =
      std::snprintf(line, sizeof line, "%.*s at %#lx: %02x %02x %02x %02x %02x %02x %02x %02x",
                    static_cast<int>(what.size()), what.data(), address, bytes[0], bytes[1],
                    bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
  fail({line, static_cast<std::size_t>(length)});
}

}  // namespace bench::contention

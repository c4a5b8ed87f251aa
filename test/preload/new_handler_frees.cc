// SPDX-License-Identifier: MIT
// A new_handler that releases memory makes the next try of the same operator new succeed; under an
// address-space limit.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <new>

#include "family.h"

namespace {

constexpr size_t kReserve = size_t{96} << 20;
constexpr size_t kRequest = size_t{64} << 20;

void* reserve = nullptr;
int calls = 0;

void release_reserve() {
  calls++;
  CHECK(reserve != nullptr);
  free(reserve);
  reserve = nullptr;
  malloc_trim(0);
}

size_t address_space() {
  char text[64] = {};
  FILE* file = fopen("/proc/self/statm", "r");
  CHECK(file != nullptr && fgets(text, sizeof text, file) != nullptr);
  fclose(file);
  return strtoul(text, nullptr, 10) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

int main() {
  reserve = malloc(kReserve);
  CHECK(reserve != nullptr);
  struct rlimit limit {};
  limit.rlim_cur = limit.rlim_max = address_space() + (size_t{8} << 20);
  CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
  std::set_new_handler(release_reserve);
  void* p = ::operator new(kRequest);
  CHECK(p != nullptr);
  CHECK_COMPARE(calls, <=, 1);  // 0 when the heap had address space left over
  stamp(p, kRequest, 1);
  CHECK(is_stamped(p, kRequest, 1));
  ::operator delete(p);
  return 0;
}

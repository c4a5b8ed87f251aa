// SPDX-License-Identifier: MIT
#include "bench/machine.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include "bench/loaded_allocator.h"

namespace bench {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line.empty() ? "unknown" : line;
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(std::min(line.find(':') + 2, line.size()));
    }
  }
  return "unknown";
}

}  // namespace

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) {
    return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  }
  return std::max(1, CPU_COUNT(&set));
}

Facts machine_facts() {
  utsname names{};
  uname(&names);
  const long page = sysconf(_SC_PAGESIZE);
  return {
      {"cpu", cpu_model()},
      {"cores", std::to_string(usable_cores())},
      {"memory_mib", std::to_string((sysconf(_SC_PHYS_PAGES) >> 10) * page >> 10)},
      {"kernel", names.release},
      {"page_size", std::to_string(page)},
      {"thp", first_line("/sys/kernel/mm/transparent_hugepage/enabled")},
      {"load", first_line("/proc/loadavg")},
  };
}

Facts run_facts() {
  const LoadedAllocator loaded = loaded_allocator();
  Facts facts = {{"allocator", loaded.name}, {"malloc_from", loaded.file}};
  const Facts machine = machine_facts();
  facts.insert(facts.end(), machine.begin(), machine.end());
  return facts;
}

void print_facts(const Facts& facts) {
  for (const auto& [name, value] : facts) {
    std::printf("%-12s %s\n", name.c_str(), value.c_str());
  }
}

}  // namespace bench

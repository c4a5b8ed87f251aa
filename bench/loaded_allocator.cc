// SPDX-License-Identifier: MIT
#include "bench/loaded_allocator.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace bench {
namespace {

namespace fs = std::filesystem;

fs::path origin(const char* symbol) {
  Dl_info info{};
  void* address = dlsym(RTLD_DEFAULT, symbol);
  if (address == nullptr || dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
    return {};
  }
  std::error_code ignored;
  const fs::path real = fs::canonical(info.dli_fname, ignored);
  return real.empty() ? fs::path(info.dli_fname) : real;
}

// libtcmalloc_minimal.so.4.5.10 -> tcmalloc_minimal
std::string short_name(const fs::path& file) {
  std::string name = file.filename();
  name = name.substr(0, name.find(".so"));
  if (name.starts_with("lib")) {
    name.erase(0, 3);
  }
  return name == "c" ? "glibc" : name;
}

}  // namespace

LoadedAllocator loaded_allocator() {
  const fs::path malloc_file = origin("malloc");
  const fs::path free_file = origin("free");
  if (malloc_file != free_file) {
    return {"mixed", malloc_file.string() + " and " + free_file.string()};
  }
  std::error_code ignored;
  // A statically linked or linked-in allocator: dladdr names the executable, dlsym may find
  // nothing.
  if (malloc_file.empty() || malloc_file == fs::read_symlink("/proc/self/exe", ignored)) {
    return {"linked-in", fs::read_symlink("/proc/self/exe", ignored)};
  }
  return {short_name(malloc_file), malloc_file};
}

}  // namespace bench

// SPDX-License-Identifier: MIT
// operator new and delete, by their names in the ABI: an allocator's library may bring its own,
// which would not pass malloc. Recorded as malloc and free, whatever stands behind.
#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>

#include "bench/trace/recorder/real.h"

#define SPILLWAY_HOOK __attribute__((visibility("default")))

namespace {

using bench::trace::give_up;

// The next operator new calls the program's handler and throws; this library knows neither.
template <typename... Arguments>
void* next_new(const char* name, Arguments... arguments) {
  const auto next = reinterpret_cast<void* (*)(Arguments...)>(dlsym(RTLD_NEXT, name));
  if (next == nullptr) {
    give_up("spillway: record: out of memory\n");
  }
  return next(arguments...);
}

void* plain(const char* name, size_t size) {
  void* block = malloc(size);
  return block != nullptr ? block : next_new(name, size);
}

void* aligned(const char* name, size_t size, size_t alignment) {
  void* block = memalign(alignment, size);
  return block != nullptr ? block : next_new(name, size, alignment);
}

}  // namespace

extern "C" {

SPILLWAY_HOOK void* _Znwm(size_t size) { return plain("_Znwm", size); }
SPILLWAY_HOOK void* _Znam(size_t size) { return plain("_Znam", size); }
SPILLWAY_HOOK void* _ZnwmSt11align_val_t(size_t size, size_t alignment) {
  return aligned("_ZnwmSt11align_val_t", size, alignment);
}
SPILLWAY_HOOK void* _ZnamSt11align_val_t(size_t size, size_t alignment) {
  return aligned("_ZnamSt11align_val_t", size, alignment);
}
SPILLWAY_HOOK void* _ZnwmRKSt9nothrow_t(size_t size, const void*) { return malloc(size); }
SPILLWAY_HOOK void* _ZnamRKSt9nothrow_t(size_t size, const void*) { return malloc(size); }
SPILLWAY_HOOK void* _ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment, const void*) {
  return memalign(alignment, size);
}
SPILLWAY_HOOK void* _ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t alignment, const void*) {
  return memalign(alignment, size);
}

SPILLWAY_HOOK void _ZdlPv(void* block) { free(block); }
SPILLWAY_HOOK void _ZdaPv(void* block) { free(block); }
SPILLWAY_HOOK void _ZdlPvm(void* block, size_t) { free(block); }
SPILLWAY_HOOK void _ZdaPvm(void* block, size_t) { free(block); }
SPILLWAY_HOOK void _ZdlPvRKSt9nothrow_t(void* block, const void*) { free(block); }
SPILLWAY_HOOK void _ZdaPvRKSt9nothrow_t(void* block, const void*) { free(block); }
SPILLWAY_HOOK void _ZdlPvSt11align_val_t(void* block, size_t) { free(block); }
SPILLWAY_HOOK void _ZdaPvSt11align_val_t(void* block, size_t) { free(block); }
SPILLWAY_HOOK void _ZdlPvmSt11align_val_t(void* block, size_t, size_t) { free(block); }
SPILLWAY_HOOK void _ZdaPvmSt11align_val_t(void* block, size_t, size_t) { free(block); }
SPILLWAY_HOOK void _ZdlPvSt11align_val_tRKSt9nothrow_t(void* block, size_t, const void*) {
  free(block);
}
SPILLWAY_HOOK void _ZdaPvSt11align_val_tRKSt9nothrow_t(void* block, size_t, const void*) {
  free(block);
}

}  // extern "C"

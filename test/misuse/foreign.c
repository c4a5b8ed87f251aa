// SPDX-License-Identifier: MIT
// CALL (free, realloc, usable_size) of an address in MEMORY that no allocator of ours gave.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "misuse.h"

enum Call { free_, realloc_, usable_size_ };

enum { kLength = 1 << 16, kInside = 4096 + 64 };

__attribute__((unused)) static char static_bytes[kLength];
__attribute__((unused)) static const char constant_bytes[kLength] = {1};

static void misuse(void* address) {
  switch (CALL) {
    case free_:
      expect("foreign-free", address, 0, kAnyClass);
      free(opaque(address));
      return;
    case realloc_:
      expect("foreign-realloc", address, 0, kAnyClass);
      errno = 0;
      CHECK(opaque(realloc(opaque(address), 100)) == NULL);
      CHECK_COMPARE(errno, ==, ENOMEM);
      return;
    case usable_size_:
      expect("foreign-malloc_usable_size", address, 0, kAnyClass);
      CHECK_COMPARE(malloc_usable_size(opaque(address)), ==, 0);
  }
}

__attribute__((unused)) static void* on_stack(void* unused) {
  (void)unused;
  char bytes[2 * kInside];
  misuse(opaque(bytes + kInside));
  return NULL;
}

__attribute__((unused)) static char* mapped(int protection, int flags, int file) {
  char* start = mmap(NULL, kLength, protection, flags, file, 0);
  CHECK(start != MAP_FAILED);
  return start + kInside;
}

__attribute__((unused)) static void* of_another_libc(void) {
  void* libc = dlmopen(LM_ID_NEWLM, "libc.so.6", RTLD_NOW);
  if (libc == NULL) SKIP("no second libc can be loaded");
  void* (*other_malloc)(size_t) = (void* (*)(size_t))(uintptr_t)dlsym(libc, "malloc");
  CHECK(other_malloc != NULL);
  return other_malloc(100);
}

int main(void) {
#if defined STACK
  on_stack(NULL);
#elif defined THREAD_STACK
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, on_stack, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
#elif defined STATIC
  misuse(static_bytes + kInside);
#elif defined CONSTANT
  misuse((void*)(uintptr_t)(constant_bytes + kInside));
#elif defined CODE
  misuse((void*)(uintptr_t)main);
#elif defined VDSO
  misuse((void*)(getauxval(AT_SYSINFO_EHDR) + 64));
#elif defined MAPPED
  misuse(mapped(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
#elif defined MAPPED_WITHOUT_ACCESS
  misuse(mapped(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1));
#elif defined MAPPED_FILE
  misuse(mapped(PROT_READ, MAP_SHARED, open("/proc/self/exe", O_RDONLY)));
#elif defined UNMAPPED
  char* address = mapped(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  CHECK(munmap(address - kInside, kLength) == 0);
  misuse(address);
#elif defined BREAK
  misuse((char*)sbrk(kLength) + kInside);
#elif defined OTHER_LIBC
  misuse(of_another_libc());
#else
  misuse((void*)(uintptr_t)ADDRESS);
#endif
  return survived();
}

// SPDX-License-Identifier: MIT
// A library with a large thread-local variable and heap use in it; compiled a second time with
// static TLS, 384 bytes of it.
#include "family.h"

#ifdef STATIC_TLS
#define TLS_MODEL __attribute__((tls_model("initial-exec")))
enum { kWords = 44 };
#else
#define TLS_MODEL __attribute__((tls_model("global-dynamic")))
enum { kWords = 1500 };  // above 4 KiB: the dynamic linker's block comes from the pool
#endif

static __thread int seen TLS_MODEL;
static __thread void* block TLS_MODEL;
static __thread uint64_t words[kWords] TLS_MODEL;

__attribute__((constructor)) static void at_load(void) { free(malloc(20000)); }
__attribute__((destructor)) static void at_unload(void) { free(malloc(20000)); }

// 1 at a thread's first call, 2 at its second, 0 when something was overwritten.
__attribute__((visibility("default"))) int use_tls(int seed) {
  if (seen == 0) {
    for (int i = 0; i < kWords; i++) {
      if (words[i] != 0) return 0;
      words[i] = (uint64_t)seed * 1000 + (uint64_t)i;
    }
    block = malloc(30000);
    stamp(block, 30000, (uint64_t)seed);
    return ++seen;
  }
  for (int i = 0; i < kWords; i++)
    if (words[i] != (uint64_t)seed * 1000 + (uint64_t)i) return 0;
  if (!is_stamped(block, 30000, (uint64_t)seed)) return 0;
  free(block);
  return ++seen;
}

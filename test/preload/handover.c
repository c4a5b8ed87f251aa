// SPDX-License-Identifier: MIT
// Blocks of all sizes handed among four threads: each carries its maker's stamp, is verified by the
// receiver, and is freed, grown or handed on there.
#include <pthread.h>
#include <stdatomic.h>

#include "family.h"
#include "process.h"

enum { kThreads = 4, kMailboxes = 256, kSteps = 150000 };

struct Parcel {
  size_t size;  // of the whole block
  uint64_t owner;
};

static _Atomic(struct Parcel*) mailbox[kMailboxes];

static char* body(struct Parcel* p) { return (char*)p + sizeof *p; }

static struct Parcel* make(uint64_t* random, uint64_t owner) {
  uint64_t kind = next_random(random) % 16;
  size_t size = kind == 0   ? random_size(random, 20, 22)
                : kind <= 4 ? random_size(random, 6, 12)
                            : random_size(random, 12, 20);
  struct Parcel* p = next_random(random) % 4 == 0 ? memalign(4096, size) : malloc(size);
  CHECK(p != NULL);
  p->size = size;
  p->owner = owner;
  stamp(body(p), size - sizeof *p, owner);
  return p;
}

static void verify(struct Parcel* p) { CHECK(is_stamped(body(p), p->size - sizeof *p, p->owner)); }

static struct Parcel* grow(struct Parcel* p, uint64_t* random) {
  size_t size = random_size(random, 12, 21);
  size_t first = get_word(body(p)), same = get_word(body(p));
  p = realloc(p, size);
  CHECK(p != NULL && first == same && get_word(body(p)) == first);
  p->size = size;
  stamp(body(p), size - sizeof *p, p->owner);
  return p;
}

static void* run(void* argument) {
  uint64_t index = (uint64_t)(uintptr_t)argument;
  uint64_t random = index * 101 + 17, owner = index << 48;
  for (int step = 0; step < kSteps; step++) {
    struct Parcel* mine = make(&random, ++owner);
    struct Parcel* other = atomic_exchange(&mailbox[next_random(&random) % kMailboxes], mine);
    if (other == NULL) continue;
    verify(other);
    uint64_t what = next_random(&random) % 8;
    if (what == 0) other = grow(other, &random);
    if (what == 1) {
      other = atomic_exchange(&mailbox[next_random(&random) % kMailboxes], other);
      if (other == NULL) continue;
      verify(other);
    }
    free(other);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[kThreads];
  for (uintptr_t i = 0; i < kThreads; i++)
    CHECK(pthread_create(&threads[i], NULL, run, (void*)(i + 1)) == 0);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < kMailboxes; i++) {
    struct Parcel* p = atomic_exchange(&mailbox[i], NULL);
    if (p == NULL) continue;
    verify(p);
    free(p);
  }
  return 0;
}

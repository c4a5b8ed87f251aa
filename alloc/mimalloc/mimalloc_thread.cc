// SPDX-License-Identifier: MIT
#include "alloc/mimalloc/mimalloc_thread.h"

#include <limits.h>
#include <mimalloc.h>
#include <pthread.h>

#include <atomic>
#include <bitset>

#include "alloc/base/attributes.h"
#include "alloc/mimalloc/fork_gate.h"

namespace spillway::mimalloc {

__thread bool thread_is_adopted = false;

namespace {

constexpr unsigned kKeys = PTHREAD_KEYS_MAX;
constexpr unsigned kNoKey = kKeys;

std::atomic<unsigned> mimalloc_key{kNoKey};
pthread_key_t own_key;
bool has_own_key = false;

void end_thread(void*) {
  enter_gate();
  // Later destructors may allocate again; the thread is adopted anew then.
  thread_is_adopted = false;
  mi_thread_done();
  leave_gate();
}

// The constructor's thread needs no adoption: mimalloc keeps the main thread's heap.
[[gnu::constructor(101)]] void create_own_key() {
  has_own_key = pthread_key_create(&own_key, end_thread) == 0;
  thread_is_adopted = true;
}

using KeySet = std::bitset<kKeys>;

KeySet keys_in_use() {
  KeySet keys;
  for (unsigned key = 0; key < kKeys; ++key) {
    keys[key] = pthread_getspecific(key) != nullptr;
  }
  return keys;
}

// The one key that mimalloc's first allocation in this thread sets; kNoKey if that is not clear.
unsigned key_set_by_first_allocation() {
  const KeySet before = keys_in_use();
  mi_free(mi_malloc(1));
  const KeySet fresh = keys_in_use() & ~before;
  return fresh.count() == 1 ? static_cast<unsigned>(fresh._Find_first()) : kNoKey;
}

}  // namespace

SPILLWAY_COLD void adopt_thread_slow() {
  thread_is_adopted = true;  // first: pthread_setspecific may allocate
  if (!has_own_key) {
    return;
  }
  // Relaxed, here and below: threads that find the key at the same time find the same one.
  unsigned key = mimalloc_key.load(std::memory_order_relaxed);
  if (key == kNoKey) {
    key = key_set_by_first_allocation();
    mimalloc_key.store(key, std::memory_order_relaxed);
  } else {
    mi_free(mi_malloc(1));
  }
  if (key != kNoKey && pthread_setspecific(own_key, &own_key) == 0) {
    pthread_setspecific(key, nullptr);
  }
}

}  // namespace spillway::mimalloc

// SPDX-License-Identifier: MIT
#include "alloc/heap/thread_end.h"

#include <pthread.h>

#include <atomic>

#include "alloc/heap/heap.h"
#include "alloc/mimalloc/tenants.h"
#include "alloc/os/errno_keeper.h"

namespace spillway::heap {
namespace {

pthread_key_t key;
constinit std::atomic<bool> key_ready{false};

// Other destructors may run after this one and free more: the thread then works without a cache.
void on_thread_end(void* /*thread_state*/) {
  static_cast<void>(mimalloc::enter_tenant(0));
  heap.engine.detach(thread_state);
}

}  // namespace

void prepare_thread_ends() {
  if (pthread_key_create(&key, on_thread_end) == 0) {
    // release: pairs with the acquire in notice_thread_end(); the key is valid.
    key_ready.store(true, std::memory_order_release);
  }
}

void notice_thread_end() {
  // acquire: pairs with the release in prepare_thread_ends().
  if (thread_state.end_noticed.get() || !key_ready.load(std::memory_order_acquire)) {
    return;
  }
  const os::ErrnoKeeper keeper;
  thread_state.end_noticed.set(true);  // first: setting a value may allocate
  if (pthread_setspecific(key, &thread_state) != 0) {
    thread_state.end_noticed.set(false);
  }
}

}  // namespace spillway::heap

// SPDX-License-Identifier: MIT
// A pool's caches in threads: made at a thread's first miss, given back at its end or the pool's.
#include <pthread.h>

#include <new>

#include "alloc/os/os.h"
#include "alloc/pool/core.h"
#include "alloc/pool/thread_table.h"

namespace spillway::pool {

constinit thread_local ThreadTable* thread_table = nullptr;

namespace {

constinit thread_local bool thread_ended = false;

class EndOfThreads {
 public:
  explicit EndOfThreads(void (*on_end)(void*)) : valid_(pthread_key_create(&key_, on_end) == 0) {}
  bool notice(ThreadTable* table) const { return valid_ && pthread_setspecific(key_, table) == 0; }

 private:
  pthread_key_t key_{};
  bool valid_;
};

ThreadTable* make_table(void (*on_end)(void*)) {
  static const EndOfThreads ends(on_end);
  void* const memory = os::reserve(sizeof(ThreadTable), os::Access::kReadWrite, nullptr);
  if (memory == nullptr) {
    return nullptr;
  }
  // Zero is right for all entries that are not in use; the memory of most is never touched.
  auto* const table = static_cast<ThreadTable*>(memory);
  if (!ends.notice(table)) {
    os::release(memory, sizeof(ThreadTable));
    return nullptr;
  }
  thread_table = table;
  return table;
}

}  // namespace

ThreadEntry* Core::attach_thread() {
  if (number_ >= kMaxPools || cache_buffers_ == 0 || thread_ended) {
    return nullptr;
  }
  ThreadTable* const table = thread_table != nullptr ? thread_table : make_table(detach_from_all);
  if (table == nullptr) {
    return nullptr;
  }
  detach_from_closed();
  ThreadEntry& entry = table->entries[number_];
  if (!add_reference()) {
    return nullptr;
  }
  ::new (&entry.thread_state)
      core::ThreadState{.bins = OwnedCell(const_cast<core::BinTable*>(&core::kNoCacheYet)),
                        .busy = {},
                        .end_noticed = {},
                        .slow_calls = {}};
  if (!engine_.attach(entry.thread_state)) {
    drop_reference();
    return nullptr;
  }
  entry.core = this;
  engine_.allow_draining(entry.thread_state);
  return &entry;
}

void Core::detach_thread() {
  if (thread_table != nullptr && number_ < kMaxPools) {
    ThreadEntry& entry = thread_table->entries[number_];
    if (entry.core == this) {
      detach(entry);
    }
  }
}

void Core::detach(ThreadEntry& entry) {
  Core* const core = entry.core;
  entry.core = nullptr;
  core->engine_.detach(entry.thread_state);
  core->drop_reference();
}

void Core::detach_from_closed() {
  for (uint32_t number = 0; number < max_used_number(); ++number) {
    ThreadEntry& entry = thread_table->entries[number];
    if (entry.core != nullptr && entry.core->is_closed()) {
      detach(entry);
    }
  }
}

// Runs after the destructors of thread_local objects; what is returned later goes to the freelists.
void Core::detach_from_all(void* table_of_thread) {
  auto* table = static_cast<ThreadTable*>(table_of_thread);
  thread_ended = true;
  for (ThreadEntry& entry : table->entries) {
    if (entry.core != nullptr) {
      detach(entry);
    }
  }
  thread_table = nullptr;
  os::release(table, sizeof(ThreadTable));
}

}  // namespace spillway::pool

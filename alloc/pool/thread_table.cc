// SPDX-License-Identifier: MIT
#include "alloc/pool/thread_table.h"

#include <pthread.h>

#include <new>

#include "alloc/os/os.h"
#include "alloc/pool/core.h"

namespace spillway::pool {

constinit thread_local ThreadTable* thread_table = nullptr;

namespace {

constinit thread_local bool thread_ended = false;

void detach(ThreadEntry& entry) {
  Core* const core = entry.core;
  entry.core = nullptr;
  core->engine().detach(entry.thread_state);
  core->drop_reference();
}

// Runs after the destructors of thread_local objects; what is returned later goes to the freelists.
void on_thread_end(void* table_of_thread) {
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

class EndOfThreads {
 public:
  EndOfThreads() : valid_(pthread_key_create(&key_, on_thread_end) == 0) {}
  bool notice(ThreadTable* table) const { return valid_ && pthread_setspecific(key_, table) == 0; }

 private:
  pthread_key_t key_{};
  bool valid_;
};

ThreadTable* make_table() {
  static const EndOfThreads ends;
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

ThreadEntry* attach_thread(Core& core) {
  if (core.number() >= kMaxPools || !core.has_caches() || thread_ended) {
    return nullptr;
  }
  ThreadTable* const table = thread_table != nullptr ? thread_table : make_table();
  if (table == nullptr) {
    return nullptr;
  }
  detach_from_closed();
  ThreadEntry& entry = table->entries[core.number()];
  if (!core.add_reference()) {
    return nullptr;
  }
  ::new (&entry.thread_state)
      core::ThreadState{.bins = OwnedCell(const_cast<core::BinTable*>(&core::kNoCacheYet)),
                        .busy = {},
                        .end_noticed = {},
                        .slow_calls = {}};
  if (!core.engine().attach(entry.thread_state)) {
    core.drop_reference();
    return nullptr;
  }
  entry.core = &core;
  core.engine().allow_draining(entry.thread_state);
  return &entry;
}

void detach_thread(const Core& core) {
  if (thread_table != nullptr && core.number() < kMaxPools) {
    ThreadEntry& entry = thread_table->entries[core.number()];
    if (entry.core == &core) {
      detach(entry);
    }
  }
}

void detach_from_closed() {
  for (uint32_t number = 0; number < max_used_number(); ++number) {
    ThreadEntry& entry = thread_table->entries[number];
    if (entry.core != nullptr && entry.core->is_closed()) {
      detach(entry);
    }
  }
}

}  // namespace spillway::pool

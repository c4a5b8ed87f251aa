// SPDX-License-Identifier: MIT
#include "alloc/heap/watched.h"

#include "alloc/heap/profiling.h"
#include "alloc/heap/tenants.h"

namespace spillway::heap {

namespace {

// What the calling thread's request is noted as.
Note wanted_note(const void* block, size_t size) {
  return {.tenant = tenant_of_thread(), .sample = sample_request(block, size)};
}

}  // namespace

// While a profile is on, each request comes here.
void mark_handed_out_slow(void* block, size_t size) {
  core::ThreadCache* const cache = heap.engine.own_cache(thread_state);
  if (SPILLWAY_LIKELY(cache != nullptr && cache->tenant.get() == kNoTenant &&
                      count_request(*cache, size))) {
    return mark_live(block);
  }
  mark_noted(block, wanted_note(block, size));
}

SPILLWAY_COLD void note_unwatched_slow(size_t size) {
  if (size >= config::kMinPooledSize) {
    note_uncharged(tenant_of_thread());
  }
}

SPILLWAY_COLD bool unwatch(core::StateByte& state, core::SlotState watched, void* block,
                           size_t bytes) {
  if (!state.replace(watched, core::SlotState::kFree)) {
    return false;
  }
  const Note note = note_of(block);
  credit_tenant(note.tenant, bytes);
  end_sample(block, note.sample);
  return true;
}

SPILLWAY_COLD void tell_resized_slow(void* block, size_t before, size_t size) {
  Note note = is_watched(block) ? note_of(block) : Note{};
  recharge_tenant(note.tenant, before, usable_size(block));
  const uint32_t sample = resize_sample(block, note.sample, before, size);
  if (sample == note.sample) {
    return;
  }
  note.sample = sample;
  if (note.is_none()) {
    mark_live(block);
  } else if (!watch(block, note)) {
    end_sample(block, sample);
    mark_live(block);
  }
}

}  // namespace spillway::heap

// SPDX-License-Identifier: MIT
#include "alloc/heap/watched.h"

#include "alloc/core/page_notes.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/tenants.h"

namespace spillway::heap {

constinit std::atomic<uint8_t> watchers{0};

namespace {

constinit core::PageNotes notes;

size_t offset_of(const void* block) { return heap.engine.arena().offset(block); }

// What the calling thread's request is noted as.
Note wanted_note(const void* block, size_t size) {
  return {.tenant = tenant_of_thread(), .sample = sample_request(block, size)};
}

SPILLWAY_COLD void mark_noted(void* block, size_t size) {
  const Note note = wanted_note(block, size);
  if (note.is_none()) {
    return mark_live(block);
  }
  if (!watch(block, note)) {
    end_sample(block, note.sample);
    return note_uncharged(note.tenant);
  }
  charge_tenant(note.tenant, usable_size(block));
}

}  // namespace

void set_watching(Watcher watcher, bool on) {
  // relaxed, both: see mark_handed_out().
  if (on) {
    watchers.fetch_or(raw(watcher), std::memory_order_relaxed);
  } else {
    watchers.fetch_and(static_cast<uint8_t>(~raw(watcher)), std::memory_order_relaxed);
  }
}

bool watch(void* block, Note note) {
  const size_t offset = offset_of(block);
  if (!notes.set(offset, note.word())) {
    mark_live(block);
    return false;
  }
  heap.engine.arena().state_at(offset).store(core::watched_state(offset));
  return true;
}

// While a profile is on, each request comes here.
void mark_handed_out_slow(void* block, size_t size) {
  core::ThreadCache* const cache = heap.engine.own_cache(thread_state);
  if (SPILLWAY_LIKELY(cache != nullptr && cache->tenant.get() == kNoTenant &&
                      count_request(*cache, size))) {
    return mark_live(block);
  }
  mark_noted(block, size);
}

SPILLWAY_COLD void note_unwatched_slow(size_t size) {
  if (size >= config::kMinPooledSize) {
    note_uncharged(tenant_of_thread());
  }
}

Note note_of(const void* block) { return Note::of(notes.get(offset_of(block))); }

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

uint64_t watched_table_bytes() { return notes.bytes(); }

}  // namespace spillway::heap

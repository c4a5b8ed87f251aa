// SPDX-License-Identifier: MIT
#include "alloc/heap/watchers.h"

#include "alloc/core/page_notes.h"

namespace spillway::heap {
namespace {

constinit core::PageNotes notes;

size_t offset_of(const void* block) { return heap.engine.arena().offset(block); }

}  // namespace

bool watch(void* block, Note note) {
  const size_t offset = offset_of(block);
  if (!notes.set(offset, note.word())) {
    mark_live(block);
    return false;
  }
  heap.engine.arena().state_at(offset).store(core::watched_state(offset));
  return true;
}

Note note_of(const void* block) { return Note::of(notes.get(offset_of(block))); }

uint64_t watched_table_bytes() { return notes.bytes(); }

}  // namespace spillway::heap

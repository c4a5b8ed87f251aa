// SPDX-License-Identifier: MIT
// What happens to pointers that no live block starts at: one line on stderr that names the address
// and, inside the arena, the class, then as the option on_misuse says. Other pointers are told when
// they lie in no memory of mimalloc's.
#pragma once

#include <cstdint>

#include "alloc/base/index.h"
#include "alloc/guard/guarded_heap.h"

namespace spillway::heap {

enum class Misuse : uint8_t { kFree, kReallocate, kUsableSize };

// Of a pointer into the arena; kFree or kReallocate. Aborts the process unless on_misuse says
// otherwise; the pointer is then ignored.
void report_misuse(Misuse call, const void* pointer);

// The same for a pointer to memory that is not this allocator's: a stack, static data, a mapping.
void report_foreign(Misuse call, const void* pointer);

// The same of mimalloc's blocks: one that was freed before, and an address inside of one that
// is live. kFree or kReallocate.
void report_mimalloc_freed(Misuse call, const void* block);
void report_mimalloc_interior(Misuse call, const void* pointer, const void* block);

// The same of a hardened block, by what was found at the pointer. kFree or kReallocate.
void report_guarded(Misuse call, const void* pointer, const guard::GuardedHeap::Found& found);
// Of a hardened block that was written to where the program may not.
void report_damage(guard::Damage damage, const void* block, size_t size);

// Of an access that the kernel refused, to an address of the guarded heap's; returns.
void report_fault(uintptr_t address, const guard::GuardedHeap::Found& nearest);

// For the engine: a block that two threads freed at the same time.
void report_late_double_free(void* owner, void* block);

}  // namespace spillway::heap

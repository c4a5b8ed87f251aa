// SPDX-License-Identifier: MIT
// realloc: in place where the memory behind the block is free, by copying otherwise.
//
// A block that grows beyond the largest class and can't do so where it is moves to a free run with
// memory and room to double, or else to a wide slot, where it grows in place from then on: growth
// in steps then costs few copies, however far it goes. docs/DESIGN.md, "Blocks that grow".
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/misuse.h"
#include "alloc/heap/profiling.h"
#include "alloc/heap/scavenger.h"
#include "alloc/heap/watched.h"
#include "alloc/mimalloc/other_heap.h"
#include "alloc/os/errno_keeper.h"

namespace spillway::heap {
namespace {

// A block stays where it is while the new size fits and needs more than this share of it.
constexpr size_t kMinShare = 2;
// Growth by this share of a block or less is a step, and room for more steps is that share:
// bench_memory, swing/2/1500: 14 us without, 3.2 with it, mimalloc 4.5.
constexpr size_t kStepShare = 8;
constexpr size_t kRoomShare = 4;
// A block of mimalloc of at least so many bytes stays where it is when the pool has no class
// for the new size.
constexpr size_t kMinLarge = 64 * kKiB;

// Whether a block may grow.
bool admit_growth(size_t usable, size_t size) {
  return size < kImpossibleSize && admit(size - usable);
}

void* move_to(void* target, void* pointer, size_t bytes) {
  std::memcpy(target, pointer, bytes);
  free(pointer);
  return target;
}

void* move(void* pointer, size_t old_size, size_t new_size) {
  void* moved = allocate(new_size);
  return moved != nullptr ? move_to(moved, pointer, std::min(old_size, new_size)) : nullptr;
}

// Of a pooled block. One that grows in small steps would be copied at each class: it gets room for
// the next steps, if there is memory for it and no limit on memory. Apart, as
// reallocate_unpooled().
SPILLWAY_NOINLINE void* move_growing(void* pointer, size_t usable, size_t size) {
  void* moved = nullptr;
  if (size <= std::min(usable + usable / kStepShare, config::kMaxPooledSize) &&
      !limits_are_set.get()) {
    const os::ErrnoKeeper keeper;
    moved = allocate(std::min(usable + usable / kRoomShare, config::kMaxPooledSize));
  }
  return moved != nullptr ? move_to(moved, pointer, usable) : move(pointer, usable, size);
}

// To a block of half its size or less, if one is to be had; otherwise it stays where it is: making
// a block smaller never fails, whatever the limits say.
[[gnu::noinline]] void* shrink(void* pointer, size_t usable, size_t size) {
  const os::ErrnoKeeper keeper;
  void* smaller = allocate(size);
  if (smaller == nullptr || usable_size(smaller) > usable / kMinShare) {
    free(smaller);
    return pointer;
  }
  return move_to(smaller, pointer, size);
}

// Where it is, or false. Sizes that the options keep from the pool stay as they are.
bool resize(void* pointer, size_t usable, size_t size) {
  const bool pooled = is_pooled_size(size);
  const ClassIndex index = pooled ? class_of(size) : kNoClass;
  if ((pooled ? index == kNoClass : size <= config::kMaxPooledSize) ||
      !heap.engine.resize(pointer, index, size)) {
    return false;
  }
  tell_resized(pointer, usable, size);
  return true;
}

bool resize_wide(void* pointer, size_t usable, size_t size) {
  if (!heap.engine.store().wide().resize(pointer, size)) {
    return false;
  }
  tell_resized(pointer, usable, size);
  return true;
}

// Of a live block in a wide slot. Apart, as reallocate_unpooled().
SPILLWAY_NOINLINE void* reallocate_wide(void* pointer, size_t size) {
  const size_t usable = heap.engine.store().wide().usable(pointer);
  if (size > usable && !admit_growth(usable, size)) {
    return out_of_memory();
  }
  if (size > std::min(usable, config::kMaxPooledSize) / kMinShare) {
    if (!resize_wide(pointer, usable, size)) {
      return move(pointer, usable, size);
    }
    balance();
    return pointer;
  }
  void* const shrunk = shrink(pointer, usable, size);
  if (shrunk == pointer) {
    static_cast<void>(resize_wide(pointer, usable, size));
  }
  return shrunk;
}

void* reallocate_pooled(void* pointer, size_t size) {
  const size_t usable = usable_size(pointer);
  if (usable == 0) {
    report_misuse(Misuse::kReallocate, pointer);
    errno = ENOMEM;
    return nullptr;
  }
  if (heap.engine.store().is_wide(pointer)) {
    return reallocate_wide(pointer, size);
  }
  if (size <= usable) {
    const bool stays = size > usable / kMinShare && usable <= config::kMaxPooledSize;
    return stays || resize(pointer, usable, size) ? pointer : shrink(pointer, usable, size);
  }
  if (!admit_growth(usable, size)) {
    return out_of_memory();
  }
  if (resize(pointer, usable, size)) {
    return pointer;
  }
  void* growing = size > config::kMaxPooledSize ? take_growing(size) : nullptr;
  return growing != nullptr ? move_to(growing, pointer, usable)
                            : move_growing(pointer, usable, size);
}

// Otherwise it is told.
SPILLWAY_COLD bool is_far_block(const void* pointer) {
  if (!mimalloc::may_hold(pointer)) {
    report_foreign(Misuse::kReallocate, pointer);
    return false;
  }
  const void* const around = mimalloc::block_around(pointer);
  if (around != nullptr) {
    report_mimalloc_interior(Misuse::kReallocate, pointer, around);
  }
  return around == nullptr;
}

// A hardened or sampled block: exactly as long as asked for, and so it always moves.
SPILLWAY_COLD void* reallocate_guarded(void* pointer, size_t size) {
  const guard::GuardedHeap::Found found = guarded.look(pointer);
  if (found.where != guard::GuardedHeap::Where::kLive) {
    report_guarded(Misuse::kReallocate, pointer, found);
    return out_of_memory();
  }
  if (size == found.size) {
    return pointer;
  }
  if (size > found.size) {
    return admit_growth(found.size, size) ? move(pointer, found.size, size) : out_of_memory();
  }
  const os::ErrnoKeeper keeper;
  void* const smaller = allocate(size);
  return smaller != nullptr ? move_to(smaller, pointer, size) : pointer;
}

// As mimalloc's realloc, whose frames a sample's stack would end in.
SPILLWAY_COLD void* move_unpooled(void* pointer, size_t usable, size_t size) {
  if (size <= usable) {
    return size > usable / kMinShare ? pointer : shrink(pointer, usable, size);
  }
  return move(pointer, usable, size);
}

// A block of mimalloc. Apart, or the pooled way would save registers for it.
SPILLWAY_NOINLINE void* reallocate_unpooled(void* pointer, size_t size) {
  if (SPILLWAY_UNLIKELY(!mimalloc::is_near(pointer))) {
    if (guarded.owns(pointer)) {
      return reallocate_guarded(pointer, size);
    }
    if (mimalloc::has_other_heap()) {
      return mimalloc::other_reallocate(pointer, size);
    }
    if (!is_far_block(pointer)) {
      return out_of_memory();
    }
  }
  if (SPILLWAY_UNLIKELY(mimalloc::is_known_free(pointer))) {
    report_mimalloc_freed(Misuse::kReallocate, pointer);
    return out_of_memory();
  }
  const size_t usable = mimalloc::usable_size(pointer);
  if (size <= usable && usable <= mimalloc::kAlignment) {
    return pointer;  // the smallest block
  }
  if (size >= config::kMinPooledSize && size > usable && !admit_growth(usable, size)) {
    return out_of_memory();
  }
  if (size < usable && is_pooled_size(size)) {
    return shrink(pointer, usable, size);
  }
  if (is_pooled_size(size) || (size > config::kMaxPooledSize && usable < kMinLarge)) {
    return move(pointer, usable, size);
  }
  if (size > usable) {
    note_unwatched(size);
  }
  if (SPILLWAY_UNLIKELY(heap_profile.is_on())) {
    return move_unpooled(pointer, usable, size);
  }
  const int before = errno;
  void* const moved = mimalloc::reallocate(pointer, size);
  if (moved == nullptr && size <= usable) {
    errno = before;
    return pointer;
  }
  return moved;
}

}  // namespace

void* reallocate(void* pointer, size_t size) {
  if (pointer == nullptr) {
    return allocate(size);
  }
  if (size == 0) {
    free(pointer);
    return nullptr;
  }
  if (heap.engine.arena().owns(pointer)) {
    return reallocate_pooled(pointer, size);
  }
  return reallocate_unpooled(pointer, size);
}

}  // namespace spillway::heap

// realloc: in place where the block's size class or slot allows it, by copying otherwise.
//
// A pooled block that gets too small moves to a slot of the large blocks, where it grows in place
// from then on: growth in steps then costs one copy of the small beginning, however far it goes.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "alloc/heap/heap.h"
#include "alloc/heap/limits.h"
#include "alloc/heap/misuse.h"
#include "alloc/os/errno_keeper.h"

namespace spillway::heap {
namespace {

// A block stays where it is while the new size fits and needs more than this share of it.
constexpr size_t kLeastShare = 2;
// A large block that shrinks below this makes room for another: it moves to where it belongs.
constexpr size_t kLeastLarge = 64 * kKiB;

void* move_to(void* target, void* pointer, size_t bytes) {
  std::memcpy(target, pointer, bytes);
  free(pointer);
  return target;
}

void* move(void* pointer, size_t old_size, size_t new_size) {
  void* moved = allocate(new_size);
  return moved != nullptr ? move_to(moved, pointer, std::min(old_size, new_size)) : nullptr;
}

// To a block of half its size or less, if one is to be had; otherwise it stays where it is: making
// a block smaller never fails, whatever the limits say.
[[gnu::noinline]] void* shrink(void* pointer, size_t usable, size_t size) {
  const os::ErrnoKeeper keeper;
  void* smaller = allocate(size);
  if (smaller == nullptr || usable_size(smaller) > usable / kLeastShare) {
    free(smaller);
    return pointer;
  }
  return move_to(smaller, pointer, size);
}

// Of a live large block. Apart, as reallocate_unpooled().
SPILLWAY_NOINLINE void* reallocate_large(void* pointer, size_t size) {
  core::LargeBlocks& large = heap.engine.large();
  const size_t usable = large.usable(pointer);
  if (size > usable && !admit(size - usable)) {
    return out_of_memory();
  }
  const bool stays = size >= kLeastLarge || size > usable / kLeastShare;
  if (stays && large.resize(pointer, size)) {
    return pointer;
  }
  if (size > usable) {
    return move(pointer, usable, size);
  }
  void* const shrunk = shrink(pointer, usable, size);
  if (shrunk == pointer) {
    static_cast<void>(large.resize(pointer, size));  // at least what is behind it goes
  }
  return shrunk;
}

void* reallocate_pooled(void* pointer, size_t size) {
  const core::Arena& arena = heap.engine.arena();
  const size_t offset = arena.offset(pointer);
  if (heap.engine.large().owns_span(arena.span_at(offset)) &&
      core::is_live_at(arena.state_at(offset).load(), core::inside_granule(offset))) {
    return reallocate_large(pointer, size);
  }
  const size_t usable = usable_size(pointer);
  if (usable == 0) {
    report_misuse(Misuse::kReallocate, pointer);
    errno = ENOMEM;
    return nullptr;
  }
  if (size > usable && !admit(size - usable)) {
    return out_of_memory();
  }
  if (size <= usable && size > usable / kLeastShare) {
    return pointer;
  }
  if (size <= usable) {
    return shrink(pointer, usable, size);
  }
  void* growing = take_large(size, core::LargeBlocks::Use::kGrowing, false);
  return growing != nullptr ? move_to(growing, pointer, usable) : move(pointer, usable, size);
}

SPILLWAY_COLD void* refuse(const void* pointer) {
  report_foreign(Misuse::kReallocate, pointer);
  return out_of_memory();
}

// A block of the fallback's. Apart, or the pooled way would save registers for it.
SPILLWAY_NOINLINE void* reallocate_unpooled(void* pointer, size_t size) {
  if (SPILLWAY_UNLIKELY(!fallback::is_near(pointer) && !fallback::may_hold(pointer))) {
    return refuse(pointer);
  }
  const size_t usable = fallback::usable_size(pointer);
  if (size <= usable && usable <= fallback::kAlignment) {
    return pointer;  // the smallest block
  }
  if (size >= config::kMinPooledSize && size > usable && !admit(size - usable)) {
    return out_of_memory();
  }
  if (size < usable && is_pooled_size(size)) {
    return shrink(pointer, usable, size);
  }
  // What is large already is not copied just to be the pool's.
  if (is_pooled_size(size) || (size > config::kMaxPooledSize && usable < kLeastLarge)) {
    return move(pointer, usable, size);
  }
  const int before = errno;
  void* const moved = fallback::reallocate(pointer, size);
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
  if (size > PTRDIFF_MAX) {
    return out_of_memory();
  }
  if (heap.engine.arena().owns(pointer)) {
    return reallocate_pooled(pointer, size);
  }
  return reallocate_unpooled(pointer, size);
}

}  // namespace spillway::heap

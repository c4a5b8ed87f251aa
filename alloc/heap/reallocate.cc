// realloc: in place within a class, by copying otherwise.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "alloc/heap/heap.h"
#include "alloc/heap/misuse.h"

namespace spillway::heap {
namespace {

// A block stays where it is while the new size fits and needs more than this share of it.
constexpr size_t kLeastShare = 2;

void* move(void* pointer, size_t old_size, size_t new_size) {
  void* moved = allocate(new_size);
  if (moved != nullptr) {
    std::memcpy(moved, pointer, std::min(old_size, new_size));
    free(pointer);
  }
  return moved;
}

void* reallocate_pooled(void* pointer, size_t size) {
  const size_t usable = usable_size(pointer);
  if (usable == 0) {
    report_misuse(Misuse::kReallocate, pointer);
    errno = ENOMEM;
    return nullptr;
  }
  if (size <= usable && size > usable / kLeastShare) {
    return pointer;
  }
  return move(pointer, usable, size);
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
    errno = ENOMEM;
    return nullptr;
  }
  if (heap.engine.arena().owns(pointer)) {
    return reallocate_pooled(pointer, size);
  }
  if (is_pooled_size(size)) {
    return move(pointer, fallback::usable_size(pointer), size);
  }
  return fallback::reallocate(pointer, size);
}

}  // namespace spillway::heap

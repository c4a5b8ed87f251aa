// SPDX-License-Identifier: MIT
#include "alloc/core/slot_store.h"

#include <algorithm>

#include "alloc/base/bits.h"
#include "alloc/os/os.h"

namespace spillway::core {

bool SlotStore::start(const Config& config) {
  class_count_ = static_cast<uint32_t>(config.block_sizes.size());
  if (!arena_.reserve(class_count_, config.max_span_bytes, config.min_span_bytes,
                      config.granule_shift)) {
    return false;
  }
  const auto layout_of = [&](uint32_t size) {
    const auto stride = static_cast<uint32_t>(size >> config.granule_shift);
    const size_t fit = (arena_.span_bytes() >> config.granule_shift) / stride;
    return SlotLayout{stride, static_cast<uint32_t>(std::min<size_t>(fit, config.max_slots))};
  };
  size_t bytes = 0;
  for (const uint32_t size : config.block_sizes) {
    bytes += Central::bytes_needed(layout_of(size));
  }
  freelist_bytes_ = align_up(bytes, os::page_size());
  freelist_memory_ = os::reserve(freelist_bytes_, os::Access::kReadWrite, nullptr);
  if (freelist_memory_ == nullptr) {
    arena_.release();
    return false;
  }
  auto* memory = static_cast<char*>(freelist_memory_);
  for (uint32_t i = 1; i <= class_count_; ++i) {
    block_sizes_[i] = config.block_sizes[i - 1];
    const SlotLayout layout = layout_of(block_sizes_[i]);
    centrals_[i].attach(arena_, ClassIndex{static_cast<uint8_t>(i)}, layout, memory);
    memory += Central::bytes_needed(layout);
  }
  return true;
}

void SlotStore::stop() {
  os::release(freelist_memory_, freelist_bytes_);
  arena_.release();
}

uint32_t SlotStore::take(ClassIndex index, uint32_t& hint, void** out, uint32_t wanted) {
  return central(index).take(hint, out, wanted);
}

void SlotStore::recover_after_fork(bool purge_was_ours) {
  for (uint32_t i = 1; i <= class_count_; ++i) {
    centrals_[i].recover_after_fork(purge_was_ours);
  }
}

void SlotStore::collect(stats::Snapshot& snapshot) const {
  for (uint32_t i = 1; i <= class_count_; ++i) {
    const Central& one = centrals_[i];
    const uint64_t size = block_sizes_[i];
    snapshot.pool_committed_bytes += one.committed() * size;
    snapshot.pool_grown_bytes += one.grown() * size;
    snapshot.pool_free_bytes += one.count_free() * size;
    snapshot.pool_clean_bytes += one.count_clean() * size;
    snapshot.classes[i].free = one.count_free();
  }
  snapshot.pool_dirty_bytes =
      snapshot.pool_free_bytes - std::min(snapshot.pool_free_bytes, snapshot.pool_clean_bytes);
}

}  // namespace spillway::core

// SPDX-License-Identifier: MIT
#include "alloc/mimalloc/small_samples.h"

#include <atomic>

#include "alloc/base/attributes.h"
#include "alloc/mimalloc/asked.h"

#if SPILLWAY_MIMALLOC_EXTENDED
extern "C" {
// A heap is mimalloc's mi_heap_t.
[[gnu::visibility("hidden")]] void* spillway_mimalloc_generic(void* heap, size_t size, bool zero,
                                                              size_t huge_alignment);
[[gnu::visibility("hidden")]] size_t spillway_mimalloc_block_size(size_t size);
[[gnu::visibility("hidden")]] bool spillway_mimalloc_takes_from_lists(size_t size);
[[gnu::visibility("hidden")]] bool spillway_mimalloc_reached_cut(void* heap, size_t size,
                                                                 uint32_t round);
[[gnu::visibility("hidden")]] void spillway_mimalloc_pass_cut(size_t size, uint32_t round);
[[gnu::visibility("hidden")]] uint32_t spillway_mimalloc_listed(void* block);
[[gnu::visibility("hidden")]] void spillway_mimalloc_cut(void* block, uint32_t blocks,
                                                         uint32_t round);
}
#endif

namespace spillway::mimalloc {
#if SPILLWAY_MIMALLOC_EXTENDED
namespace {

constexpr size_t kSmallEnd = 4096;  // requests from here on are the pool's

constinit std::atomic<const SmallSampler*> small_sampler{nullptr};
// Of sampling: lists that were cut in an earlier one are not this one's. relaxed: a number.
constinit std::atomic<uint32_t> sampling_round{0};

}  // namespace

bool sample_small(const SmallSampler* sampler) {
  if (sampler != nullptr) {
    sampling_round.fetch_add(1, std::memory_order_relaxed);
  }
  // release: pairs with the acquire in sampler_of(); what it reads is ready.
  small_sampler.store(sampler, std::memory_order_release);
  set_asked(Asked::kForSamples, sampler != nullptr);
  return true;
}

const SmallSampler* sampler_of(size_t size, size_t huge_alignment) {
  // acquire: pairs with the release in sample_small().
  const SmallSampler* const sampler = small_sampler.load(std::memory_order_acquire);
  return size < kSmallEnd && huge_alignment == 0 ? sampler : nullptr;
}

// A small request, of which those that a list serves are shown by where the list ends: what is
// drawn for one decides at once for it and for all up to the next that is wanted.
void* allocate_sampled(void* heap, size_t size, bool zero, bool may_take,
                       const SmallSampler& sampler) {
  const bool has_list = spillway_mimalloc_takes_from_lists(size);
  const uint32_t round = sampling_round.load(std::memory_order_relaxed);
  const size_t block_size = has_list ? spillway_mimalloc_block_size(size) : size;
  const bool is_sample = (has_list && spillway_mimalloc_reached_cut(heap, size, round)) ||
                         (may_take && sampler.is_sample(block_size));
  void* const sample = is_sample && may_take ? sampler.take(size, block_size, zero) : nullptr;
  if (sample != nullptr) {
    return sample;
  }
  void* const block = spillway_mimalloc_generic(heap, size, zero, 0);
  if (has_list && block != nullptr) {
    const uint32_t listed = spillway_mimalloc_listed(block);
    const uint32_t blocks = sampler.blocks_until_sample(block_size, listed);
    if (blocks < listed) {
      spillway_mimalloc_cut(block, blocks, round);
    }
  }
  return block;
}

void* sample_for_tenant(size_t size, bool zero, const SmallSampler& sampler) {
  const size_t block_size =
      spillway_mimalloc_takes_from_lists(size) ? spillway_mimalloc_block_size(size) : size;
  return sampler.is_sample(block_size) ? sampler.take(size, block_size, zero) : nullptr;
}

void prepare_aligned(size_t size) {
  // relaxed, both: as for any request.
  if (SPILLWAY_UNLIKELY(small_sampler.load(std::memory_order_relaxed) != nullptr)) {
    spillway_mimalloc_pass_cut(size, sampling_round.load(std::memory_order_relaxed));
  }
}
#else
bool sample_small(const SmallSampler* /*sampler*/) { return false; }
#endif

}  // namespace spillway::mimalloc

// SPDX-License-Identifier: MIT
#include "alloc/mimalloc/asked.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/tenants.h"

#if SPILLWAY_MIMALLOC_EXTENDED
extern "C" {
// A heap is mimalloc's mi_heap_t.
void* spillway_mimalloc_ask(void* of_thread, size_t size, bool zero, size_t huge_alignment);
void* spillway_mimalloc_ask_aligned(void* of_thread, size_t size, bool zero, size_t huge_alignment);
[[gnu::visibility("hidden")]] void* spillway_mimalloc_generic(void* of_thread, size_t size,
                                                              bool zero, size_t huge_alignment);
[[gnu::visibility("hidden")]] size_t spillway_mimalloc_block_size(size_t size);
[[gnu::visibility("hidden")]] bool spillway_mimalloc_takes_from_lists(size_t size);
[[gnu::visibility("hidden")]] bool spillway_mimalloc_reached_cut(void* of_thread, size_t size,
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

// Released when they are set: what they read is ready.
constinit std::atomic<void* (*)(size_t, bool)> taker{nullptr};
constinit std::atomic<const SmallSampler*> small_sampler{nullptr};
// Of sampling: lists that were cut in an earlier one are not this one's. relaxed: a number.
constinit std::atomic<uint32_t> sampling_round{0};

// A small request, of which those that a list serves are shown by where the list ends: what is
// drawn for one decides at once for it and for all up to the next that is wanted.
void* allocate_sampled(void* of_thread, size_t size, bool zero, bool may_take,
                       const SmallSampler& sampler) {
  const bool has_list = spillway_mimalloc_takes_from_lists(size);
  const uint32_t round = sampling_round.load(std::memory_order_relaxed);
  const size_t block_size = has_list ? spillway_mimalloc_block_size(size) : size;
  const bool is_sample = (has_list && spillway_mimalloc_reached_cut(of_thread, size, round)) ||
                         (may_take && sampler.is_sample(block_size));
  void* const sample = is_sample && may_take ? sampler.take(size, block_size, zero) : nullptr;
  if (sample != nullptr) {
    return sample;
  }
  void* const block = spillway_mimalloc_generic(of_thread, size, zero, 0);
  if (has_list && block != nullptr) {
    const uint32_t listed = spillway_mimalloc_listed(block);
    const uint32_t blocks = sampler.blocks_until_sample(block_size, listed);
    if (blocks < listed) {
      spillway_mimalloc_cut(block, blocks, round);
    }
  }
  return block;
}

// The same of a thread in a tenant, each of whose requests comes here: none waits for a list's end.
void* sample_for_tenant(size_t size, bool zero, const SmallSampler& sampler) {
  const size_t block_size =
      spillway_mimalloc_takes_from_lists(size) ? spillway_mimalloc_block_size(size) : size;
  return sampler.is_sample(block_size) ? sampler.take(size, block_size, zero) : nullptr;
}

constexpr size_t kSmallEnd = 4096;  // requests from here on are the pool's

}  // namespace

void set_asked(Asked reason, bool on) {
  // relaxed, both: a thread that sees it late asks at its next request.
  if (on) {
    spillway_mimalloc_asks.fetch_or(raw(reason), std::memory_order_relaxed);
  } else {
    spillway_mimalloc_asks.fetch_and(static_cast<uint8_t>(~raw(reason)), std::memory_order_relaxed);
  }
}
#endif

void ask_first([[maybe_unused]] void* (*take)(size_t size, bool zeroed)) {
#if SPILLWAY_MIMALLOC_EXTENDED
  // release: pairs with the acquire in spillway_mimalloc_ask(); what `take` reads is ready.
  taker.store(take, std::memory_order_release);
  set_asked(Asked::kForAllocator, true);
#endif
}

bool sample_small([[maybe_unused]] const SmallSampler* sampler) {
#if SPILLWAY_MIMALLOC_EXTENDED
  if (sampler != nullptr) {
    sampling_round.fetch_add(1, std::memory_order_relaxed);
  }
  // release: as in ask_first().
  small_sampler.store(sampler, std::memory_order_release);
  set_asked(Asked::kForSamples, sampler != nullptr);
  return true;
#else
  return false;
#endif
}

#if SPILLWAY_MIMALLOC_EXTENDED
void prepare_aligned(size_t size) {
  // relaxed, both: as for any request.
  if (SPILLWAY_UNLIKELY(small_sampler.load(std::memory_order_relaxed) != nullptr)) {
    spillway_mimalloc_pass_cut(size, sampling_round.load(std::memory_order_relaxed));
  }
}
#endif

}  // namespace spillway::mimalloc

#if SPILLWAY_MIMALLOC_EXTENDED
void* spillway_mimalloc_ask(void* of_thread, size_t size, bool zero, size_t huge_alignment) {
  namespace mimalloc = spillway::mimalloc;
  // acquire: pairs with the release in ask_first().
  auto* const take = mimalloc::taker.load(std::memory_order_acquire);
  void* const taken = take != nullptr && huge_alignment == 0 ? take(size, zero) : nullptr;
  if (taken != nullptr) {
    return taken;
  }
  // acquire: pairs with the release in sample_small().
  const mimalloc::SmallSampler* const sampler =
      mimalloc::small_sampler.load(std::memory_order_acquire);
  const bool may_be_sample =
      sampler != nullptr && size < mimalloc::kSmallEnd && huge_alignment == 0;
  const uint8_t tenant = mimalloc::tenant_of(of_thread);
  if (SPILLWAY_LIKELY(tenant != 0)) {
    void* const sample =
        may_be_sample ? mimalloc::sample_for_tenant(size, zero, *sampler) : nullptr;
    return sample != nullptr ? sample
                             : mimalloc::allocate_for(tenant, of_thread, size, zero, huge_alignment,
                                                      mimalloc::Charged::kNow);
  }
  if (may_be_sample) {
    return mimalloc::allocate_sampled(of_thread, size, zero, true, *sampler);
  }
  return spillway_mimalloc_generic(of_thread, size, zero, huge_alignment);
}

void* spillway_mimalloc_ask_aligned(void* of_thread, size_t size, bool zero,
                                    size_t huge_alignment) {
  namespace mimalloc = spillway::mimalloc;
  if (const uint8_t tenant = mimalloc::tenant_of(of_thread)) {
    return mimalloc::allocate_for(tenant, of_thread, size, zero, huge_alignment,
                                  mimalloc::Charged::kLater);
  }
  // acquire: as above.
  const mimalloc::SmallSampler* const sampler =
      mimalloc::small_sampler.load(std::memory_order_acquire);
  if (sampler != nullptr && size < mimalloc::kSmallEnd && huge_alignment == 0) {
    // Not to be seen, but the list that it comes from serves others, which are.
    return mimalloc::allocate_sampled(of_thread, size, zero, false, *sampler);
  }
  return spillway_mimalloc_generic(of_thread, size, zero, huge_alignment);
}
#endif

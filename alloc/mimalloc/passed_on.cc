// SPDX-License-Identifier: MIT
#include "alloc/mimalloc/passed_on.h"

#include <atomic>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/mimalloc/asked.h"
#include "alloc/mimalloc/small_samples.h"
#include "alloc/mimalloc/tenants.h"

namespace spillway::mimalloc {
#if SPILLWAY_MIMALLOC_EXTENDED
namespace {

constinit std::atomic<void* (*)(size_t, bool)> taker{nullptr};

}  // namespace

void ask_first(void* (*take)(size_t size, bool zeroed)) {
  // release: pairs with the acquire in spillway_mimalloc_ask(); what `take` reads is ready.
  taker.store(take, std::memory_order_release);
  set_asked(Asked::kForAllocator, true);
}
#else
void ask_first(void* (* /*take*/)(size_t size, bool zeroed)) {}
#endif

}  // namespace spillway::mimalloc

#if SPILLWAY_MIMALLOC_EXTENDED
extern "C" {
// A heap is mimalloc's mi_heap_t, the calling thread's.
void* spillway_mimalloc_ask(void* heap, size_t size, bool zero, size_t huge_alignment);
void* spillway_mimalloc_ask_aligned(void* heap, size_t size, bool zero, size_t huge_alignment);
[[gnu::visibility("hidden")]] void* spillway_mimalloc_generic(void* heap, size_t size, bool zero,
                                                              size_t huge_alignment);
}

namespace mimalloc = spillway::mimalloc;

void* spillway_mimalloc_ask(void* heap, size_t size, bool zero, size_t huge_alignment) {
  // acquire: pairs with the release in ask_first().
  auto* const take = mimalloc::taker.load(std::memory_order_acquire);
  void* const taken = take != nullptr && huge_alignment == 0 ? take(size, zero) : nullptr;
  if (taken != nullptr) {
    return taken;
  }
  const mimalloc::SmallSampler* const sampler = mimalloc::sampler_of(size, huge_alignment);
  const uint8_t tenant = mimalloc::tenant_of(heap);
  if (SPILLWAY_LIKELY(tenant != 0)) {
    void* const sample =
        sampler != nullptr ? mimalloc::sample_for_tenant(size, zero, *sampler) : nullptr;
    return sample != nullptr ? sample
                             : mimalloc::allocate_for(tenant, heap, size, zero, huge_alignment,
                                                      mimalloc::Charged::kNow);
  }
  return sampler != nullptr ? mimalloc::allocate_sampled(heap, size, zero, true, *sampler)
                            : spillway_mimalloc_generic(heap, size, zero, huge_alignment);
}

void* spillway_mimalloc_ask_aligned(void* heap, size_t size, bool zero, size_t huge_alignment) {
  if (const uint8_t tenant = mimalloc::tenant_of(heap)) {
    return mimalloc::allocate_for(tenant, heap, size, zero, huge_alignment,
                                  mimalloc::Charged::kLater);
  }
  // No sample, but the list that it comes from serves others, which may be.
  const mimalloc::SmallSampler* const sampler = mimalloc::sampler_of(size, huge_alignment);
  return sampler != nullptr ? mimalloc::allocate_sampled(heap, size, zero, false, *sampler)
                            : spillway_mimalloc_generic(heap, size, zero, huge_alignment);
}
#endif

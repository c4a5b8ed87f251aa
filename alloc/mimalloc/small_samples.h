// SPDX-License-Identifier: MIT
// Requests of less than 4 KiB that are sampled, as the heap profile does: those that one of
// mimalloc's lists serves show by where the list ends (cut_lists_209.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace spillway::mimalloc {

// Serves some of the requests of less than 4 KiB, each by chance alone.
struct SmallSampler {
  // Whether a request that a block of this size serves is wanted.
  bool (*is_sample)(size_t size);
  // Of as many such requests to come as `blocks`, how many are not wanted before one that is; at
  // least as many as that: none is.
  uint32_t (*blocks_until_sample)(size_t size, uint32_t blocks);
  // A block for a request that is wanted; `drawn_size` is what decided. Null: mimalloc serves it.
  void* (*take)(size_t size, size_t drawn_size, bool zeroed);
};
// From now on mimalloc has the sampler serve them; null: no longer. What a thread has free at the
// moment in lists, at most some 64 KiB of each size, it may use up before. Costs nothing where
// there is none. Aligned requests are not shown. Not with other versions of mimalloc: false.
bool sample_small(const SmallSampler* sampler);

// Before an aligned request, which mimalloc does not pass on: while small requests are sampled, its
// list has to end elsewhere.
void prepare_aligned(size_t size);

// The sampler that may want a request that mimalloc passed on, or null.
const SmallSampler* sampler_of(size_t size, size_t huge_alignment);
// Serves such a request of a heap of mimalloc's, mi_heap_t. `may_take`: it may become a sample.
void* allocate_sampled(void* heap, size_t size, bool zero, bool may_take,
                       const SmallSampler& sampler);
// The same for a thread in a tenant, each of whose requests is passed on: none waits for a list's
// end. Null if it is no sample.
void* sample_for_tenant(size_t size, bool zero, const SmallSampler& sampler);

}  // namespace spillway::mimalloc

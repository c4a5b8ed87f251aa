// SPDX-License-Identifier: MIT
#include "alloc/heap/profiling.h"

#include <atomic>
#include <cstring>

#include "alloc/config/options.h"
#include "alloc/heap/hardening.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/state.h"
#include "alloc/heap/tenants.h"
#include "alloc/heap/watchers.h"
#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/small_samples.h"
#include "alloc/os/message.h"
#include "alloc/os/os.h"
#include "alloc/profile/frame_table.h"
#include "alloc/profile/pprof.h"
#include "alloc/profile/probes.h"

namespace spillway::heap {

constinit profile::Profile heap_profile;

namespace {

// Whether a tracer's coming started the profile. relaxed: one of the threads that see it change
// acts.
constinit std::atomic<bool> is_followed{false};

// Where the calling thread counts the bytes up to the next sample; null: nowhere, it draws for each
// request, since what comes does not depend on what was.
core::ThreadCache* counting_cache() {
  core::ThreadCache* const cache = heap.engine.own_cache(thread_state);
  if (cache != nullptr && cache->sample_epoch.get() != heap_profile.epoch()) {
    cache->sample_epoch.set(heap_profile.epoch());
    cache->bytes_until_sample.set(heap_profile.sampler().bytes_until_sample());
  }
  return cache;
}

// Whether one of the request's bytes is a sample's.
bool is_sample(size_t size) {
  if (!heap_profile.is_on()) {
    return false;
  }
  core::ThreadCache* const cache = counting_cache();
  if (cache == nullptr) {
    return heap_profile.sampler().blocks_until_sample(size) == 0;
  }
  const int64_t left = cache->bytes_until_sample.get() - static_cast<int64_t>(size);
  cache->bytes_until_sample.set(left >= 0 ? left : heap_profile.sampler().bytes_until_sample());
  return left < 0;
}

bool is_small_sample(size_t size) {
  settle_thread();
  return is_sample(size);
}

// Of that many blocks to be handed out one by one.
uint32_t blocks_until_sample(size_t size, uint32_t blocks) {
  core::ThreadCache* const cache = counting_cache();
  if (cache == nullptr) {
    return heap_profile.sampler().blocks_until_sample(size);
  }
  const int64_t left = cache->bytes_until_sample.get();
  const auto bytes = static_cast<int64_t>(blocks * size);
  cache->bytes_until_sample.set(left >= bytes ? left - bytes
                                              : heap_profile.sampler().bytes_until_sample());
  return left >= bytes ? UINT32_MAX : static_cast<uint32_t>(left / static_cast<int64_t>(size));
}

// A block of the smallest class in use at a multiple of `alignment`, watched as the sample that it
// is.
void* take_sample(size_t size, size_t drawn_size, size_t alignment) {
  const auto min_size = static_cast<size_t>(options().value(config::Option::min_size));
  void* const block = alignment <= core::kLineSize
                          ? take_pooled_slow(min_size)
                          : heap.engine.take_aligned(class_of(min_size), alignment);
  if (block == nullptr) {
    heap_profile.note_dropped();
    return nullptr;
  }
  mark_noted(block, {.tenant = tenant_of_thread(),
                     .sample = heap_profile.note_allocation(block, size, drawn_size)});
  return block;
}

void* take_small_sample(size_t size, size_t drawn_size, bool zeroed) {
  void* const block = take_sample(size, drawn_size, 1);
  return block != nullptr && zeroed ? std::memset(block, 0, size) : block;
}

constexpr mimalloc::SmallSampler kSmallSampler{.is_sample = is_small_sample,
                                               .blocks_until_sample = blocks_until_sample,
                                               .take = take_small_sample};

// The library's own frames, which a profile leaves out; in a program that it is linked into, they
// can't be told from the program's.
profile::AddressRange own_code() {
  profile::ObjectRange own;
  const bool known = profile::find_object(reinterpret_cast<uintptr_t>(&start_profile), own);
  const uintptr_t program = os::program_entry();
  const bool is_program = program >= own.start && program < own.end;
  return known && !is_program ? profile::AddressRange{.start = own.start, .end = own.end}
                              : profile::AddressRange{};
}

}  // namespace

bool start_profile(uint64_t bytes) {
  if (!is_pooling() || is_hardened()) {
    return false;
  }
  if (!heap_profile.exists()) {
    heap_profile.leave_out(own_code());
  }
  if (!heap_profile.start(bytes, os::random_bits())) {
    return false;
  }
  set_watching(Watcher::kSamples, true);
  heap.engine.meter_all_now(core::Metering::kForSamples);
  mimalloc::sample_small(&kSmallSampler);
  return true;
}

std::string_view why_no_profile() {
  return !is_pooling()   ? "the pool is off"
         : is_hardened() ? "every request is guarded"
                         : "no memory for it";
}

void stop_profile() {
  heap_profile.stop();
  mimalloc::sample_small(nullptr);
  heap.engine.meter_all(core::Metering::kForSamples, false);
  set_watching(Watcher::kSamples, false);
}

bool write_profile(profile::ByteSink sink) {
  return heap_profile.exists() && profile::write_pprof(heap_profile, sink);
}

void start_profile_by_option(bool is_pool_on) {
  const int64_t rate = options().value(config::Option::profile);
  if (rate == config::kWordValue || (is_pool_on && start_profile(static_cast<uint64_t>(rate)))) {
    return;
  }
  os::Message message;
  message.line().text("option profile has no effect: ");
  message.line().text(why_no_profile());
  message.send();
}

SPILLWAY_COLD static void follow_tracers_slow(bool is_attached) {
  // relaxed, both: see is_followed.
  bool before = !is_attached;
  if (!is_followed.compare_exchange_strong(before, is_attached, std::memory_order_relaxed)) {
    return;
  }
  if (!is_attached) {
    stop_profile();
  } else if (!start_profile(kDefaultProfileRate)) {
    is_followed.store(false, std::memory_order_relaxed);
  }
}

void follow_tracers() {
  // relaxed: as above.
  const bool followed = is_followed.load(std::memory_order_relaxed);
  if (SPILLWAY_UNLIKELY(profile::is_probe_watched() != followed) &&
      (followed || !heap_profile.is_on())) {
    follow_tracers_slow(!followed);
  }
}

void recover_profile_after_fork() { heap_profile.recover_after_fork(); }

SPILLWAY_COLD uint32_t sample_request(const void* block, size_t size) {
  return is_sample(size) ? heap_profile.note_allocation(block, size, size) : 0;
}

SPILLWAY_COLD void mark_noted(void* block, Note note) {
  if (note.is_none()) {
    return mark_live(block);
  }
  if (!watch(block, note)) {
    end_sample(block, note.sample);
    return note_uncharged(note.tenant);
  }
  charge_tenant(note.tenant, usable_size(block));
}

SPILLWAY_COLD void end_sample(const void* block, uint32_t sample) {
  if (sample != 0) {
    heap_profile.note_free(block, sample);
  }
}

// Each byte is a sample's or not, once: more bytes may make a block one, fewer make it none.
SPILLWAY_COLD uint32_t resize_sample(const void* block, uint32_t sample, size_t before,
                                     size_t size) {
  if (sample != 0) {
    return heap_profile.note_resize(block, sample, size) ? sample : 0;
  }
  return size > before && is_sample(size - before) ? heap_profile.note_allocation(block, size, size)
                                                   : 0;
}

SPILLWAY_COLD void* sample_small_aligned(size_t alignment, size_t size) {
  const bool is_ours = size < config::kMinPooledSize && alignment > mimalloc::kAlignment &&
                       alignment < config::kMinPooledSize;
  return is_ours && is_sample(size) ? take_sample(size, size, alignment) : nullptr;
}

}  // namespace spillway::heap

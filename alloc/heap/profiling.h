// SPDX-License-Identifier: MIT
// The heap's part of the sampled profile (profile/profile.h): which requests are samples, and when.
//
// While it is on, threads are metered: each request of 4 KiB and more comes to the slow path, which
// counts down the bytes up to the next sample. A sampled block is watched (watched.h). Of smaller
// ones mimalloc 2.0.9 shows those that are samples (small_samples.h), which get a block of the
// pool's, of 4 KiB; with other versions they are not sampled. Nor are guarded blocks and requests
// that the pool passes to mimalloc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/core/thread_cache.h"
#include "alloc/heap/watchers.h"
#include "alloc/profile/byte_output.h"
#include "alloc/profile/profile.h"

namespace spillway::heap {

extern constinit profile::Profile heap_profile;

// Bytes between two samples where no number is given: a tracer attached, or a command without a
// number. tcmalloc takes as many; jemalloc and Go 512 KiB, which costs a program that allocates 2
// GiB a second more than 1 % of its time (a sample: 1 to 3 us). An estimate of 100 MiB is good to
// 14 %.
inline constexpr uint64_t kDefaultProfileRate = uint64_t{2} << 20;

// As the option profile says, once.
void start_profile_by_option(bool is_pool_on);

// From now on one sample in so many bytes, on average; again: another number. False when there is
// no memory for it, the pool is off, or every request is guarded.
bool start_profile(uint64_t bytes);
// After that, in words.
std::string_view why_no_profile();
// No more samples. What was sampled stays, and frees are still counted.
void stop_profile();
// In pprof's format, what was sampled since the process's start. False when there never was a
// profile, or the sink refused. Milliseconds.
bool write_profile(profile::ByteSink sink);

// Starts the profile when a tracer attached to its probes, at the default rate, and stops one that
// it started when that is gone. For slow paths: two loads.
void follow_tracers();

void recover_profile_after_fork();

// --- for watched blocks (watched.h) -------------------------------------------------------------

// Counts the request, where that is all there is to do: false when a sample may be due.
inline bool count_request(core::ThreadCache& cache, size_t size) {
  if (!heap_profile.is_on()) {
    return true;
  }
  const int64_t left = cache.bytes_until_sample.get() - static_cast<int64_t>(size);
  if (cache.sample_epoch.get() != heap_profile.epoch() || left < 0) {
    return false;
  }
  cache.bytes_until_sample.set(left);
  return true;
}
// The number of the sample that a block becomes which is about to be handed out; 0: it is none.
uint32_t sample_request(const void* block, size_t size);
// Marks a block live that is about to be handed out, charges its tenant and has both be told of its
// end; plainly live when there is no memory to note them.
void mark_noted(void* block, Note note);
void end_sample(const void* block, uint32_t sample);
// The same of a live one, a sample or none, that had `before` usable bytes and is now for `size`.
uint32_t resize_sample(const void* block, uint32_t sample, size_t before, size_t size);

// --- for requests below 4 KiB -------------------------------------------------------------------

// A live block for an aligned request if that is a sample, or null. Cost otherwise: a load.
void* sample_small_aligned(size_t alignment, size_t size);

}  // namespace spillway::heap

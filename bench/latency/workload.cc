// SPDX-License-Identifier: MIT
#include "bench/latency/workload.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "bench/threads/blocks.h"

namespace bench {
namespace {

constexpr int kStepsPerLook = 16;  // how often a thread looks at the stop flag

std::uint64_t involuntary_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return static_cast<std::uint64_t>(usage.ru_nivcsw);
}

// What a thread records, in pages of its own that have memory: recording neither allocates nor
// faults.
class Record {
 public:
  Record() : latencies_(static_cast<Latencies*>(map())) {}
  ~Record() { munmap(latencies_, sizeof(Latencies)); }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  Latencies& operator*() const { return *latencies_; }

 private:
  // Zero bytes are an empty record.
  static void* map() {
    void* pages = mmap(nullptr, sizeof(Latencies), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (pages == MAP_FAILED) {
      std::fprintf(stderr, "bench_latency: no memory: %s\n", std::strerror(errno));
      std::_Exit(1);
    }
    return pages;
  }

  Latencies* const latencies_;
};

struct alignas(64) Owner {
  std::vector<Step> steps;
  std::size_t position = 0;
  void* blocks[kLatencyLive] = {};
  Record record;
  bool warm = false;
};

template <class Timer>
class TimedReplacement final : public TimedWork {
 public:
  TimedReplacement(int threads, SizeRange range) : owners_(static_cast<std::size_t>(threads)) {
    for (std::size_t thread = 0; thread < owners_.size(); ++thread) {
      owners_[thread].steps = make_sequence(thread + 1, kLatencyLive, range);
    }
  }

  int threads() const override { return static_cast<int>(owners_.size()); }

  void prepare(int thread) override {
    Owner& owner = owners_[static_cast<std::size_t>(thread)];
    for (std::size_t i = 0; i < kLatencyLive; ++i) {
      const std::size_t size = owner.steps[kSequenceLength - 1 - i].size();
      owner.blocks[i] = LoadedBlocks::get(size);
      write_block<Use::kPages>(owner.blocks[i], size);
    }
  }

  std::uint64_t run(int thread, const std::atomic<bool>& stop) override {
    Owner& owner = owners_[static_cast<std::size_t>(thread)];
    Latencies& latencies = *owner.record;
    const std::uint64_t switches = involuntary_switches();
    std::uint64_t operations = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      for (int i = 0; i < kStepsPerLook; ++i) {
        const Step next = owner.steps[owner.position++ % kSequenceLength];
        step(owner.blocks[next.index()], next.size(), latencies);
      }
      operations += kStepsPerLook;
    }
    latencies.switches += involuntary_switches() - switches;
    if (!owner.warm) {
      latencies = Latencies{};
      owner.warm = true;
    }
    return operations;
  }

  void finish(int thread) override {
    for (void* block : owners_[static_cast<std::size_t>(thread)].blocks) {
      std::free(block);
    }
  }

  Latencies latencies() const override {
    Latencies all{};
    for (const Owner& owner : owners_) {
      const Latencies& own = *owner.record;
      for (std::size_t kind = 0; kind < kKinds; ++kind) {
        all.by_kind[kind].add(own.by_kind[kind]);
      }
      all.switches += own.switches;
    }
    return all;
  }

 private:
  static void step(void*& block, std::size_t size, Latencies& latencies) {
    void* const old = block;
    const std::uint64_t start = Timer::now();
    const std::uint64_t before_free = Timer::now();
    std::free(old);
    const std::uint64_t before_malloc = Timer::now();
    void* const fresh = std::malloc(size);
    const std::uint64_t after_malloc = Timer::now();
    if (fresh == nullptr) [[unlikely]] {
      std::fputs("bench_latency: out of memory\n", stderr);
      std::_Exit(1);
    }
    write_block<Use::kPages>(fresh, size);
    const std::uint64_t after_touch = Timer::now();
    block = fresh;
    const auto record = [&](Kind kind, std::uint64_t from, std::uint64_t to) {
      // Counters of two cores may differ by a few ticks.
      latencies.by_kind[static_cast<std::size_t>(kind)].record(to > from ? to - from : 0);
    };
    record(Kind::kEmpty, start, before_free);
    record(Kind::kFree, before_free, before_malloc);
    record(Kind::kMalloc, before_malloc, after_malloc);
    record(Kind::kMallocTouch, before_malloc, after_touch);
  }

  std::vector<Owner> owners_;
};

}  // namespace

std::unique_ptr<TimedWork> make_timed_replacement(int threads, SizeRange range,
                                                  [[maybe_unused]] bool tsc) {
#if defined(__x86_64__)
  if (tsc) {
    return std::make_unique<TimedReplacement<TscTimer>>(threads, range);
  }
#endif
  return std::make_unique<TimedReplacement<SystemTimer>>(threads, range);
}

}  // namespace bench

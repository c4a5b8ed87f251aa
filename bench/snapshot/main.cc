// SPDX-License-Identifier: MIT
// bench_snapshot: what it costs to take the statistics of a process with 64 threads, by
// libspillway.so that is preloaded. Options: bench/rows/rows.h.
//
// Rows: snapshot/CLASSES, ns: 64 threads stand still, each of which used so many size classes, in a
// heap of 256 MiB and 64 MiB of small blocks; snapshot/json/CLASSES: written to /dev/null, too.

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/rows/rows.h"

extern "C" [[gnu::weak]] int spillway_write_statistics(int descriptor, const char* format);

namespace bench {
namespace {

constexpr int kThreads = 64;
constexpr size_t kSmallest = 4096;

// Of neighbouring classes, and back; some of them stay in the thread's cache.
void use_classes(int classes, std::vector<void*>& held) {
  size_t size = kSmallest;
  for (int i = 0; i < classes; ++i) {
    std::array<void*, 4> blocks{};
    for (void*& block : blocks) {
      block = std::malloc(size);
    }
    for (void* block : blocks) {
      std::free(block);
    }
    held.push_back(std::malloc(size));
    size += size / 8;
    size = size > (size_t{1} << 20) ? size_t{1} << 20 : size;
  }
}

// Threads that used the classes and wait; what they hold is freed at the end.
class Crowd {
 public:
  explicit Crowd(int classes) {
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this, classes] {
        std::vector<void*> held;
        use_classes(classes, held);
        std::unique_lock lock(mutex_);
        ++ready_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return done_; });
        lock.unlock();
        for (void* block : held) {
          std::free(block);
        }
      });
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_ == kThreads; });
  }
  ~Crowd() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int ready_ = 0;
  bool done_ = false;
  std::vector<std::thread> threads_;
};

// 256 MiB in pooled blocks and 64 MiB in small ones.
class Load {
 public:
  Load() {
    for (size_t bytes = 0; bytes < (size_t{256} << 20); bytes += 65536) {
      blocks_.push_back(std::malloc(60000));
    }
    for (size_t bytes = 0; bytes < (size_t{64} << 20); bytes += 256) {
      blocks_.push_back(std::malloc(256));
    }
  }
  ~Load() {
    for (void* block : blocks_) {
      std::free(block);
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  std::vector<void*> blocks_;
};

void take(benchmark::State& state, const char* format, int classes) {
  const Load load;
  const Crowd crowd(classes);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (auto _ : state) {
    spillway_write_statistics(nowhere, format);
  }
  close(nowhere);
}

void register_rows() {
  for (const int classes : {8, 50}) {
    const std::string behind = std::to_string(classes);
    benchmark::RegisterBenchmark(("snapshot/" + behind).c_str(),
                                 [classes](auto& state) { take(state, "off", classes); });
    benchmark::RegisterBenchmark(("snapshot/json/" + behind).c_str(),
                                 [classes](auto& state) { take(state, "json", classes); });
  }
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  if (spillway_write_statistics == nullptr) {
    std::fputs("bench_snapshot: to be run with libspillway.so preloaded\n", stderr);
    return 77;
  }
  return bench::run_rows(argc, argv, bench::register_rows);
}

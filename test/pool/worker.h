// SPDX-License-Identifier: MIT
// Threads that do what they are told, and what they leave for their end.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "spillway/pool.h"
#include "test/pool/fixture.h"

namespace spillway::pool::testing {

// Does it in so many threads at once; the argument counts them.
template <typename Work>
void in_threads(size_t count, Work work) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back(work, i);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

// For thread-local objects.
struct Keeper {
  Buffer buffer;
  SharedBuffer shared;
  Pool* pool = nullptr;  // to allocate from at the end
  ~Keeper() {
    if (pool != nullptr) {
      take(*pool, 3);
    }
  }
};

// A thread that does what it is told, and ends when told.
class Worker {
 public:
  Worker() : thread_([this] { serve(); }) {}
  ~Worker() { end(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Returns when it is done.
  void run(std::function<void()> task) {
    std::unique_lock lock(mutex_);
    task_ = std::move(task);
    changed_.notify_all();
    changed_.wait(lock, [this] { return task_ == nullptr; });
  }
  void end() {
    if (thread_.joinable()) {
      run([this] { ending_ = true; });
      thread_.join();
    }
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      changed_.wait(lock, [this] { return task_ != nullptr; });
      task_();
      task_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace spillway::pool::testing

// SPDX-License-Identifier: MIT
// Runs a workload in several threads for a number of equally long repetitions and says what one
// operation cost. Threads meet at a barrier before and after each repetition; they live through all
// of them, and the main thread sleeps meanwhile, so that nothing but the workload uses a core.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bench {

// A workload. Each call is made by the thread it names, 0 to threads-1, with its own data.
class Work {
 public:
  virtual ~Work() = default;
  virtual int threads() const = 0;
  virtual void prepare(int thread) = 0;
  // Works until `stop` is set; returns the operations done. May look at `stop` once in a while.
  virtual std::uint64_t run(int thread, const std::atomic<bool>& stop) = 0;
  virtual void finish(int thread) = 0;
  // How many of the threads work on operations of their own; 1 if they share each operation.
  virtual int lanes() const { return threads(); }
  // Whether its threads wait for cores by its own doing: queueing is then part of the work.
  virtual bool queues() const { return false; }
};

struct Sample {
  // Time on a core that one operation took by the clock on the wall: elapsed time, times the lanes
  // that can run at once, over all operations. Waiting for a lock or for each other counts;
  // queueing for one of too few cores does not.
  double wall_ns;
  double cpu_ns;  // processor time of all threads, system time included, over all operations
  double faults;  // page faults per operation
  // The largest part of its time that one of the threads was ready to run but did not get its core;
  // 0 where queueing is part of the work, as with more threads than cores, or when unknown.
  double queued;
};

// With many more threads than cores a repetition takes longer than it should: all threads have to
// get a core before it ends. Then there are fewer, but never less than kFewest.
constexpr std::size_t kFewest = 5;
struct Effort {
  int repetitions;   // at most
  int milliseconds;  // per repetition
};

// One sample per repetition; the warm-up repetition before them is not among them.
std::vector<Sample> run_crew(Work& work, Effort effort);

}  // namespace bench

// SPDX-License-Identifier: MIT
// What threads ask of the allocator, as a sequence of calls that someone else makes: at full speed
// or instruction by instruction. All calls of one workload come from one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace bench::contention {

// malloc of so many bytes, or free of a block. An operation is one of them.
struct Call {
  bool frees;
  uint64_t argument;
};

class Workload {
 public:
  virtual ~Workload() = default;
  // What thread `thread` calls next; nothing while it has to wait for another's call.
  virtual std::optional<Call> next(unsigned thread) = 0;
  // Its call is over. `result` is what malloc returned.
  virtual void done(unsigned thread, const Call& call, uint64_t result) = 0;
};

struct Sizes {
  std::size_t smallest;  // bytes, inclusive; drawn log-uniformly
  std::size_t largest;
};

struct Plan {
  unsigned threads;
  std::size_t blocks;  // what a workload says it is
  Sizes sizes;
  uint64_t seed;
};

// Each thread frees one of its `blocks` live blocks, chosen at random, and allocates another.
std::unique_ptr<Workload> make_replace(const Plan& plan);
// Each thread allocates `blocks` blocks, then frees them in the order of their allocation.
std::unique_ptr<Workload> make_burst(const Plan& plan);
// Threads with an even number allocate, the next one frees, with up to `blocks` under way.
std::unique_ptr<Workload> make_handover(const Plan& plan);

}  // namespace bench::contention

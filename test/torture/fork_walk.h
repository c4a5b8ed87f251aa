// SPDX-License-Identifier: MIT
// What the driver (fork_everywhere.cc) and the program that it steps (fork_walk.cc) share: one
// mapping, one order at a time.
#pragma once

#include <atomic>
#include <cstdint>

namespace torture {

enum class Order : uint32_t {
  kWalk,  // starts a walking thread, which waits for `may_walk`
  kFork,  // the first thread forks and waits for the child
  kJoin,  // the walking thread has ended
  kStop,
};

// A child that has checked everything ends with this status: one that never came so far differs.
inline constexpr int kChildDone = 42;

struct Shared {
  std::atomic<uint32_t> orders;   // counted up by the driver; a futex
  std::atomic<uint32_t> answers;  // follows `orders`; a futex
  std::atomic<Order> order;
  std::atomic<uint32_t> may_walk;
  std::atomic<int32_t> walker;         // the kernel's number of the walking thread
  std::atomic<uint32_t> child_status;  // as waitpid gives it, of the last child
  std::atomic<uint64_t> handler;
};

}  // namespace torture

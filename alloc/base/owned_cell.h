// SPDX-License-Identifier: MIT
// A variable that one thread writes and others may read at any time: statistics, and state that a
// signal handler or a forked child may look at. Plain loads and stores in machine code.
#pragma once

#include <atomic>

namespace spillway {

template <typename T>
class OwnedCell {
 public:
  constexpr OwnedCell() = default;
  constexpr explicit OwnedCell(T value) : value_(value) {}

  // relaxed: readers want a recent value, nothing else is ordered by it.
  T get() const { return value_.load(std::memory_order_relaxed); }
  // The owner only.
  void set(T value) { value_.store(value, std::memory_order_relaxed); }
  // For a value by which memory is handed to another thread and back: acquire pairs with release.
  T get_acquire() const { return value_.load(std::memory_order_acquire); }
  void set_release(T value) { value_.store(value, std::memory_order_release); }
  void add(T amount) { set(static_cast<T>(get() + amount)); }

 private:
  std::atomic<T> value_{};
};

// Keeps the compiler from moving memory accesses across; the processor needs no word for what only
// the same thread's signal handlers and a fork's copy of memory look at.
inline void order_for_signals() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace spillway

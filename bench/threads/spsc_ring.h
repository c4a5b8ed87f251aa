// SPDX-License-Identifier: MIT
// A bounded lock-free ring between one producer and one consumer. Each side publishes its index
// once in kBatch blocks, or before it waits, and keeps a copy of the other's: a block costs a
// fraction of a cache line transfer. A side that waits spins briefly, then yields its core;
// try_push and try_pop never wait.
#pragma once

#include <sched.h>

#include <atomic>
#include <cstddef>

namespace bench {

class SpscRing {
 public:
  static constexpr std::size_t kCapacity = 64;
  static constexpr std::size_t kBatch = 8;

  // Producer only.
  void push(void* block) {
    if (head_ - seen_tail_ == kCapacity) {
      flush();
      seen_tail_ = wait_until(tail_public_, [this](std::size_t tail) {  //
        return head_ - tail < kCapacity;
      });
    }
    cells_[head_++ % kCapacity] = block;
    if (head_ % kBatch == 0) {
      flush();
    }
  }

  // Producer only: false, and everything pushed is visible, when the ring is full.
  bool try_push(void* block) {
    if (head_ - seen_tail_ == kCapacity) {
      seen_tail_ = tail_public_.load(std::memory_order_acquire);
      if (head_ - seen_tail_ == kCapacity) {
        flush();
        return false;
      }
    }
    push(block);
    return true;
  }

  // Producer only: everything pushed becomes visible. Release: pairs with pop's acquire, and
  // carries the cells and what was written into the blocks.
  void flush() { head_public_.store(head_, std::memory_order_release); }

  // Consumer only.
  void* pop() {
    if (tail_ == seen_head_) {
      give_back();
      seen_head_ = wait_until(head_public_, [this](std::size_t head) {  //
        return head != tail_;
      });
    }
    void* block = cells_[tail_ % kCapacity];
    if (++tail_ % kBatch == 0) {
      give_back();
    }
    return block;
  }

  // Consumer only: null, and every cell is given back, when nothing is visible.
  void* try_pop() {
    if (tail_ == seen_head_) {
      seen_head_ = head_public_.load(std::memory_order_acquire);
      if (tail_ == seen_head_) {
        give_back();
        return nullptr;
      }
    }
    return pop();
  }

 private:
  // Release: pairs with push's acquire, so that a cell is read before it is written again.
  void give_back() { tail_public_.store(tail_, std::memory_order_release); }

  template <class Enough>
  static std::size_t wait_until(const std::atomic<std::size_t>& index, Enough enough) {
    constexpr int kSpins = 256;
    for (int spins = 0;; ++spins) {
      const std::size_t value = index.load(std::memory_order_acquire);
      if (enough(value)) {
        return value;
      }
      if (spins < kSpins) {
        pause();
      } else {
        sched_yield();
      }
    }
  }

  static void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  // Two lines apart: processors fetch lines in pairs.
  alignas(128) std::atomic<std::size_t> head_public_{0};
  alignas(128) std::atomic<std::size_t> tail_public_{0};
  alignas(128) std::size_t head_ = 0;  // producer's
  std::size_t seen_tail_ = 0;
  alignas(128) std::size_t tail_ = 0;  // consumer's
  std::size_t seen_head_ = 0;
  alignas(128) void* cells_[kCapacity] = {};
};

static_assert(SpscRing::kCapacity % SpscRing::kBatch == 0);

}  // namespace bench

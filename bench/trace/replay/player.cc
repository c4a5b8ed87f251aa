// SPDX-License-Identifier: MIT
#include "bench/trace/replay/player.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace bench::trace {
namespace {

// How far, in events of the trace, a thread may be ahead of the slowest. Programs have queues and
// locks that the trace does not show; without a bound a producer would run through to its end. With
// this one as much is live as in the program; a smaller one would be mostly waiting.
constexpr std::uint32_t kLead = 64;
constexpr std::uint32_t kLooks = 8;  // steps between two looks at the others
constexpr std::uint32_t kDone = UINT32_MAX;
constexpr int kSpins = 200;  // about the time of a block's way from one core to another
constexpr std::uintptr_t kPage = 4096;

void write_word(char* at, std::uint64_t left) {
  if (left >= sizeof(long)) {
    *reinterpret_cast<volatile long*>(at) = 1;
  } else {
    *static_cast<volatile char*>(at) = 1;
  }
}

// A word of each page that `block` reaches from byte `from` on.
void write_pages(char* block, std::uint64_t from, std::uint64_t size) {
  std::uint64_t at = from;
  if (from > 0) {  // the page of the byte before has been written
    const auto address = reinterpret_cast<std::uintptr_t>(block + from);
    at += (kPage - address % kPage) % kPage;
  }
  while (at < size) {
    write_word(block + at, size - at);
    at += kPage - reinterpret_cast<std::uintptr_t>(block + at) % kPage;
  }
}

void* make_block(const Step& step) {
  void* block = nullptr;
  switch (step.op) {
    case Op::kCalloc:
      return calloc(1, step.size);
    case Op::kAligned:
      return posix_memalign(&block, std::size_t{1} << step.alignment_log2, step.size) == 0
                 ? block
                 : nullptr;
    default:
      return malloc(step.size);
  }
}

}  // namespace

Player::Player(const Plan& plan, Touch touch) : plan_(plan), touch_(touch) {
  void* memory = mmap(nullptr, std::max<std::size_t>(plan.slots(), 1) * sizeof *slots_,
                      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) {
    throw std::system_error(errno, std::system_category(), "memory for the blocks' addresses");
  }
  slots_ = static_cast<std::atomic<void*>*>(memory);
}

Player::~Player() { munmap(slots_, std::max<std::size_t>(plan_.slots(), 1) * sizeof *slots_); }

// Relaxed: the barrier before a play orders it.
void Player::rewind() {
  for (unsigned thread = 0; thread < plan_.threads(); ++thread) {
    const auto steps = plan_.steps(thread);
    const std::uint32_t first = steps.empty() ? kDone : steps.front().position;
    lanes_[thread].position.store(first, std::memory_order_relaxed);
    lanes_[thread].limit = 0;
  }
}

void Player::play(unsigned thread) {
  const bool alone = plan_.threads() == 1;
  std::uint32_t until_look = 0;
  for (const Step& step : plan_.steps(thread)) {
    if (!alone && until_look-- == 0) {
      until_look = kLooks - 1;
      if (!keep_pace(thread, step.position)) {
        break;
      }
    }
    if (!play_step(step, thread)) {
      break;
    }
  }
  lanes_[thread].position.store(kDone, std::memory_order_relaxed);
}

// Relaxed, as every use of the positions: they only slow threads down.
std::uint32_t Player::slowest() const {
  std::uint32_t least = kDone;
  for (unsigned thread = 0; thread < plan_.threads(); ++thread) {
    least = std::min(least, lanes_[thread].position.load(std::memory_order_relaxed));
  }
  return least;
}

// The slowest thread never waits here, so all get on. False: give up.
bool Player::keep_pace(unsigned thread, std::uint32_t position) {
  Lane& own = lanes_[thread];
  own.position.store(position, std::memory_order_relaxed);
  while (position > own.limit) {
    const std::uint32_t least = slowest();
    own.limit = least > kDone - kLead ? kDone : least + kLead;
    if (position > own.limit) {
      if (failed() != 0) {
        return false;
      }
      sched_yield();
    }
  }
  return failed() == 0;
}

// The block is made by an earlier event of another thread. nullptr: give up.
void* Player::wait_for(const std::atomic<void*>& slot, unsigned thread, std::uint32_t position) {
  lanes_[thread].position.store(position, std::memory_order_relaxed);
  for (int looks = 0; failed() == 0; ++looks) {
    // Acquire: with the release of the thread that made the block.
    if (void* block = slot.load(std::memory_order_acquire)) {
      return block;
    }
    if (looks >= kSpins) {
      sched_yield();
    }
  }
  return nullptr;
}

bool Player::play_step(const Step& step, unsigned thread) {
  void* block = nullptr;
  if (ends_block(step.op)) {
    std::atomic<void*>& slot = slots_[step.ended];
    block = slot.load(std::memory_order_acquire);
    if (block == nullptr && (block = wait_for(slot, thread, step.position)) == nullptr) {
      return false;
    }
    // Relaxed: a block is ended once, so no other thread looks at it before the next barrier.
    slot.store(nullptr, std::memory_order_relaxed);
    if (step.op == Op::kFree) {
      free(block);
      return true;
    }
    void* old = block;
    block = realloc(old, step.size);
    if (block == nullptr) {
      slot.store(old, std::memory_order_relaxed);
    }
  } else {
    block = make_block(step);
  }
  if (block == nullptr) {
    failed_.store(std::uint64_t{step.position} + 1, std::memory_order_release);
    return false;
  }
  if (touch_ == Touch::kPages) {
    write_pages(static_cast<char*>(block), step.old_size, step.size);
  } else if (touch_ == Touch::kWord && step.old_size == 0) {
    write_word(static_cast<char*>(block), step.size);
  }
  slots_[step.made].store(block, std::memory_order_release);
  return true;
}

void Player::sweep() {
  for (std::size_t slot = 0; slot < plan_.slots(); ++slot) {
    void* block = slots_[slot].load(std::memory_order_relaxed);
    if (block != nullptr) {
      free(block);
      slots_[slot].store(nullptr, std::memory_order_relaxed);
    }
  }
}

}  // namespace bench::trace

// SPDX-License-Identifier: MIT
// fork_storm FORKS [--no-gate]: forks FORKS times while 16 threads allocate, hand blocks to each
// other and end with blocks still live. Each child allocates every size, frees inherited blocks and
// lets a thread of its own end. A child that its alarm has to end counts as hung; no more are
// forked after three of them. Prints the counts; fails when any child hung or died. With --no-gate
// threads may be inside mimalloc at a fork, as if each fork had given up waiting, and only the
// child's repair is left.
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/fork_gate.h"

namespace mimalloc = spillway::mimalloc;

namespace {

constexpr int kThreads = 16;
constexpr size_t kShared = 512;
constexpr size_t kOwn = 32;
constexpr unsigned kHangSeconds = 300;
constexpr int kMaxHung = 3;

// Blocks on their way from one thread to another.
std::array<std::atomic<void*>, kShared> shared_blocks;
std::atomic<bool> stop{false};

uint64_t next_random(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

size_t random_size(uint64_t& state) {
  const uint64_t bits = next_random(state);
  const unsigned kind = bits % 64;
  if (kind < 52) {
    return 16 + (bits >> 8) % 1000;
  }
  if (kind < 60) {
    return 1024 + (bits >> 8) % 30'000;
  }
  return kind < 63 ? 100'000 + (bits >> 8) % 900'000 : (size_t{1} << 20) + (bits >> 8) % (4 << 20);
}

void* filled_block(size_t size) {
  void* block = mimalloc::allocate(size);
  if (block == nullptr) {
    std::abort();
  }
  std::memset(block, 0x5A, size < 64 ? size : 64);
  return block;
}

// Ends with its own blocks live in `shared_blocks`: its segments are abandoned.
void work(uint64_t seed, int steps) {
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  std::array<void*, kOwn> own{};
  for (int step = 0; step < steps && !stop.load(std::memory_order_relaxed); ++step) {
    void*& slot = own[next_random(state) % kOwn];
    mimalloc::free(slot);
    slot = filled_block(random_size(state));
    if (step % 2 == 0) {
      slot = shared_blocks[next_random(state) % kShared].exchange(slot);
    }
  }
  for (void* block : own) {
    mimalloc::free(shared_blocks[next_random(state) % kShared].exchange(block));
  }
}

// Keeps a worker running. Most live shortly, so that some thread is always ending or beginning.
void keep_working(uint64_t seed) {
  // The forking thread and the children come first: forks then cut in on work at any point.
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), 10);
  for (uint64_t round = 0; !stop.load(std::memory_order_relaxed); ++round) {
    std::thread(work, seed + round * kThreads, round % 16 == 0 ? 2000 : 30).join();
  }
}

[[noreturn]] void run_child() {
  alarm(kHangSeconds);
  for (auto& slot : shared_blocks) {
    mimalloc::free(slot.exchange(nullptr));
  }
  std::vector<void*> blocks;
  for (size_t size = 8; size <= (size_t{8} << 20); size *= 2) {
    blocks.push_back(filled_block(size));
    mimalloc::free(mimalloc::allocate_zeroed(size));
    mimalloc::free(mimalloc::allocate_aligned(256, size));
  }
  std::thread(work, 1, 100).join();
  for (void* block : blocks) {
    mimalloc::free(mimalloc::reallocate(block, 2000));
  }
  mimalloc::collect(true);
  _exit(0);
}

}  // namespace

int main(int count, char** arguments) {
  const int forks = count > 1 ? std::atoi(arguments[1]) : 100;
  const bool gate = count < 3 || std::strcmp(arguments[2], "--no-gate") != 0;
  pthread_atfork(gate ? mimalloc::fork_prepare : nullptr, gate ? mimalloc::fork_parent : nullptr,
                 mimalloc::fork_child);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back(keep_working, static_cast<uint64_t>(i));
  }
  int hung = 0;
  int died = 0;
  for (int i = 0; i < forks && hung < kMaxHung; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      run_child();
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
      std::perror("fork_storm");
      return 2;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
      ++hung;
    } else if (status != 0) {
      ++died;
    }
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::printf("mimalloc %d, gate %s: %d forks, %d hung, %d died\n", mimalloc::version(),
              gate ? "on" : "off", forks, hung, died);
  return hung + died == 0 ? 0 : 1;
}

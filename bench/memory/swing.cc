// SPDX-License-Identifier: MIT
// Blocks that realloc changes again and again: one that swings between two sizes, as a buffer that
// is trimmed and filled, and many that grow in turn by a page at a time, as buffers of connections.

#include <algorithm>
#include <string>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

struct Swing {
  const char* row;
  std::size_t small;
  std::size_t large;
  bool touched;
  int times;  // per repetition, there and back
};

constexpr Swing kSwings[] = {
    {"swing/1/8K-64K", 8 * kKiB, 64 * kKiB, true, 4000},
    {"swing/1/64K-256K", 64 * kKiB, 256 * kKiB, true, 1000},
    {"swing/1/98K-977K", 100'000, 1'000'000, true, 400},
    {"swing/1/1M-2M", kMiB, 2 * kMiB, true, 200},
    {"swing/1/4M-8M", 4 * kMiB, 8 * kMiB, true, 60},
    {"swing/1/8M-32M", 8 * kMiB, 32 * kMiB, true, 12},
    {"swing/1/1M-2M/calls", kMiB, 2 * kMiB, false, 4000},
};

double ns_per_round(const Swing& swing, int times) {
  void* block = touched_block(swing.small);
  const double start = now_ns();
  for (int i = 0; i < times; ++i) {
    block = checked(std::realloc(block, swing.large));
    if (swing.touched) {
      touch_pages(block, swing.large);
    }
    block = checked(std::realloc(block, swing.small));
  }
  const double ns = (now_ns() - start) / times;
  std::free(block);
  return ns;
}

void run_swings(const Effort& effort, Notebook& notes) {
  for (const Swing& swing : kSwings) {
    const int times = std::max(1, swing.times / effort.swing_part);
    for (int i = 0; i < effort.repetitions; ++i) {
      notes.value(swing.row, ns_per_round(swing, times));
    }
  }
}

struct Growth {
  const char* row;
  std::size_t buffers;
  std::size_t largest;
};

constexpr Growth kGrowths[] = {
    {"swing/2/100", 100, 200'000},
    {"swing/2/1500", 1500, 200'000},
    {"swing/2/4000", 4000, 200'000},
    {"swing/2/20000", 20'000, 40'000},
};

void* buffers[20'000];

double ns_per_growth(std::size_t count, std::size_t largest) {
  std::fill_n(buffers, count, nullptr);
  std::size_t calls = 0;
  const double start = now_ns();
  for (std::size_t size = kPage; size <= largest; size += kPage) {
    for (std::size_t i = 0; i < count; ++i) {
      buffers[i] = checked(std::realloc(buffers[i], size));
      static_cast<volatile unsigned char*>(buffers[i])[size - 1] = 1;
    }
    calls += count;
  }
  const double ns = (now_ns() - start) / static_cast<double>(calls);
  free_all({buffers, count});
  return ns;
}

void run_growths(const Effort& effort, Notebook& notes) {
  for (const Growth& growth : kGrowths) {
    const std::size_t count = std::min(growth.buffers, effort.live_bytes / growth.largest);
    notes.value(growth.row, ns_per_growth(count, growth.largest));
  }
}

template <const auto& kCases>
std::vector<Row> rows(const std::vector<Trace>& traces) {
  std::vector<Row> found;
  for (const auto& one : kCases) {
    found.push_back(row(one.row, "ns", traces.front().values(one.row)));
  }
  return found;
}

}  // namespace

const Workload kSwing1{.name = "swing/1", .timed = true, .run = run_swings, .rows = rows<kSwings>};
const Workload kSwing2{
    .name = "swing/2", .timed = true, .run = run_growths, .rows = rows<kGrowths>};

}  // namespace bench

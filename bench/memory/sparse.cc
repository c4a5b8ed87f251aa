// SPDX-License-Identifier: MIT
// Blocks of which little is used, its end: stacks of coroutines, buffers of connections, sparse
// tables. What is resident is what the program wrote, or what the allocator made of it.

#include <cstring>

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/resident.h"
#include "bench/memory/workload.h"

namespace bench {
namespace {

constexpr std::size_t kTouched = 8 * kKiB;

struct Blocks {
  const char* memory_row;
  const char* time_row;
  std::size_t size;
  std::size_t alignment;  // 0: whatever malloc gives
};

constexpr Blocks k256KiB{"sparse/256KiB_mib", "sparse/256KiB", 256 * kKiB, 0};
constexpr Blocks kOneMiB{"sparse/1MiB_mib", "sparse/1MiB", kMiB, 0};
constexpr Blocks kAligned{"sparse/aligned_mib", "sparse/aligned", kTouched, 512 * kKiB};

template <const Blocks& kBlocks>
void run(const Effort& effort, Notebook& notes) {
  constexpr std::size_t kSize = kBlocks.size;
  const double start = now_ns();
  for (int i = 0; i < effort.sparse_blocks; ++i) {
    void* block = nullptr;
    if constexpr (kBlocks.alignment != 0) {
      block = std::aligned_alloc(kBlocks.alignment, kSize);
    } else {
      block = std::malloc(kSize);
    }
    std::memset(static_cast<char*>(checked(block)) + kSize - kTouched, 1, kTouched);
  }
  notes.value("us", (now_ns() - start) / 1e3 / effort.sparse_blocks);
  notes.value("mib", resident_bytes() / static_cast<double>(kMiB));
}

template <const Blocks& kBlocks>
std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row(kBlocks.memory_row, "MiB", trace.value("mib")),
          row(kBlocks.time_row, "us", trace.value("us"))};
}

template <const Blocks& kBlocks>
constexpr Workload workload() {
  return {.name = kBlocks.time_row, .timed = true, .run = run<kBlocks>, .rows = rows<kBlocks>};
}

}  // namespace

const Workload kSparse256KiB = workload<k256KiB>();
const Workload kSparseMiB = workload<kOneMiB>();
const Workload kSparseAligned = workload<kAligned>();

}  // namespace bench

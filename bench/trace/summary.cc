// SPDX-License-Identifier: MIT
#include "bench/trace/summary.h"

#include <algorithm>
#include <vector>

namespace bench::trace {
namespace {

constexpr std::uint64_t kMinPooled = 4096;
constexpr std::uint64_t kMaxPooled = 1048576;

struct Block {
  std::uint64_t size;
  std::uint16_t thread;
};

}  // namespace

Summary summarize(const Recording& recording) {
  Summary summary;
  std::vector<Block> blocks;
  blocks.reserve(recording.blocks);
  std::uint64_t live = 0;
  for (const Event& event : recording.events) {
    if (ends_block(event.op)) {
      const Block& block = blocks[event.ended];
      live -= block.size;
      --summary.left;
      summary.elsewhere += block.thread != event.thread ? 1 : 0;
    }
    if (makes_block(event.op)) {
      blocks.push_back({event.size, event.thread});
      live += event.size;
      ++summary.left;
      ++summary.made;
      summary.bytes += event.size;
      if (event.size >= kMinPooled && event.size <= kMaxPooled) {
        ++summary.pooled;
        summary.pooled_bytes += event.size;
      }
    }
    summary.peak_live = std::max(summary.peak_live, live);
  }
  return summary;
}

}  // namespace bench::trace

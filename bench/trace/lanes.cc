// SPDX-License-Identifier: MIT
#include "bench/trace/lanes.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <unordered_map>
#include <vector>

namespace bench::trace {

std::uint32_t assign_lanes(std::span<Event> events, std::span<const std::uint32_t> threads) {
  std::unordered_map<std::uint32_t, std::size_t> last;
  for (std::size_t at = 0; at < events.size(); ++at) {
    last[threads[at]] = at;
  }
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> free;
  std::unordered_map<std::uint32_t, std::uint32_t> lane_of;
  std::uint32_t lanes = 0;
  for (std::size_t at = 0; at < events.size(); ++at) {
    const auto [found, is_new] = lane_of.try_emplace(threads[at], 0);
    if (is_new) {
      if (free.empty()) {
        found->second = lanes++;
      } else {
        found->second = free.top();
        free.pop();
      }
    }
    const std::uint32_t lane = found->second;
    events[at].thread = static_cast<std::uint16_t>(lane % kMaxThreads);
    if (last[threads[at]] == at) {
      free.push(lane);
    }
  }
  return std::clamp(lanes, std::uint32_t{1}, kMaxThreads);
}

}  // namespace bench::trace

#include "alloc/core/pace.h"

#include <algorithm>

#include "alloc/base/bits.h"

namespace spillway::core {
namespace {

// Per block. The longer time is for a thread alone in a small pool.
constexpr uint64_t kHurryNs = 100;
constexpr uint32_t kFewCaches = 8;
constexpr uint64_t kSmallPool = 128 * kMiB;
// Slow only when it was several times in a row: a thread loses its core, or waits, in between.
constexpr uint32_t kSlowLooks = 8;

constexpr bool is_within(uint64_t blocks, uint64_t ns, uint64_t ns_per_block) {
  return blocks * ns_per_block > ns;
}

}  // namespace

bool Pace::is_hurry(uint64_t blocks, uint64_t ns, Company company) {
  const bool small = company.pool_bytes < kSmallPool && company.caches < kFewCaches;
  return is_within(blocks, ns,
                   small ? kHurryNs * kFewCaches / std::max(1U, company.caches) : kHurryNs);
}

void Pace::look(uint64_t now_ns, uint64_t moved, Company company) {
  if (looked_at_ns_ != 0) {
    const uint64_t blocks = moved - looked_moved_;
    const uint64_t ns = now_ns - looked_at_ns_;
    const bool hurry = is_hurry(blocks, ns, company);
    if (hurry) {
      hurried_among_ = is_within(blocks, ns, kHurryNs) ? kWhateverCompany : company.caches;
    }
    slow_looks_ = hurry ? 0 : slow_looks_ + 1;
    hurried_ = hurry || (hurried_ && slow_looks_ < kSlowLooks);
  }
  looked_at_ns_ = now_ns;
  looked_moved_ = moved;
}

}  // namespace spillway::core

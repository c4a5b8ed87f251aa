// How often a thread asks for blocks, and whether that is so often that its misses matter.
//
// A thread that takes its time per allocation has time for a miss at each, and its cached blocks
// would be memory for nothing. Blocks of which each page is used take more from some 64 KiB on, and
// smaller ones are cached anyway.
#pragma once

#include <cstdint>

namespace spillway::core {

class Pace {
 public:
  // What the bound depends on: in a small pool of few threads a miss costs more than itself, as the
  // atomic operations in it wait for the user's stores, which a hit overlaps with (bench_memory,
  // churn: 650 ns instead of 430). What bins hold there is little, and less the fewer threads have
  // some.
  struct Company {
    uint64_t pool_bytes;
    uint32_t caches;  // in use, this one included
  };
  // Whether that many blocks in so long a time are hurry.
  static bool is_hurry(uint64_t blocks, uint64_t ns, Company company);

  // Until it is known, no.
  bool is_hurried() const { return hurried_; }
  // So hurried that company makes no difference: it does next to nothing with its blocks.
  bool is_pressed() const { return hurried_ && hurried_among_ == kWhateverCompany; }
  // Whether it was so only for want of company, and is that no more: threads that start together
  // take each other for few.
  bool found_company(Company company) const { return hurried_ && company.caches > hurried_among_; }
  void calm_down() { hurried_ = false; }
  // Another thread's from now on.
  void forget() { *this = {}; }

  // The thread looks at the clock, having moved `moved` blocks since the start.
  void look(uint64_t now_ns, uint64_t moved, Company company);
  // Blocks up to `moved` were not moved by the thread's own doing.
  void pass_over(uint64_t moved) { looked_moved_ = moved; }

 private:
  static constexpr uint32_t kWhateverCompany = UINT32_MAX;

  bool hurried_ = false;
  uint32_t hurried_among_ = kWhateverCompany;  // caches
  uint32_t slow_looks_ = 0;                    // in a row
  uint64_t looked_at_ns_ = 0;
  uint64_t looked_moved_ = 0;
};

}  // namespace spillway::core

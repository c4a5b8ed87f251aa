// SPDX-License-Identifier: MIT
// Requests that are samples are found where mimalloc's lists of free blocks end: each by chance
// alone, whatever came before and whichever thread makes it.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "alloc/mimalloc/calls.h"
#include "alloc/mimalloc/small_samples.h"

#if SPILLWAY_MIMALLOC_EXTENDED

namespace mimalloc = spillway::mimalloc;

namespace {

std::minstd_rand dice(1);
double probability = 0;  // of each request
size_t samples = 0;      // of the caller that makes requests at the moment
bool serves = false;
alignas(16) char served[4096];

bool is_sample(size_t) { return std::bernoulli_distribution(probability)(dice); }
uint32_t blocks_until_sample(size_t, uint32_t) {
  return static_cast<uint32_t>(std::geometric_distribution<uint32_t>(probability)(dice));
}
void* take(size_t size, size_t drawn_size, bool zeroed) {
  BOOST_REQUIRE(size <= drawn_size + 16);
  ++samples;
  if (serves && zeroed) {
    memset(served, 0, size);
  }
  return serves ? served : nullptr;
}
constexpr mimalloc::SmallSampler kSampler{
    .is_sample = is_sample, .blocks_until_sample = blocks_until_sample, .take = take};

struct SamplingFixture {
  explicit SamplingFixture(double wanted = 0.02) {
    probability = wanted;
    samples = 0;
    serves = true;
    dice.seed(1);
    BOOST_REQUIRE(mimalloc::sample_small(&kSampler));
  }
  ~SamplingFixture() { mimalloc::sample_small(nullptr); }
  SamplingFixture(const SamplingFixture&) = delete;
  SamplingFixture& operator=(const SamplingFixture&) = delete;
};

// Six standard deviations.
void require_share(size_t seen, size_t requests) {
  const double expected = probability * static_cast<double>(requests);
  const double bound = 6 * std::sqrt(expected);
  BOOST_TEST(std::abs(static_cast<double>(seen) - expected) < bound,
             seen << " of " << requests << ", expected " << expected << " +- " << bound);
}

void release(void* block) {
  if (block != served) {
    mimalloc::free(block);
  }
}

constexpr size_t kSizes[] = {0, 1, 16, 48, 100, 256, 1000, 1024, 1025, 3000, 4095};
constexpr size_t kRequests = 30'000;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(mimalloc_cut_lists, SamplingFixture)

BOOST_AUTO_TEST_CASE(each_size_is_sampled_as_often) {
  for (const size_t size : kSizes) {
    // One after the other, and many at a time.
    for (const size_t depth : {1U, 300U}) {
      samples = 0;
      std::deque<void*> live;
      for (size_t i = 0; i < kRequests; ++i) {
        live.push_back(i % 2 == 0 ? mimalloc::allocate(size) : mimalloc::allocate_zeroed(size));
        if (live.size() > depth) {
          release(live.front());
          live.pop_front();
        }
      }
      BOOST_TEST_INFO("size " << size << " depth " << depth);
      require_share(samples, kRequests);
      for (void* block : live) {
        release(block);
      }
    }
  }
}

// Two callers of one size that take turns of different lengths: neither is seen at the other's.
BOOST_AUTO_TEST_CASE(callers_are_seen_by_what_they_allocate) {
  size_t seen[2] = {};
  size_t made[2] = {};
  std::deque<void*> live;
  for (size_t i = 0; i < 3 * kRequests; ++i) {
    const size_t caller = i % 5 == 0 || i % 5 == 3 ? 1 : 0;
    samples = 0;
    live.push_back(mimalloc::allocate(64));
    seen[caller] += samples;
    ++made[caller];
    if (live.size() > 1000) {  // not in the order of the allocations
      std::swap(live.front(), live[i % live.size()]);
      release(live.front());
      live.pop_front();
    }
  }
  require_share(seen[0], made[0]);
  require_share(seen[1], made[1]);
  for (void* block : live) {
    release(block);
  }
}

// Those are served without being shown, from the same lists.
BOOST_AUTO_TEST_CASE(aligned_requests_between_change_nothing) {
  size_t seen = 0;
  for (size_t i = 0; i < kRequests; ++i) {
    samples = 0;
    void* const aligned = mimalloc::allocate_aligned(64, 128);
    BOOST_TEST_REQUIRE(reinterpret_cast<uintptr_t>(aligned) % 64 == 0U);
    BOOST_TEST_REQUIRE(samples == 0U);
    void* const plain = mimalloc::allocate(128);
    seen += samples;
    mimalloc::free(aligned);
    release(plain);
  }
  require_share(seen, kRequests);
}

BOOST_AUTO_TEST_CASE(a_sample_that_is_refused_is_served_by_mimalloc) {
  serves = false;
  for (size_t i = 0; i < kRequests; ++i) {
    void* const block = mimalloc::allocate(200);
    BOOST_REQUIRE(block != nullptr);
    mimalloc::free(block);
  }
  require_share(samples, kRequests);
}

// Every second one, so that lists are cut behind each block: no block is lost or handed out twice.
BOOST_AUTO_TEST_CASE(cut_lists_lose_no_block) {
  probability = 0.5;
  std::mt19937 random(3);
  struct Live {
    void* block;
    size_t size;
    unsigned char byte;
  };
  std::vector<Live> live;
  for (size_t i = 0; i < 4 * kRequests; ++i) {
    if (live.size() < 200 || random() % 2 == 0) {
      const size_t size = 1 + random() % 300;
      auto* const block = static_cast<unsigned char*>(mimalloc::allocate(size));
      if (block == reinterpret_cast<unsigned char*>(served)) {
        continue;
      }
      memset(block, static_cast<int>(i % 256), size);
      live.push_back({block, size, static_cast<unsigned char>(i)});
    } else {
      std::swap(live.back(), live[random() % live.size()]);
      const Live last = live.back();
      live.pop_back();
      const auto* const bytes = static_cast<const unsigned char*>(last.block);
      for (size_t at = 0; at < last.size; ++at) {
        BOOST_REQUIRE(bytes[at] == last.byte);
      }
      mimalloc::free(last.block);
    }
  }
  for (const Live& one : live) {
    mimalloc::free(one.block);
  }
}

BOOST_AUTO_TEST_CASE(blocks_that_other_threads_free_come_back) {
  for (int round = 0; round < 20; ++round) {
    std::vector<void*> blocks(3000);
    for (void*& block : blocks) {
      block = mimalloc::allocate(80);
    }
    std::thread([&] {
      for (void* block : blocks) {
        release(block);
      }
    }).join();
  }
  require_share(samples, 20 * 3000);
}

BOOST_AUTO_TEST_CASE(without_a_sampler_nothing_is_shown) {
  mimalloc::sample_small(nullptr);
  samples = 0;
  for (size_t i = 0; i < kRequests; ++i) {
    mimalloc::free(mimalloc::allocate(64));
  }
  BOOST_TEST(samples == 0U);
  // What was cut before is not taken for this one's.
  probability = 1e-9;
  BOOST_REQUIRE(mimalloc::sample_small(&kSampler));
  for (size_t i = 0; i < kRequests; ++i) {
    mimalloc::free(mimalloc::allocate(64));
  }
  BOOST_TEST(samples == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

#endif

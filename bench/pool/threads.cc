// SPDX-License-Identifier: MIT
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/pool/rows.h"
#include "bench/rows/lanes.h"
#include "bench/rows/rows.h"

namespace bench {
namespace {

using spillway::Buffer;
using spillway::Pool;
using spillway::PoolConfig;
using spillway::Tenant;
using spillway::ThreadCachePolicy;

constexpr size_t kSize = 4 * kKiB;
constexpr int kThreads[] = {1, 8};
constexpr size_t kMaxThreads = 8;
constexpr size_t kCaches[] = {16, 256};
constexpr size_t kTenants[] = {0, 1, 1000};
constexpr size_t kTenantsCache = 64;

// Room for every thread's set and cache.
PoolConfig one_class(size_t cache) {
  return PoolConfig()
      .with_classes({kSize})
      .with_max_per_class(4 * kMaxThreads * (cache + 1))
      .with_parallelism(kMaxThreads)
      .with_thread_cache(ThreadCachePolicy::exact(cache));
}

struct PoolUnderTest {
  explicit PoolUnderTest(const PoolConfig& config) : pool(make_pool(config)) {}
  ~PoolUnderTest() { check_all_pooled(pool); }
  PoolUnderTest(const PoolUnderTest&) = delete;
  PoolUnderTest& operator=(const PoolUnderTest&) = delete;
  Pool pool;
};

std::string row_name(const char* kind, const std::string& what, int threads) {
  return "pool/" + std::string(kind) + "/" + what + "/" + std::to_string(threads) + "t";
}

struct HeapPair {
  uint64_t round() {
    void* block = std::malloc(kSize);
    benchmark::DoNotOptimize(block);
    std::free(block);
    return 1;
  }
};

class HeapSet {
 public:
  explicit HeapSet(size_t count) { blocks_.reserve(count); }
  uint64_t round() {
    for (size_t i = 0; i < blocks_.capacity(); ++i) {
      blocks_.push_back(std::malloc(kSize));
    }
    benchmark::DoNotOptimize(blocks_.data());
    for (void* block : blocks_) {
      std::free(block);
    }
    blocks_.clear();
    return blocks_.capacity();
  }

 private:
  std::vector<void*> blocks_;
};

class PoolSet {
 public:
  PoolSet(std::shared_ptr<PoolUnderTest> subject, size_t count) : subject_(std::move(subject)) {
    buffers_.reserve(count);
  }
  uint64_t round() {
    for (size_t i = 0; i < buffers_.capacity(); ++i) {
      buffers_.push_back(subject_->pool.alloc(kSize));
    }
    benchmark::DoNotOptimize(buffers_.data());
    buffers_.clear();
    return buffers_.capacity();
  }

 private:
  std::shared_ptr<PoolUnderTest> subject_;
  std::vector<Buffer> buffers_;
};

class TenantPair {
 public:
  TenantPair(std::shared_ptr<PoolUnderTest> subject, std::vector<Tenant> tenants)
      : subject_(std::move(subject)), tenants_(std::move(tenants)) {}
  uint64_t round() {
    Buffer buffer = subject_->pool.alloc(kSize, tenants_[next_++ % kDrawn]);
    benchmark::DoNotOptimize(buffer.data());
    return 1;
  }

  // Tenants drawn before the clock starts, the same loop for any number of them.
  static constexpr size_t kDrawn = 1024;
  static std::vector<Tenant> draw(Pool& pool, size_t count, int thread) {
    std::vector<Tenant> drawn(kDrawn);
    for (size_t i = 0; i < kDrawn && count != 0; ++i) {
      drawn[i] = pool.tenant("tenant " + std::to_string(i % count));
    }
    std::mt19937_64 random(static_cast<uint64_t>(thread) + 1);
    std::shuffle(drawn.begin(), drawn.end(), random);
    return drawn;
  }

 private:
  std::shared_ptr<PoolUnderTest> subject_;
  std::vector<Tenant> tenants_;
  size_t next_ = 0;
};

void register_sets(size_t cache, int threads) {
  const size_t count = cache + 1;
  register_crew_row(row_name("heap_set", std::to_string(count), threads), [=] {
    return make_lanes(threads, [=](int /*thread*/) { return HeapSet(count); });
  });
  register_crew_row(row_name("set", std::to_string(count), threads), [=] {
    const auto subject = std::make_shared<PoolUnderTest>(one_class(cache));
    return make_lanes(threads, [=](int /*thread*/) { return PoolSet(subject, count); });
  });
}

void register_tenants(size_t count, int threads) {
  register_crew_row(row_name("tenants", std::to_string(count), threads), [=] {
    const auto subject = std::make_shared<PoolUnderTest>(one_class(kTenantsCache));
    return make_lanes(threads, [=](int thread) {
      return TenantPair(subject, TenantPair::draw(subject->pool, count, thread));
    });
  });
}

}  // namespace

void register_threads() {
  for (const int threads : kThreads) {
    register_crew_row(row_name("heap", size_name(kSize), threads), [threads] {
      return make_lanes(threads, [](int /*thread*/) { return HeapPair(); });
    });
    for (const size_t cache : kCaches) {
      register_sets(cache, threads);
    }
    for (const size_t count : kTenants) {
      register_tenants(count, threads);
    }
  }
}

}  // namespace bench

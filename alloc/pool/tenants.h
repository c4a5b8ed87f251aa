// SPDX-License-Identifier: MIT
// The tenants of a pool. Records stay where they are for the pool's life; the data path has a
// pointer to one and takes no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "spillway/tenant.h"

namespace spillway::pool {

class Tenants;

// A cache line each: what one tenant does is not felt by others.
struct alignas(64) TenantRecord {
  TenantRecord(Tenants& all, std::string_view its_name, uint64_t limit)
      : soft_limit(limit), tenants(all), name(its_name) {}

  // relaxed, all three: counts that order nothing.
  std::atomic<uint64_t> live{0};
  std::atomic<uint64_t> soft_limit;
  std::atomic<uint64_t> exceeded{0};
  Tenants& tenants;
  const std::string name;

  // Stops at the largest number: manual records may be of anything.
  void add(uint64_t bytes) {
    const uint64_t before = live.fetch_add(bytes, std::memory_order_relaxed);
    const uint64_t after = before + bytes >= before ? before + bytes : saturate();
    const uint64_t limit = soft_limit.load(std::memory_order_relaxed);
    if (after > limit) [[unlikely]] {
      exceed(before <= limit);
    }
  }
  // Stops at zero: manual releases may be of more than there is.
  void remove(uint64_t bytes) {
    uint64_t before = live.load(std::memory_order_relaxed);
    while (!live.compare_exchange_weak(before, before > bytes ? before - bytes : 0,
                                       std::memory_order_relaxed)) {
    }
  }
  void set_soft_limit(uint64_t bytes) { soft_limit.store(bytes, std::memory_order_relaxed); }
  struct Figures {
    uint64_t live;
    uint64_t soft_limit;
    uint64_t exceeded;
  };
  Figures figures() const {
    return {live.load(std::memory_order_relaxed), soft_limit.load(std::memory_order_relaxed),
            exceeded.load(std::memory_order_relaxed)};
  }
  TenantUsage usage() const;  // copies the name: throws

 private:
  void exceed(bool crossed);
  uint64_t saturate();
};

class Tenants {
 public:
  // Must not throw, nor allocate: charges are made where nothing may throw.
  using Callback = std::function<void(const TenantRecord&)>;

  explicit Tenants(uint64_t default_limit) : default_limit_(default_limit) {}

  TenantRecord& find_or_make(std::string_view name);
  void set_soft_limit(std::string_view name, uint64_t bytes);
  void set_callback(Callback callback);
  // Calls it, if there is one, under no lock. Allocates nothing.
  void tell(const TenantRecord& record) const;
  std::vector<TenantUsage> usages() const;

  // For fork(): no thread is at work on names meanwhile.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  const uint64_t default_limit_;
  mutable std::mutex mutex_;  // for names and the callback, never for accounting
  std::deque<TenantRecord> records_;
  std::unordered_map<std::string_view, TenantRecord*> by_name_;  // keys are the records' names
  std::shared_ptr<const Callback> callback_;
};

}  // namespace spillway::pool

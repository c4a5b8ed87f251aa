#include "alloc/heap/tenants.h"

#include <algorithm>
#include <atomic>

#include "alloc/base/attributes.h"
#include "alloc/heap/heap.h"

namespace spillway::heap {
namespace {

// A pair of cache lines each: what one tenant does is not felt by others.
struct alignas(128) Account {
  // relaxed, all: counts that order nothing.
  std::atomic<uint64_t> live_bytes{0};
  std::atomic<uint64_t> live_blocks{0};
  std::atomic<uint64_t> peak_bytes{0};
  std::atomic<uint64_t> allocations{0};
  std::atomic<uint64_t> uncharged{0};

  void add(uint64_t bytes) {
    const uint64_t after = live_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    uint64_t peak = peak_bytes.load(std::memory_order_relaxed);
    while (after > peak &&
           !peak_bytes.compare_exchange_weak(peak, after, std::memory_order_relaxed)) {
    }
  }
};

// The first is nobody's.
SPILLWAY_OWN_PAGES constinit Account accounts[kMostTenants + 1];

}  // namespace

uint8_t tenant_of_thread() {
  const core::ThreadCache* const cache = heap.engine.own_cache(anchor);
  return cache != nullptr ? cache->tenant.get() : kNoTenant;
}

uint64_t tenant_bytes(uint8_t tenant) {
  return accounts[tenant].live_bytes.load(std::memory_order_relaxed);
}

void charge_tenant(uint8_t tenant, uint64_t bytes) {
  if (tenant != kNoTenant) {
    Account& account = accounts[tenant];
    account.allocations.fetch_add(1, std::memory_order_relaxed);
    account.live_blocks.fetch_add(1, std::memory_order_relaxed);
    account.add(bytes);
  }
}

void credit_tenant(uint8_t tenant, uint64_t bytes) {
  if (tenant != kNoTenant) {
    accounts[tenant].live_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    accounts[tenant].live_blocks.fetch_sub(1, std::memory_order_relaxed);
  }
}

void recharge_tenant(uint8_t tenant, uint64_t before, uint64_t after) {
  if (tenant != kNoTenant && after > before) {
    accounts[tenant].add(after - before);
  } else if (tenant != kNoTenant) {
    accounts[tenant].live_bytes.fetch_sub(before - after, std::memory_order_relaxed);
  }
}

void note_uncharged(uint8_t tenant) {
  accounts[tenant].uncharged.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace spillway::heap

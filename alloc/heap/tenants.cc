// SPDX-License-Identifier: MIT
#include "alloc/heap/tenants.h"

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "alloc/base/attributes.h"
#include "alloc/heap/guard_mode.h"
#include "alloc/heap/heap.h"
#include "alloc/heap/state.h"
#include "alloc/heap/watchers.h"
#include "alloc/mimalloc/tenants.h"
#include "alloc/os/bounded_wait.h"
#include "alloc/os/errno_keeper.h"

namespace spillway::heap {
namespace {

enum class Life : uint8_t { kNone, kInTheMaking, kReady };

// A pair of cache lines each: what one tenant does is not felt by others.
struct alignas(128) Account {
  // relaxed, all that have no word beside them: counts that order nothing.
  std::atomic<uint64_t> live_bytes{0};
  std::atomic<uint64_t> peak_bytes{0};
  std::atomic<uint64_t> soft_limit{kNoLimit};
  std::atomic<uint64_t> allocations{0};
  std::atomic<uint64_t> frees{0};
  std::atomic<uint64_t> exceeded{0};
  std::atomic<uint64_t> crossed{0};
  std::atomic<uint64_t> uncharged{0};
  std::atomic<bool> above{false};  // since the last time that it was not: told once
  std::atomic<Life> life{Life::kNone};
  char name[kMaxTenantName + 1] = {};
};
static_assert(sizeof(Account) == 128);

// The first is unused: 0 is no tenant.
SPILLWAY_OWN_PAGES constinit Account accounts[kMaxTenants + 1];
// relaxed: the account's life says whether it is ready.
constinit std::atomic<int> last{0};
constinit std::atomic<TenantCallback> on_limit{nullptr};

bool exists(int tenant) {
  // acquire: pairs with the release in make(); the name is written.
  return tenant > kNoTenant && tenant <= kMaxTenants &&
         accounts[tenant].life.load(std::memory_order_acquire) == Life::kReady;
}

// So that a name needs no quoting in any of the statistics' forms, nor in the option.
bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
  };
  return !name.empty() && name.size() <= kMaxTenantName && std::ranges::all_of(name, fits);
}

// Whether the account is the tenant's of this name now; another thread may be making one.
bool is_called(Account& account, std::string_view name) {
  for (os::BoundedWait wait(1'000'000'000);;) {
    // acquire: as in exists().
    const Life life = account.life.load(std::memory_order_acquire);
    if (life != Life::kInTheMaking) {
      return life == Life::kReady && name == account.name;
    }
    if (!wait.pause()) {
      return false;
    }
  }
}

// False: it is another one's.
bool make(Account& account, std::string_view name, uint64_t soft_limit) {
  Life none = Life::kNone;
  // relaxed, both: nothing was written to it. First a look, which leaves others' cache lines alone.
  if (account.life.load(std::memory_order_relaxed) != Life::kNone ||
      !account.life.compare_exchange_strong(none, Life::kInTheMaking, std::memory_order_relaxed)) {
    return false;
  }
  name.copy(account.name, kMaxTenantName);
  account.soft_limit.store(soft_limit, std::memory_order_relaxed);
  // release: pairs with the acquires in exists() and is_called().
  account.life.store(Life::kReady, std::memory_order_release);
  return true;
}

void note_last(int number) {
  int seen = last.load(std::memory_order_relaxed);
  while (number > seen && !last.compare_exchange_weak(seen, number, std::memory_order_relaxed)) {
  }
}

// Where a signal handler interrupted this thread's bins, the next request tells. One that
// interrupted other code calls the callback, which may then allocate pooled sizes only.
SPILLWAY_COLD void exceed(uint8_t tenant, uint64_t live, uint64_t limit) {
  Account& account = accounts[tenant];
  account.exceeded.fetch_add(1, std::memory_order_relaxed);
  if (thread_state.busy.get() || account.above.exchange(true, std::memory_order_relaxed)) {
    return;
  }
  account.crossed.fetch_add(1, std::memory_order_relaxed);
  // acquire: pairs with the release in set_tenant_callback().
  const TenantCallback callback = on_limit.load(std::memory_order_acquire);
  if (callback != nullptr) {
    const os::ErrnoKeeper keeper;
    callback(tenant, live, limit);
  }
}

void add(uint8_t tenant, uint64_t bytes) {
  Account& account = accounts[tenant];
  const uint64_t after = account.live_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  uint64_t peak = account.peak_bytes.load(std::memory_order_relaxed);
  while (after > peak &&
         !account.peak_bytes.compare_exchange_weak(peak, after, std::memory_order_relaxed)) {
  }
  const uint64_t limit = account.soft_limit.load(std::memory_order_relaxed);
  if (SPILLWAY_UNLIKELY(after > limit)) {
    exceed(tenant, after, limit);
  }
}

void remove(uint8_t tenant, uint64_t bytes) {
  Account& account = accounts[tenant];
  const uint64_t after = account.live_bytes.fetch_sub(bytes, std::memory_order_relaxed) - bytes;
  if (SPILLWAY_UNLIKELY(account.above.load(std::memory_order_relaxed))) {
    const uint64_t limit = account.soft_limit.load(std::memory_order_relaxed);
    // A little less: a tenant that stays at its limit does not cross it all the time.
    if (after <= limit - limit / 32) {
      account.above.store(false, std::memory_order_relaxed);
    }
  }
}

constexpr mimalloc::TenantAccounts kAccounts{
    .charge = charge_tenant, .credit = credit_tenant, .note_uncharged = note_uncharged};

// Where it is, and for which blocks: of the pool, of mimalloc. False, and none is changed: EAGAIN.
bool put_thread(core::ThreadCache& cache, uint8_t tenant) {
  const uint8_t before = cache.tenant.get();
  if (!mimalloc::enter_tenant(tenant)) {
    return false;
  }
  cache.tenant.set(tenant);
  const bool is_in = tenant != kNoTenant;
  if (is_in != (before != kNoTenant) &&
      !heap.engine.meter(thread_state, core::Metering::kForTenant, is_in) && is_in) {
    cache.tenant.set(before);
    static_cast<void>(mimalloc::enter_tenant(before));
    return false;
  }
  return true;
}

}  // namespace

int create_tenant(std::string_view name, uint64_t soft_limit) {
  if (!is_name(name)) {
    return -EINVAL;
  }
  if (!ensure_started()) {
    return -ENOTSUP;
  }
  mimalloc::keep_accounts(&kAccounts);
  for (int number = 1; number <= kMaxTenants; ++number) {
    Account& account = accounts[number];
    if (make(account, name, soft_limit)) {
      note_last(number);
      return number;
    }
    if (is_called(account, name)) {
      return number;
    }
  }
  return -ENOSPC;
}

int enter_tenant(int tenant) {
  if (tenant != kNoTenant && !exists(tenant)) {
    return -EINVAL;
  }
  if (tenant != kNoTenant) {
    settle_thread();
    set_watching(Watcher::kTenants, true);
  }
  core::ThreadCache* const cache = heap.engine.own_cache(thread_state);
  if (cache == nullptr) {
    return tenant == kNoTenant ? kNoTenant : -EAGAIN;
  }
  const uint8_t before = cache->tenant.get();
  return put_thread(*cache, static_cast<uint8_t>(tenant)) ? before : -EAGAIN;
}

bool set_tenant_limit(int tenant, uint64_t soft_limit) {
  if (!exists(tenant)) {
    return false;
  }
  accounts[tenant].soft_limit.store(soft_limit, std::memory_order_relaxed);
  accounts[tenant].above.store(false, std::memory_order_relaxed);  // the new one is told anew
  return true;
}

void set_tenant_callback(TenantCallback callback) {
  // release: pairs with the acquire in exceed().
  on_limit.store(callback, std::memory_order_release);
}

bool read_tenant(int tenant, stats::TenantSnapshot& usage) {
  if (!exists(tenant)) {
    return false;
  }
  const Account& account = accounts[tenant];
  const auto read = [](const std::atomic<uint64_t>& count) {
    return count.load(std::memory_order_relaxed);
  };
  const uint64_t limit = read(account.soft_limit);
  // First: a block that is freed meanwhile does not count as one that never was.
  const uint64_t frees = account.frees.load(std::memory_order_acquire);
  const uint64_t allocations = read(account.allocations);
  usage = {.tenant = account.name,
           .live_bytes = read(account.live_bytes),
           .live_blocks = allocations - std::min(frees, allocations),
           .peak_bytes = read(account.peak_bytes),
           .soft_limit_bytes = limit == kNoLimit ? 0 : limit,
           .allocations_total = allocations,
           .soft_limit_exceeded_total = read(account.exceeded),
           .soft_limit_crossed_total = read(account.crossed),
           .uncharged_total = read(account.uncharged)};
  return true;
}

int last_tenant() { return last.load(std::memory_order_relaxed); }

void recover_tenants_after_fork() {
  for (Account& account : accounts) {
    // relaxed, both: the only thread there is.
    if (account.life.load(std::memory_order_relaxed) == Life::kInTheMaking) {
      account.life.store(Life::kNone, std::memory_order_relaxed);
    }
  }
}

uint8_t tenant_of_thread() {
  const core::ThreadCache* const cache = heap.engine.own_cache(thread_state);
  return cache != nullptr ? cache->tenant.get() : kNoTenant;
}

void charge_tenant(uint8_t tenant, uint64_t bytes) {
  if (tenant != kNoTenant) {
    accounts[tenant].allocations.fetch_add(1, std::memory_order_relaxed);
    add(tenant, bytes);
  }
}

void credit_tenant(uint8_t tenant, uint64_t bytes) {
  if (tenant != kNoTenant) {
    accounts[tenant].frees.fetch_add(1, std::memory_order_relaxed);
    remove(tenant, bytes);
  }
}

void recharge_tenant(uint8_t tenant, uint64_t before, uint64_t after) {
  if (tenant != kNoTenant) {
    after > before ? add(tenant, after - before) : remove(tenant, before - after);
  }
}

void note_uncharged(uint8_t tenant) {
  if (tenant != kNoTenant) {
    accounts[tenant].uncharged.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace spillway::heap

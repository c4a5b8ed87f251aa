// SPDX-License-Identifier: MIT
#include "alloc/mimalloc/tenants.h"

#include <atomic>

#if SPILLWAY_MIMALLOC_EXTENDED
// A heap is mimalloc's mi_heap_t.
extern "C" {
[[gnu::visibility("hidden")]] bool spillway_mimalloc_enter_tenant(uint8_t tenant);
[[gnu::visibility("hidden")]] uint8_t spillway_mimalloc_tenant_of(void* heap);
[[gnu::visibility("hidden")]] void* spillway_mimalloc_heap_behind(void* front);
[[gnu::visibility("hidden")]] void* spillway_mimalloc_take(void* heap, size_t size, bool zero,
                                                           size_t huge_alignment);
[[gnu::visibility("hidden")]] void* spillway_mimalloc_take_untagged(void* front, size_t size,
                                                                    bool zero,
                                                                    size_t huge_alignment);
[[gnu::visibility("hidden")]] size_t mi_usable_size(const void* block) noexcept;
[[gnu::visibility("hidden")]] uint8_t spillway_mimalloc_tag(const void* block);
[[gnu::visibility("hidden")]] void spillway_mimalloc_credit(uint8_t tenant, size_t bytes);
}
#endif

namespace spillway::mimalloc {
#if SPILLWAY_MIMALLOC_EXTENDED
namespace {

// Set once, before there is a block of a tenant's; relaxed: whatever hands such a block to another
// thread orders it.
constinit std::atomic<const TenantAccounts*> tenant_accounts{nullptr};

const TenantAccounts& accounts() { return *tenant_accounts.load(std::memory_order_relaxed); }

}  // namespace

void keep_accounts(const TenantAccounts* accounts) {
  tenant_accounts.store(accounts, std::memory_order_relaxed);
  set_asked(Asked::kForTenants, true);
}

bool enter_tenant(uint8_t tenant) { return spillway_mimalloc_enter_tenant(tenant); }

uint8_t tenant_of(void* heap) { return spillway_mimalloc_tenant_of(heap); }

void* allocate_for(uint8_t tenant, void* heap, size_t size, bool zero, size_t huge_alignment,
                   Charged charged) {
  void* const own = spillway_mimalloc_heap_behind(heap);
  if (SPILLWAY_UNLIKELY(own == nullptr)) {
    accounts().note_uncharged(tenant);
    return spillway_mimalloc_take_untagged(heap, size, zero, huge_alignment);
  }
  void* const block = spillway_mimalloc_take(own, size, zero, huge_alignment);
  if (SPILLWAY_LIKELY(block != nullptr) && charged == Charged::kNow) {
    accounts().charge(tenant, mi_usable_size(block));
  }
  return block;
}

void charge_aligned_slow(const void* block) {
  const uint8_t tenant = block != nullptr ? spillway_mimalloc_tag(block) : uint8_t{0};
  if (SPILLWAY_UNLIKELY(tenant != 0)) {
    accounts().charge(tenant, mi_usable_size(block));
  }
}
#else
void keep_accounts(const TenantAccounts*) {}
bool enter_tenant(uint8_t) { return true; }
uint8_t tenant_of(void*) { return 0; }
void charge_aligned_slow(const void*) {}
#endif

}  // namespace spillway::mimalloc

#if SPILLWAY_MIMALLOC_EXTENDED
void spillway_mimalloc_credit(uint8_t tenant, size_t bytes) {
  spillway::mimalloc::accounts().credit(tenant, bytes);
}
#endif

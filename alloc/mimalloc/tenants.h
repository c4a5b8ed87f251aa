// SPDX-License-Identifier: MIT
// Blocks of mimalloc 2.0.9 by tenant: each is charged to the tenant that its thread was in when it
// allocated it, and credited when it is freed, by whatever thread (tenants_209.h). What is charged
// is the block's usable size, and the same is credited. Threads that are in no tenant pay nothing
// for theirs.
//
// With other versions of mimalloc, and the system's, no block is charged.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"
#include "alloc/mimalloc/asked.h"

namespace spillway::mimalloc {

// Of which blocks tenants are told.
#if SPILLWAY_MIMALLOC_EXTENDED
inline constexpr bool kChargesTenants = true;
#else
inline constexpr bool kChargesTenants = false;
#endif

// Where the tenants' accounts are kept.
struct TenantAccounts {
  // Inside of malloc, with nothing locked: it may allocate and free.
  void (*charge)(uint8_t tenant, size_t bytes);
  // Inside of free.
  void (*credit)(uint8_t tenant, size_t bytes);
  // A block is not charged: there was no memory for the thread's heap of the tenant.
  void (*note_uncharged)(uint8_t tenant);
};
// Before the first thread enters one; once.
void keep_accounts(const TenantAccounts* accounts);

// Puts the calling thread into a tenant, 1 to 255, or with 0 into none. False, and it stays where
// it was: no memory. Not for signal handlers. A few ns; a thread's first time in a tenant, and its
// first block there, take some hundred.
bool enter_tenant(uint8_t tenant);

// Whose requests a heap of mimalloc's, mi_heap_t, serves; 0: no tenant's.
uint8_t tenant_of(void* heap);
// Serves one, of a thread that is in `tenant`. An aligned one is charged later, at its own start.
enum class Charged : uint8_t { kNow, kLater };
void* allocate_for(uint8_t tenant, void* heap, size_t size, bool zero, size_t huge_alignment,
                   Charged charged);
// Charges an aligned block that was just allocated, or null, to the calling thread's tenant. Two
// instructions while there are no tenants.
void charge_aligned_slow(const void* block);
inline void charge_aligned(const void* block) {
  if (SPILLWAY_UNLIKELY(is_asked(Asked::kForTenants))) {
    charge_aligned_slow(block);
  }
}

}  // namespace spillway::mimalloc

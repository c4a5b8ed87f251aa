// SPDX-License-Identifier: MIT
// Tenants of the process heap: on whose behalf blocks are allocated. A thread is in one tenant or
// in none; a block is charged, at its usable size, to the tenant that the thread was in that
// allocated it, until it is freed, wherever that is. realloc in place changes the charge; where it
// moves a block, the new one is the calling thread's tenant's.
//
// Charged are all blocks: the pool's, which are watched (watched.h), mimalloc's, which it tells of
// (mimalloc/tenants.h; only the one that is built in), and guarded ones. A soft limit refuses
// nothing: requests that leave the tenant above it are counted, and a callback is told when it is
// crossed.
//
// No lock; any thread. Threads that are in no tenant pay nothing on their fast paths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/stats/statistics.h"

namespace spillway::heap {

inline constexpr uint8_t kNoTenant = 0;
inline constexpr int kMaxTenants = 255;
inline constexpr size_t kMaxTenantName = 47;
inline constexpr uint64_t kNoLimit = UINT64_MAX;

// --- for programs and tools; a failure is a negative number, -EINVAL and so on -------------------

// The number of the tenant of this name, made with this soft limit if there is none. EINVAL: the
// name is empty, too long, or has other characters than letters, digits, "_", "-", "." and "/".
// ENOSPC: there are kMaxTenants. ENOTSUP: the pool is off. For the hidden thread, too.
int create_tenant(std::string_view name, uint64_t soft_limit);
// Puts the calling thread into a tenant, or with kNoTenant into none; returns where it was. EINVAL:
// there is no such tenant. EAGAIN: the thread has no cache, since it ends, or too many have one, or
// there is no memory for its first tenant.
// Not for signal handlers. Some tens of nanoseconds.
int enter_tenant(int tenant);
// False: there is no such tenant.
bool set_tenant_limit(int tenant, uint64_t soft_limit);

using TenantCallback = void (*)(int tenant, uint64_t live_bytes, uint64_t soft_limit);
void set_tenant_callback(TenantCallback callback);

// False: there is no such tenant. Each figure is right for some moment of the call.
bool read_tenant(int tenant, stats::TenantSnapshot& usage);
// The highest number of a tenant so far.
int last_tenant();

// In a forked child: a tenant that another thread was making is no more.
void recover_tenants_after_fork();

// --- where blocks are handed out; nothing happens for kNoTenant ----------------------------------

// Of the calling thread; none for one without a cache. For signal handlers, too: the tenant that
// the interrupted thread is in.
uint8_t tenant_of_thread();

// A block of so many usable bytes was allocated, freed, or changed where it is.
void charge_tenant(uint8_t tenant, uint64_t bytes);
void credit_tenant(uint8_t tenant, uint64_t bytes);
void recharge_tenant(uint8_t tenant, uint64_t before, uint64_t after);
// A block is not charged: there was no memory to note whose it is, or the system's mimalloc serves
// it.
void note_uncharged(uint8_t tenant);

}  // namespace spillway::heap

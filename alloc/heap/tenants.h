// Tenants of the process heap: on whose behalf blocks are allocated. A thread is in one tenant or
// in none; a block is charged, at its usable size, to the tenant that the thread was in that
// allocated it, until it is freed, wherever that is. realloc in place changes the charge; where it
// moves a block, the new one is the calling thread's tenant's.
//
// Charged are blocks of the pool: requests of 4 KiB and more, large ones, growing ones. A soft
// limit refuses nothing: allocations that leave more than it are counted, and a callback is told
// when it is crossed.
//
// No lock; any thread. Threads that are in no tenant pay nothing on their fast paths.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spillway::heap {

inline constexpr uint8_t kNoTenant = 0;
inline constexpr unsigned kMostTenants = 255;

// Of the calling thread; none for one without a cache. For signal handlers, too: the tenant that
// the interrupted thread is in.
uint8_t tenant_of_thread();

// Bytes that are charged to a tenant now.
uint64_t tenant_bytes(uint8_t tenant);

// --- for watched blocks (watched.h); nothing happens for kNoTenant
// -----------------------------------

// A block of so many usable bytes was allocated, freed, or changed where it is.
void charge_tenant(uint8_t tenant, uint64_t bytes);
void credit_tenant(uint8_t tenant, uint64_t bytes);
void recharge_tenant(uint8_t tenant, uint64_t before, uint64_t after);
// There was no memory to note whose a block is: nobody is charged for it.
void note_uncharged(uint8_t tenant);

}  // namespace spillway::heap

/* SPDX-License-Identifier: MIT */
/* Spillway's C interface, for programs that run with it: preloaded, or linked with libspillway.a.
 *
 * Declare functions weak (#define SPILLWAY_WEAK before the include) to run with and without:
 * their addresses are null then where there is no Spillway.
 *
 * Units: memory is counted in bytes.
 * Errors: each function says which numbers of errno.h it returns, or sets.
 * Thread-safety: all functions may be called from any thread, none from a signal handler.
 * Cost: tens of nanoseconds, unless a function says more. Nothing here allocates.
 */
#ifndef SPILLWAY_SPILLWAY_H
#define SPILLWAY_SPILLWAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef SPILLWAY_WEAK
#define SPILLWAY_FUNCTION __attribute__((weak))
#else
#define SPILLWAY_FUNCTION
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version: major * 10000 + minor * 100 + patch. */
SPILLWAY_FUNCTION int spillway_version(void);

/* Gives all free memory of the pool and of mimalloc back to the kernel, blocks in the caches of
 * idle threads included; returns the pool's bytes. Milliseconds for each gigabyte. */
SPILLWAY_FUNCTION uint64_t spillway_purge(void);

/* Moves the blocks in the calling thread's cache to where other threads find them. Microseconds. */
SPILLWAY_FUNCTION void spillway_flush_thread(void);

/* Writes the statistics to `descriptor`, as `format` says: "text", "json" or "prometheus". 0,
 * EINVAL for any other format, or EIO when not all could be written: it waits for a reader for a
 * second in all. Takes no lock. */
SPILLWAY_FUNCTION int spillway_write_statistics(int descriptor, const char* format);

/* Bytes of memory held for the program: in blocks, free but not yet given back, and by mimalloc. */
SPILLWAY_FUNCTION uint64_t spillway_held_bytes(void);

/* A function that is told how many bytes are `held` above the soft `limit`. */
typedef void (*spillway_limit_callback)(uint64_t held, uint64_t limit);
/* `callback(held, limit)` is called whenever the bytes held get above the soft limit (option
 * `limit`) although all free memory was given back; once for each crossing. The thread that crosses
 * it calls, with nothing locked: the callback may allocate and free. Null: no call. */
SPILLWAY_FUNCTION void spillway_on_limit(spillway_limit_callback callback);

/* Tenants: on whose behalf the process allocates. A thread is in one tenant or in none. Each block
 * that it allocates is charged, at its usable size, to its tenant, until a thread frees it.
 * realloc in place changes the charge; where it moves a block, the new one is charged to the
 * tenant of the calling thread. Beside the system's mimalloc, blocks below 4 KiB and above 64 MiB
 * are not charged. See alloc/docs/TENANTS.md.
 *
 * A soft limit refuses nothing: requests that leave a tenant above it are counted, and a callback
 * is told of the crossing. 0: no limit. */

/* The number, above 0, of the tenant `name`, made with `soft_limit` if there is none yet. One that
 * exists, by the option tenant_limits or an earlier call, keeps its own limit. A tenant exists
 * until the process ends. -1 with errno when there is no number. EINVAL: the name is not 1 to 47
 * letters, digits and "_-./". ENOSPC: there are 255 tenants. ENOTSUP: the pool is off. */
SPILLWAY_FUNCTION int spillway_tenant_create(const char* name, uint64_t soft_limit);

/* Puts the calling thread into `tenant`, or with 0 into none. Returns the one that it was in, so
 * that code inside of another tenant's can go back there: enter(outer). A new thread is in none.
 * While it is in one, its calls take some ten nanoseconds more. -1 with errno, and the thread stays
 * where it was. EINVAL: there is no such tenant. EAGAIN: the thread is ending, is beyond the 16384
 * that can have a cache, or there is no memory for its first tenant. */
SPILLWAY_FUNCTION int spillway_tenant_enter(int tenant);
/* As spillway_tenant_enter(0): puts the thread into none, however often it entered. */
SPILLWAY_FUNCTION int spillway_tenant_leave(void);

/* Sets the soft limit of `tenant` to `soft_limit`. 0, or EINVAL where there is no such tenant. One
 * that is above the new limit is told of at its next request. */
SPILLWAY_FUNCTION int spillway_tenant_set_limit(int tenant, uint64_t soft_limit);

/* What a tenant holds and has done. */
struct spillway_tenant_usage {
  const char* name;                   /* valid until the process ends */
  uint64_t live_bytes;                /* charged now */
  uint64_t live_blocks;               /* their number */
  uint64_t peak_bytes;                /* the most that was ever charged */
  uint64_t soft_limit_bytes;          /* 0: none */
  uint64_t allocations_total;         /* blocks that were charged to it */
  uint64_t soft_limit_exceeded_total; /* requests that left it above the limit */
  uint64_t soft_limit_crossed_total;  /* times that it got above the limit */
  uint64_t uncharged_total; /* blocks that are not charged: there was no memory to note whose they
                               are. Beside the system's mimalloc, those above 64 MiB, too */
};
/* Fills in the first `size` bytes of `usage`, which is sizeof *usage, with what `tenant` holds. 0,
 * or EINVAL where there is no such tenant. Each figure is right for some moment of the call. */
SPILLWAY_FUNCTION int spillway_tenant_read(int tenant, struct spillway_tenant_usage* usage,
                                           size_t size);
/* The live_bytes of `tenant` alone; 0 where there is no such tenant. */
SPILLWAY_FUNCTION uint64_t spillway_tenant_bytes(int tenant);

/* A function that is told when `tenant`, with `live` bytes, got above its `limit`. */
typedef void (*spillway_tenant_callback)(int tenant, uint64_t live, uint64_t limit);
/* `callback(tenant, live, limit)` is called whenever the bytes charged to a tenant get above its
 * soft limit; once for each crossing. The thread that crosses it calls, inside malloc with nothing
 * locked: the callback may allocate and free. Null: no call. */
SPILLWAY_FUNCTION void spillway_on_tenant_limit(spillway_tenant_callback callback);

/* Writes the value in force of the option `name` ("purge_delay") to `value`, as text that ends with
 * a 0; 0, ENOENT where there is no such option, or ERANGE when it has no room in `size` bytes. */
SPILLWAY_FUNCTION int spillway_get_option(const char* name, char* value, size_t size);

/* Sets the option `name` to `value`, as SPILLWAY_<NAME>=`value` would have. `spillway ctl -h` lists
 * the options that can change; the others are read when the process starts. 0; ENOENT where there
 * is no such option; EINVAL for a value that it does not accept. EPERM for an option that can't
 * change, or has no effect because the pool is off. */
SPILLWAY_FUNCTION int spillway_set_option(const char* name, const char* value);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/* The buffer pool for C11, and for languages that read C headers. In C, spillway/pool.h is this.
 *
 *   struct spillway_pool_config config;
 *   spillway_pool_config_init(&config, sizeof config, SPILLWAY_POOL_NETWORK);
 *   struct spillway_pool* pool = NULL;
 *   char why[256];
 *   if (spillway_pool_create(&config, &pool, why, sizeof why) != SPILLWAY_POOL_OK) {
 *     return fprintf(stderr, "%s\n", why), 1;
 *   }
 *   struct spillway_pool_buffer buffer;
 *   if (spillway_pool_alloc(pool, 1500, NULL, &buffer) == SPILLWAY_POOL_OK) {
 *     buffer.length = (size_t)read(file, buffer.data, buffer.capacity);
 *     spillway_pool_return(&buffer);
 *   }
 *   spillway_pool_destroy(pool);
 *
 * Units: sizes, lengths, capacities, offsets and limits are bytes.
 * Errors: what can fail returns an enum spillway_pool_error, and leaves what it would have given
 * empty. Nothing throws. Pointers must not be null where a function does not say so.
 * Thread-safety: any thread may call any function at any time, and after fork(); none is for signal
 * handlers. A struct of the program's own is used by one thread at a time.
 * Cost: taking a buffer from the thread's cache, and returning one to it, takes some tens of
 * nanoseconds, without lock or allocation. A miss takes a few atomic operations for half a cache of
 * buffers; the first one of a thread maps memory for its cache. A buffer from the system's heap
 * costs an allocation there. Other functions say what they cost.
 *
 * The ABI only grows. Structs that a function is told the size of may get more fields at their end;
 * buffers stay as they are. */
#ifndef SPILLWAY_POOL_C_H
#define SPILLWAY_POOL_C_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "spillway/export.h"

/* The type that C gives enums, so that C++, too, can be handed any number. */
#ifdef __cplusplus
#define SPILLWAY_POOL_UNSIGNED : unsigned
#else
#define SPILLWAY_POOL_UNSIGNED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version: major * 10000 + minor * 100 + patch. */
SPILLWAY_POOL_API int spillway_pool_version(void);

/* --- errors ----------------------------------------------------------------------------------- */

/* Why there is no result. */
enum spillway_pool_error SPILLWAY_POOL_UNSIGNED {
  SPILLWAY_POOL_OK = 0,        /* it worked */
  SPILLWAY_POOL_OVERSIZED = 1, /* the size is above the largest class */
  SPILLWAY_POOL_EXHAUSTED = 2, /* max_per_class buffers are in use, or in caches of other threads */
  SPILLWAY_POOL_NO_MEMORY = 3, /* the system has none */
  SPILLWAY_POOL_INVALID = 4,   /* an argument or a configuration is wrong */
  SPILLWAY_POOL_SHARED = 5     /* others share the memory */
};
/* The error's name for messages: "oversized" and so on; "unknown" for a number that is no `error`.
 * Static. */
SPILLWAY_POOL_API const char* spillway_pool_error_name(enum spillway_pool_error error);

/* --- the pool --------------------------------------------------------------------------------- */

/* What spillway_pool_config_init() begins with; sizes of the classes, and buffers of each. */
enum spillway_pool_preset SPILLWAY_POOL_UNSIGNED {
  SPILLWAY_POOL_DEFAULT = 0,      /* powers of two from 4 KiB to 1 MiB, 64 */
  SPILLWAY_POOL_PAGE_BUFFERS = 1, /* the same, aligned to 4 KiB */
  SPILLWAY_POOL_TIERED = 2,       /* 4 KiB, 64 KiB, 1 MiB, 10 MiB, 64 */
  SPILLWAY_POOL_NETWORK = 3,      /* powers of two from 1 KiB to 128 KiB, 4096 */
  SPILLWAY_POOL_STORAGE = 4       /* powers of two, a page to 8 MiB, aligned to pages, 64 */
};

/* thread_cache_buffers: max_per_class / (2 * min(parallelism, max_per_class)). */
#define SPILLWAY_POOL_CACHE_AUTOMATIC SIZE_MAX

/* A pool's configuration. Fill it in by spillway_pool_config_init(), then change fields. */
struct spillway_pool_config {
  size_t struct_size; /* set by spillway_pool_config_init(); leave it */
  size_t min_size;    /* the classes: the powers of two from here */
  size_t max_size;    /* to here, */
  /* or, unless class_count is 0, these: ascending multiples of `alignment`. */
  const size_t* class_sizes;
  const char* const* class_names; /* class_count different ones; null: the sizes are the names */
  size_t class_count;             /* of class_sizes; at most 63 */
  size_t pool_min_size;           /* requests below are never pooled */
  size_t max_per_class;           /* buffers of each class there can be at one time */
  size_t alignment;               /* of each buffer's first byte: a power of two, at most 2 MiB */
  size_t parallelism;             /* threads that are expected to use the pool at the same time */
  size_t thread_cache_buffers;    /* free ones of each class a thread keeps; 0: none */
  uint64_t tenant_soft_limit;     /* of tenants without a limit of their own */
  uint32_t prefill;               /* not 0: all buffers are resident before create() returns */
  uint32_t pinned;                /* not 0: for regions; memory is never given back */
};

/* Fills in the first `size` bytes of `config`, which is sizeof *config, as `preset` says.
 * SPILLWAY_POOL_INVALID when there is no such preset, or the size is that of no version of the
 * struct. About a hundred nanoseconds. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_config_init(
    struct spillway_pool_config* config, size_t size, enum spillway_pool_preset preset);

/* Sets max_per_class so that all buffers of `config` together have `bytes`, rounded up to one more
 * of each class; at least 1. SPILLWAY_POOL_INVALID, and nothing changed, where `config` was not
 * initialised or gives no classes. Microseconds; allocates, SPILLWAY_POOL_NO_MEMORY. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_config_set_budget(
    struct spillway_pool_config* config, uint64_t bytes);

/* Opaque. */
struct spillway_pool;

/* Makes a pool as `config` says, which is read during the call alone, and puts it into `*pool`.
 * SPILLWAY_POOL_INVALID for a configuration that breaks a rule, or has a field set that this
 * version of the library does not know; SPILLWAY_POOL_NO_MEMORY where the system refuses. `*pool`
 * is null then. `why`, unless null, gets the reason: one line that names the values, cut to
 * `why_size`, ending with a 0. The rules are those of PoolConfig::check() (pool_config.h).
 *
 * Reserves address space for all buffers, memory only with prefill. About a hundred microseconds;
 * with prefill, tenths of a second for each gigabyte. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_create(
    const struct spillway_pool_config* config, struct spillway_pool** pool, char* why,
    size_t why_size);

/* Ends `pool`; null: nothing happens. Free memory goes at once. Buffers and shared ones in use stay
 * valid, and tenants of such buffers; their memory goes with them. No other thread may be in a call
 * with the pool. About a tenth of a second for each gigabyte. */
SPILLWAY_POOL_API void spillway_pool_destroy(struct spillway_pool* pool);

/* Moves what the calling thread has cached of `pool` to where all threads find it, as the end of
 * the thread does. Microseconds. */
SPILLWAY_POOL_API void spillway_pool_flush(struct spillway_pool* pool);

/* Gives the memory of all free buffers of `pool` outside thread caches back to the system; bytes.
 * 0 for a pinned pool. The buffers stay usable. About a tenth of a second for each gigabyte. */
SPILLWAY_POOL_API size_t spillway_pool_purge(struct spillway_pool* pool);

/* --- buffers ---------------------------------------------------------------------------------- */

/* A buffer: give it back once, by any thread. Without memory `data` is null and all else 0. May be
 * copied as bytes; use one of the copies then. */
struct spillway_pool_buffer {
  void* data;      /* the first byte; leave it */
  size_t length;   /* bytes in use; yours to change, up to the capacity */
  size_t capacity; /* bytes from `data` on; leave it */
  void* owner;     /* the same in all buffers of a pool; for spillway_pool_free() and _adopt() */
};

/* A tenant of one pool; see below. */
struct spillway_pool_tenant;

/* Takes a buffer of `pool`, of the smallest class that holds `size`, into `*buffer`: length 0, the
 * class's capacity, which is charged to `tenant`, unless null.
 *
 * The buffer is unpooled, exactly `size` bytes from the system's heap, in three cases: `size` is
 * below pool_min_size or above the largest class, or the class is exhausted.
 * SPILLWAY_POOL_NO_MEMORY when the system has none. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_alloc(struct spillway_pool* pool,
                                                               size_t size,
                                                               struct spillway_pool_tenant* tenant,
                                                               struct spillway_pool_buffer* buffer);
/* As spillway_pool_alloc(), but the length is `size` and these bytes are zero; memory known to be
 * zero is not written to. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_alloc_zeroed(
    struct spillway_pool* pool, size_t size, struct spillway_pool_tenant* tenant,
    struct spillway_pool_buffer* buffer);
/* As spillway_pool_alloc_zeroed(), but of all of the buffer: the length is the capacity. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_acquire(
    struct spillway_pool* pool, size_t size, struct spillway_pool_tenant* tenant,
    struct spillway_pool_buffer* buffer);
/* As spillway_pool_alloc(), but with SPILLWAY_POOL_OVERSIZED or SPILLWAY_POOL_EXHAUSTED instead of
 * an unpooled buffer. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_try_alloc(
    struct spillway_pool* pool, size_t size, struct spillway_pool_tenant* tenant,
    struct spillway_pool_buffer* buffer);
/* As spillway_pool_alloc_zeroed(), with the errors of spillway_pool_try_alloc(). */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_try_alloc_zeroed(
    struct spillway_pool* pool, size_t size, struct spillway_pool_tenant* tenant,
    struct spillway_pool_buffer* buffer);

/* Gives the memory of `*buffer` back, also after its pool is gone; the struct is empty then. An
 * empty one is left alone.
 *
 * A second return, of a copy, ends the process with a line that says so, unless the memory has a
 * new owner by then: that one loses it. Of an unpooled buffer it is likely to be found, no more.
 * After the last buffer of a pool that has ended it is undefined. */
SPILLWAY_POOL_API void spillway_pool_return(struct spillway_pool_buffer* buffer);

/* The same with a buffer's `data` and `owner`, as zero-copy interfaces of other libraries call it
 * (zmq_msg_init_data() and the like). Null `owner`: nothing happens. */
SPILLWAY_POOL_API void spillway_pool_free(void* data, void* owner);

/* The buffer whose `data` and `owner` these are, with this `length`: for what can keep a pointer
 * only, such as io_uring's user data. Takes nothing: it is the buffer that was there. Empty when
 * `owner` is null. */
SPILLWAY_POOL_API struct spillway_pool_buffer spillway_pool_adopt(void* data, size_t length,
                                                                  void* owner);

/* Changes the length of `*buffer` to `length`; added bytes are zero. Above the capacity the bytes
 * are copied to a buffer of a larger class, for the same tenant; of exactly the size when there is
 * none. SPILLWAY_POOL_NO_MEMORY, and nothing changed, when the system has none. The same for a
 * buffer without memory, unless `length` is 0. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_resize(struct spillway_pool_buffer* buffer,
                                                                size_t length);

/* 1 when the memory of `*buffer` is one of its pool's buffers; 0 for an unpooled buffer, or one
 * without memory. */
SPILLWAY_POOL_API int spillway_pool_is_pooled(const struct spillway_pool_buffer* buffer);

/* --- shared buffers --------------------------------------------------------------------------- */

/* One of the owners of memory that is read-only while it is shared: each is released once, by any
 * thread. Without memory all is null or 0. Copy it by spillway_pool_retain() alone: two releases of
 * one owner take the memory from the others, and are found only when the memory is given back
 * twice. */
struct spillway_pool_shared {
  const void* data; /* the first byte; leave it */
  size_t length;    /* bytes; leave it */
  void* start;      /* internal */
  void* owner;      /* internal */
};

/* The memory and length of `*buffer`, which is empty then, as a shared buffer with one owner.
 * Copies and allocates nothing. */
SPILLWAY_POOL_API struct spillway_pool_shared spillway_pool_freeze(
    struct spillway_pool_buffer* buffer);
/* One more owner of what `*shared` has; release both. One atomic increment. */
SPILLWAY_POOL_API struct spillway_pool_shared spillway_pool_retain(
    const struct spillway_pool_shared* shared);
/* One more owner, of `length` bytes of `*shared` from `offset` on, cut to what there is; without
 * memory when that is nothing. One atomic increment. */
SPILLWAY_POOL_API struct spillway_pool_shared spillway_pool_slice(
    const struct spillway_pool_shared* shared, size_t offset, size_t length);
/* Ends the ownership of `*shared`, which is empty then; the last owner gives the memory back. An
 * empty one is left alone. One atomic decrement, and what a return costs. */
SPILLWAY_POOL_API void spillway_pool_release(struct spillway_pool_shared* shared);
/* 1 when `*shared` is the only owner, which stays so; 0, which may be out of date, when there are
 * others, or no memory. */
SPILLWAY_POOL_API int spillway_pool_is_unique(const struct spillway_pool_shared* shared);
/* The memory of `*shared`, which is empty then, as a writable `*buffer`, whose capacity reaches
 * from its first byte to the memory's end. Copies nothing; but bytes of unpooled memory move to its
 * start. SPILLWAY_POOL_SHARED, and `*shared` unchanged, when there are other owners. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_thaw(struct spillway_pool_shared* shared,
                                                              struct spillway_pool_buffer* buffer);

/* --- tenants ---------------------------------------------------------------------------------- */

/* On whose behalf buffers are taken: capacities are charged to a tenant until the buffer's end, and
 * held against a soft limit, which refuses nothing. A charge is one atomic addition. */

/* The tenant of that `name` of `pool`, made when there is none, into `*tenant`: valid as long as
 * the pool or a buffer of the tenant lives. SPILLWAY_POOL_NO_MEMORY when the system has none. Takes
 * a lock: look it up once. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_tenant_create(
    struct spillway_pool* pool, const char* name, struct spillway_pool_tenant** tenant);
/* Sets the soft limit of `tenant` to `bytes`. Nanoseconds. */
SPILLWAY_POOL_API void spillway_pool_tenant_set_limit(struct spillway_pool_tenant* tenant,
                                                      uint64_t bytes);
/* Charges `bytes` of memory that the pool does not know of to `tenant`; the account stops at
 * UINT64_MAX. */
SPILLWAY_POOL_API void spillway_pool_tenant_charge(struct spillway_pool_tenant* tenant,
                                                   uint64_t bytes);
/* Ends such a charge of `bytes` to `tenant`; the account stops at 0. */
SPILLWAY_POOL_API void spillway_pool_tenant_discharge(struct spillway_pool_tenant* tenant,
                                                      uint64_t bytes);

/* What a tenant holds. */
struct spillway_pool_tenant_usage {
  const char* name;                   /* valid as long as the tenant */
  uint64_t live_bytes;                /* charged now */
  uint64_t soft_limit_bytes;          /* what it should stay below */
  uint64_t soft_limit_exceeded_total; /* allocations made while over the limit */
};
/* Fills in the first `size` bytes of `*usage`, sizeof *usage, with what `tenant` holds; what this
 * library does not know is 0. Each figure is right for some moment of the call. Nanoseconds. */
SPILLWAY_POOL_API void spillway_pool_tenant_read(const struct spillway_pool_tenant* tenant,
                                                 struct spillway_pool_tenant_usage* usage,
                                                 size_t size);

/* A function that is told when a tenant, of this `name`, got above its limit: with `live_bytes`,
 * `soft_limit_bytes`, and the `context` that was given with it. The name is valid as long as the
 * tenant. */
typedef void (*spillway_pool_tenant_callback)(const char* name, uint64_t live_bytes,
                                              uint64_t soft_limit_bytes, void* context);
/* `callback(..., context)` is called when a charge takes a tenant of `pool` above its limit, once
 * for each crossing. The thread that allocates calls it, under no lock; it may use the pool.
 * Replaces the one before, whose calls under way end by themselves; null: none.
 * SPILLWAY_POOL_NO_MEMORY, and the one before stays. Microseconds. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_on_tenant_limit(
    struct spillway_pool* pool, spillway_pool_tenant_callback callback, void* context);

/* --- regions ---------------------------------------------------------------------------------- */

/* The memory of a pinned pool as a few contiguous ranges of at most 1 GiB: for io_uring's fixed
 * buffers, RDMA and devices. They never move, and never go back while the pool or a buffer lives. A
 * region is added, whole, when a buffer in it is taken for the first time; with prefill, at once.
 * Regions have numbers, from 0 on in that order. Register them in the order of
 * spillway_pool_regions(), and io_uring's `buf_index` is that number. */

/* Writes the first `count` regions of `pool` to `regions`, which may be null when `count` is 0, by
 * number; returns how many there are. 0 for a pool that is not pinned, and when the system has no
 * memory for the list. Takes a lock, as adding a region does; microseconds. */
SPILLWAY_POOL_API size_t spillway_pool_regions(const struct spillway_pool* pool,
                                               struct iovec* regions, size_t count);
/* The number of the region of `pool` that `pointer`, to a byte of a buffer, is in. `*offset`,
 * unless null, gets its distance from the region's first byte. -1 for other memory, and before the
 * region's callback returned. Nanoseconds. */
SPILLWAY_POOL_API int spillway_pool_locate(const struct spillway_pool* pool, const void* pointer,
                                           size_t* offset);

/* A function that is told of a region: its `number`, its `memory`, which is valid during the call,
 * and the `context` that was given with it. */
typedef void (*spillway_pool_region_callback)(uint32_t number, const struct iovec* memory,
                                              void* context);
/* `callback(..., context)` is called with each region of `pool`: with those that there are, before
 * this returns; with others when they are added. The thread whose allocation needs the region calls
 * it, under no lock, before the allocation returns. Replaces the one before; null: none.
 * SPILLWAY_POOL_NO_MEMORY, and the one before stays. Microseconds. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_on_region(
    struct spillway_pool* pool, spillway_pool_region_callback callback, void* context);

/* --- statistics ------------------------------------------------------------------------------- */

/* The statistics of a whole pool. Counters never fall. */
struct spillway_pool_statistics {
  uint64_t allocations; /* of all buffers */
  uint64_t recycles;    /* with memory of a returned buffer */
  uint64_t misses;      /* all others */
  uint64_t oversized;   /* requests above the largest class */
  uint64_t unpooled;    /* buffers of exactly the size asked */
  uint64_t live_bytes;  /* of all tenants together */
  uint64_t class_count; /* for spillway_pool_read_class() */
};
/* Fills in the first `size` bytes of `*statistics`, sizeof *statistics, with what `pool` has done;
 * what this library does not know is 0. While other threads work each figure is right for some
 * moment of the call. SPILLWAY_POOL_NO_MEMORY when the system has none for it. Some microseconds.
 */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_read_statistics(
    const struct spillway_pool* pool, struct spillway_pool_statistics* statistics, size_t size);

/* The statistics of one class. */
struct spillway_pool_class_statistics {
  const char* name;     /* valid until the pool's end */
  uint64_t size;        /* of a buffer */
  uint64_t allocations; /* of pooled buffers */
  uint64_t created;     /* of these, with memory that was not used before or was given back */
  uint64_t hits;        /* of these, with memory of a returned buffer */
  uint64_t exhausted;   /* requests that found no free buffer */
  uint64_t live;        /* buffers in use */
  uint64_t cached;      /* in thread caches */
  uint64_t free;        /* for all threads */
};
/* Fills in the first `size` bytes of `*statistics`, sizeof *statistics, with what the class with
 * this `index` of `pool`, ascending from 0, has done. SPILLWAY_POOL_INVALID where there is no such
 * class. Microseconds; allocates nothing. */
SPILLWAY_POOL_API enum spillway_pool_error spillway_pool_read_class(
    const struct spillway_pool* pool, size_t index,
    struct spillway_pool_class_statistics* statistics, size_t size);

/* Writes all statistics of `pool` in Prometheus' text format to `text`, cut to `size`, ending with
 * a 0; `text` may be null when `size` is 0. Names begin with spillway_pool_. Returns the length of
 * all of it; 0 when the system has no memory for it. Some ten microseconds. */
SPILLWAY_POOL_API size_t spillway_pool_prometheus(const struct spillway_pool* pool, char* text,
                                                  size_t size);

#undef SPILLWAY_POOL_UNSIGNED

#ifdef __cplusplus
}
#endif

#endif

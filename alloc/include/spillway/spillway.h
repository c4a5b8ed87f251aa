/* Spillway's C interface, for programs that run with it: preloaded, or linked with libspillway.a.
 *
 * Declare a function weak (#define SPILLWAY_WEAK before the include) to run with and without:
 * its address is null then where there is no Spillway.
 *
 * All functions may be called from any thread, none from a signal handler. Nothing here allocates.
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

/* major * 10000 + minor * 100 + patch. */
SPILLWAY_FUNCTION int spillway_version(void);

/* Gives all free memory of the pool and of mimalloc back to the kernel, blocks in the caches of
 * idle threads included; returns the pool's bytes. Milliseconds for each gigabyte. */
SPILLWAY_FUNCTION uint64_t spillway_purge(void);

/* Moves the blocks in the calling thread's cache to where other threads find them. Microseconds. */
SPILLWAY_FUNCTION void spillway_flush_thread(void);

/* Writes the statistics to a descriptor as "text", "json" or "prometheus"; 0, EINVAL for any
 * other format, or EIO when not all could be written: a reader is waited for a second in all.
 * Takes no lock. */
SPILLWAY_FUNCTION int spillway_write_statistics(int descriptor, const char* format);

/* Bytes of memory held for the program: in blocks, free but not yet given back, and by mimalloc. */
SPILLWAY_FUNCTION uint64_t spillway_held_bytes(void);

/* `callback(held, limit)` is called whenever the bytes held get above the soft limit (option
 * `limit`) although all free memory was given back; once for each time that it is crossed, in the
 * thread that crosses it, with nothing locked: it may allocate and free. Null: nobody is called. */
typedef void (*spillway_limit_callback)(uint64_t held, uint64_t limit);
SPILLWAY_FUNCTION void spillway_on_limit(spillway_limit_callback callback);

#ifdef __cplusplus
}
#endif

#endif

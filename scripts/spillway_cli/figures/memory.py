# SPDX-License-Identifier: MIT
"""What a process's memory consists of, from a snapshot; None where the library does not tell.

`live` is what the program holds, `cached` free blocks in thread caches, `free_dirty` free memory that
the process still has, `free_clean` free pages between these whose memory the kernel has.
"""


def live(snapshot):
    return _sum(snapshot, "pool_live_bytes", "large_live_bytes", "guarded_live_bytes", "mimalloc_live_bytes")


def cached(snapshot):
    return snapshot.get("pool_cached_bytes")


def free_dirty(snapshot):
    dirty = snapshot.get("pool_dirty_bytes")
    if dirty is None:
        free, clean = snapshot.get("pool_free_bytes"), snapshot.get("pool_clean_bytes")
        if free is None or clean is None:
            return None
        dirty = max(0, free - clean)
    return dirty + (snapshot.get("large_free_bytes") or 0)


def free_clean(snapshot):
    return snapshot.get("pool_clean_bytes")


def mimalloc_live(snapshot):
    return snapshot.get("mimalloc_live_bytes")


def mimalloc_held(snapshot):
    """What mimalloc has committed: live blocks, free ones, and memory that was never used."""
    return snapshot.get("mimalloc_committed_bytes")


def _sum(snapshot, *names):
    values = [snapshot.get(name) for name in names]
    known = [value for value in values if value is not None]
    return sum(known) if known else None

// SPDX-License-Identifier: MIT
// The USDT probes otel_memory:alloc(pointer, size, weight) and otel_memory:free(pointer) of
// OpenTelemetry's memory profiling (its eBPF profiler's design document 00003): on a sampled
// allocation, with the bytes that it stands for, and on the free of one. An instruction that does
// nothing, and a note in the file (.note.stapsdt) that says where it is; a tracer puts a breakpoint
// there. The arguments are in the registers of a call, and the note says so.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/base/attributes.h"

namespace spillway::profile {

SPILLWAY_NOINLINE void probe_alloc(const void* pointer, size_t size, size_t weight);
SPILLWAY_NOINLINE void probe_free(const void* pointer);

// Whether a tracer is attached to the first: the kernel counts them in the process's memory, where
// the note says. One load.
bool is_probe_watched();

}  // namespace spillway::profile

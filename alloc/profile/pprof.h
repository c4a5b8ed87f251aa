// SPDX-License-Identifier: MIT
// Writes a profile as pprof reads it: the protocol buffer of its profile.proto, not compressed.
//
// For each stack four values: blocks and bytes allocated since the profile's start, and of these,
// live now. Each is what the samples stand for. Addresses are the process's own, with the mappings
// that symbols are found by.
#pragma once

#include "alloc/profile/byte_output.h"
#include "alloc/profile/profile.h"

namespace spillway::profile {

// False when the sink refused, or there is no memory to work in: some 200 KiB and 16 bytes for each
// frame of each stack, mapped for that time. Reads files of the kernel's. Other threads may go on
// sampling.
bool write_pprof(const Profile& profile, ByteSink sink);

}  // namespace spillway::profile

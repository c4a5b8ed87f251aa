// SPDX-License-Identifier: MIT
// This process's resident memory, read without stdio: nothing here allocates.
#pragma once

namespace bench::trace {

double resident_bytes();

// The most since reset_peak(), or since the start where the kernel can't reset it. The kernel
// counts pages in batches per processor: a few hundred KiB may be missing.
double peak_bytes();
void reset_peak();

}  // namespace bench::trace

// SPDX-License-Identifier: MIT
// Small files of the kernel's, read whole. No errno, no cancellation point.
#pragma once

#include <cstddef>
#include <string_view>

namespace spillway::os {

// The first `size` bytes of a file, in `buffer`; empty when it cannot be read.
std::string_view read_file(const char* path, char* buffer, size_t size);

}  // namespace spillway::os

// SPDX-License-Identifier: MIT
// The inline namespace of the buffer pool's interface for C++, part of each symbol's name: a
// program does not link with a pool of another minor version. Nor does it link with one that was
// compiled for another standard of C++, where that decides about spillway::expected.
#pragma once

#include <version>

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
// Whether spillway::expected is the standard's.
#define SPILLWAY_STD_EXPECTED 1
// The version, and whose `expected`.
#define SPILLWAY_ABI v0_1_std_expected
#else
#define SPILLWAY_STD_EXPECTED 0
#define SPILLWAY_ABI v0_1
#endif

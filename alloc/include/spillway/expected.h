// SPDX-License-Identifier: MIT
// spillway::expected: std::expected where the compiler's library has it, tl::expected otherwise
// (Debian's libexpected-dev). The members that both have are what Spillway uses.
#pragma once

#include "spillway/abi.h"

#if SPILLWAY_STD_EXPECTED
#include <expected>
// Spillway's interface for C++.
namespace spillway {
using std::expected;
using std::unexpected;
}  // namespace spillway
#else
#include <tl/expected.hpp>
namespace spillway {
using tl::expected;
using tl::unexpected;
}  // namespace spillway
#endif

// SPDX-License-Identifier: MIT
// spillway::expected: std::expected where the compiler's library has it, tl::expected otherwise
// (Debian's libexpected-dev). The members that both have are what Spillway uses.
//
// SPILLWAY_EXPECTED marks functions that return one: a program and a library that take it from
// different places do not link.
#pragma once

#include <version>

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
#include <expected>
// Spillway's interface for C++.
namespace spillway {
using std::expected;
using std::unexpected;
}  // namespace spillway
// Of functions that return an expected.
#define SPILLWAY_EXPECTED __attribute__((abi_tag("std_expected")))
#else
#include <tl/expected.hpp>
namespace spillway {
using tl::expected;
using tl::unexpected;
}  // namespace spillway
#define SPILLWAY_EXPECTED
#endif

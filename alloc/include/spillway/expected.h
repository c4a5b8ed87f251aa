// spillway::expected: std::expected where the compiler's library has it, tl::expected otherwise
// (Debian's libexpected-dev). The members that both have are what Spillway uses.
#pragma once

#include <version>

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
#include <expected>
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

// spillway::expected: std::expected where the compiler's library has it, tl::expected otherwise
// (Debian's libexpected-dev). The members that both have are what Spillway uses.
#pragma once

#include <version>

#if defined(__cpp_lib_expected) && __cpp_lib_expected >= 202202L
#include <expected>
namespace spillway {
template <typename T, typename E>
using expected = std::expected<T, E>;
template <typename E>
using unexpected = std::unexpected<E>;
}  // namespace spillway
#else
#include <tl/expected.hpp>
namespace spillway {
template <typename T, typename E>
using expected = tl::expected<T, E>;
template <typename E>
using unexpected = tl::unexpected<E>;
}  // namespace spillway
#endif

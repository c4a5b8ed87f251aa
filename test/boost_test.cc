// SPDX-License-Identifier: MIT
// Boost.Test from its headers, where there is no library of it for the target: as that library is,
// with the `main` of main.cc.
#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#define BOOST_ALLOW_DEPRECATED_HEADERS
#define BOOST_BIND_GLOBAL_PLACEHOLDERS
#include <boost/test/included/unit_test.hpp>

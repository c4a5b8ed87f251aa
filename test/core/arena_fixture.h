// SPDX-License-Identifier: MIT
// An arena of either kind that no test has reserved yet; given back at the end.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstdint>

#include "test/os/faulty_memory.h"

namespace spillway::core::testing {

template <typename AnyArena>
struct Unreserved {
  Unreserved() { os::faulty::reset(); }
  ~Unreserved() {
    arena.release();
    os::faulty::reset();
  }
  void check_that_it_owns_nothing() const {
    int local = 0;
    BOOST_TEST(!arena.owns(nullptr));
    BOOST_TEST(!arena.owns(&local));
    BOOST_TEST(!arena.owns(reinterpret_cast<void*>(UINTPTR_MAX)));
  }
  AnyArena arena;
};

}  // namespace spillway::core::testing

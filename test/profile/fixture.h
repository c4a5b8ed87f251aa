// SPDX-License-Identifier: MIT
// A profile of its own for each test, with memory that can be refused.
#pragma once

#include "alloc/profile/profile.h"
#include "test/os/faulty_memory.h"

namespace spillway::profile::testing {

struct ProfileFixture {
  ProfileFixture() { os::faulty::reset(); }
  ~ProfileFixture() {
    profile.release_memory();
    os::faulty::reset();
  }
  ProfileFixture(const ProfileFixture&) = delete;
  ProfileFixture& operator=(const ProfileFixture&) = delete;

  Profile profile;
};

}  // namespace spillway::profile::testing

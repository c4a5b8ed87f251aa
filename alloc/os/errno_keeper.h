// SPDX-License-Identifier: MIT
// Restores errno at the end of a scope: callers of malloc and free see only what the contract says.
#pragma once

#include <cerrno>

namespace spillway::os {

class ErrnoKeeper {
 public:
  ErrnoKeeper() : saved_(errno) {}
  ~ErrnoKeeper() { errno = saved_; }
  ErrnoKeeper(const ErrnoKeeper&) = delete;
  ErrnoKeeper& operator=(const ErrnoKeeper&) = delete;

 private:
  int saved_;
};

}  // namespace spillway::os

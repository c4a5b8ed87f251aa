// SPDX-License-Identifier: MIT
// fork_walk as a child process of the driver, and the orders to it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "fork_walk.h"

namespace torture {

class WalkedProgram {
 public:
  // Starts it with the library preloaded.
  WalkedProgram(const std::string& program, const std::string& library, const std::string& options);
  // Kills what has not ended.
  ~WalkedProgram();
  WalkedProgram(const WalkedProgram&) = delete;
  WalkedProgram& operator=(const WalkedProgram&) = delete;

  Shared& shared() { return *shared_; }
  pid_t process() const { return process_; }

  void order(Order what);
  bool is_answered() const;
  bool has_ended() const;
  // Whether the answer came. A limit of the test's own ends what hangs.
  bool await(std::chrono::milliseconds longest);
  bool order_and_await(Order what);

 private:
  Shared* shared_;
  int descriptor_;
  pid_t process_;
};

}  // namespace torture

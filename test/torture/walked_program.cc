// SPDX-License-Identifier: MIT
#include "walked_program.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "check.h"

namespace torture {

WalkedProgram::WalkedProgram(const std::string& program, const std::string& library,
                             const std::string& options) {
  descriptor_ = memfd_create("torture", 0);
  CHECK(descriptor_ >= 0 && ftruncate(descriptor_, sizeof(Shared)) == 0);
  void* const mapping =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  CHECK(mapping != MAP_FAILED);
  shared_ = static_cast<Shared*>(mapping);
  process_ = fork();
  CHECK(process_ >= 0);
  if (process_ == 0) {
    setenv("LD_PRELOAD", library.c_str(), 1);
    setenv("SPILLWAY_CONF", options.c_str(), 1);
    setenv("LD_BIND_NOW", "1", 1);  // stepping leads through no resolver
    const std::string number = std::to_string(descriptor_);
    execl(program.c_str(), program.c_str(), number.c_str(), nullptr);
    _exit(127);
  }
}

WalkedProgram::~WalkedProgram() {
  kill(process_, SIGKILL);
  // The stepped thread has an end of its own.
  while (waitpid(-1, nullptr, __WALL) > 0) {
  }
  munmap(shared_, sizeof(Shared));
  close(descriptor_);
}

void WalkedProgram::order(Order what) {
  shared_->order.store(what);
  shared_->orders.fetch_add(1);
  syscall(SYS_futex, &shared_->orders, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

bool WalkedProgram::is_answered() const {
  return shared_->answers.load() == shared_->orders.load();
}

// Its first thread, that is; the stepped one may still have to be waited for.
bool WalkedProgram::has_ended() const {
  std::ifstream stat("/proc/" + std::to_string(process_) + "/stat");
  std::string text;
  std::getline(stat, text);
  const size_t name_end = text.rfind(')');
  return name_end == std::string::npos ||
         std::string("ZX").find(text[name_end + 2]) != std::string::npos;
}

bool WalkedProgram::await(std::chrono::milliseconds longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  for (;;) {
    const uint32_t answers = shared_->answers.load();
    if (answers == shared_->orders.load()) {
      return true;
    }
    if (std::chrono::steady_clock::now() >= end || has_ended()) {
      return false;
    }
    const timespec nap{0, 5'000'000};
    syscall(SYS_futex, &shared_->answers, FUTEX_WAIT, answers, &nap, nullptr, 0);
  }
}

bool WalkedProgram::order_and_await(Order what) {
  order(what);
  return await(std::chrono::seconds(kHangSeconds));
}

}  // namespace torture

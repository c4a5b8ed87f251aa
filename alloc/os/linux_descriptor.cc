// SPDX-License-Identifier: MIT
// The descriptor part of os.h: text for people, written from inside processes that know nothing of
// it. System calls only: no errno, no cancellation point; signal handlers may call all of it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "alloc/base/text.h"
#include "alloc/os/os.h"
#include "alloc/os/system_call.h"

namespace spillway::os {
namespace {

using SignalSet = uint64_t;  // as the kernel has it

constexpr SignalSet set_of(int signal) { return SignalSet{1} << (signal - 1); }

// What a write may raise: no reader, file size limit, and a background process on a terminal with
// `stty tostop`, where the kernel writes on when the signal is blocked.
constexpr SignalSet kRaised = set_of(SIGPIPE) | set_of(SIGXFSZ) | set_of(SIGTTOU);

// Keeps these signals from the calling thread. A signal that a write raised is taken back: the
// kernel sends it to the thread alone, where it can only have been pending before if the program
// blocks it.
class QuietSignals {
 public:
  QuietSignals()
      : blocked_(system_call(SYS_rt_sigprocmask, SIG_BLOCK, &kRaised, &before_, sizeof before_) ==
                 0) {
    if ((before_ & kRaised) != 0) {
      system_call(SYS_rt_sigpending, &pending_before_, sizeof pending_before_);
    }
  }
  ~QuietSignals() {
    if (blocked_) {
      system_call(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, sizeof before_);
    }
  }
  QuietSignals(const QuietSignals&) = delete;
  QuietSignals& operator=(const QuietSignals&) = delete;

  bool blocked() const { return blocked_; }
  void take_back(int signal) const {
    const SignalSet wanted = set_of(signal);
    if ((pending_before_ & wanted) == 0) {
      const struct timespec at_once = {};
      system_call(SYS_rt_sigtimedwait, &wanted, nullptr, &at_once, sizeof wanted);
    }
  }

 private:
  SignalSet before_ = 0;
  SignalSet pending_before_ = 0;
  bool blocked_;
};

// ppoll(2), which says how much of the time is left: no clock is needed.
long poll_for(struct pollfd* one, Patience& patience) {
  constexpr uint64_t kSecond = 1'000'000'000;
  struct timespec left = {.tv_sec = static_cast<time_t>(patience.left_ns / kSecond),
                          .tv_nsec = static_cast<long>(patience.left_ns % kSecond)};
  const long answer =
      system_call(SYS_ppoll, one, one != nullptr ? 1 : 0, &left, nullptr, sizeof(SignalSet));
  patience.left_ns =
      static_cast<uint64_t>(left.tv_sec) * kSecond + static_cast<uint64_t>(left.tv_nsec);
  return answer;
}

// Without waiting; poll(2) where there is one, since more sandboxes expect it.
long poll_now(struct pollfd* one) {
#ifdef SYS_poll
  return system_call(SYS_poll, one, 1, 0);
#else
  Patience none{0};
  return poll_for(one, none);
#endif
}

// Waits until a write of a piece goes through without waiting. A kernel that will not tell
// (RLIMIT_NOFILE 0, a sandbox) counts as yes.
bool is_writable(int descriptor, Patience& patience) {
  struct pollfd one = {.fd = descriptor, .events = POLLOUT, .revents = 0};
  long answer = poll_now(&one);
  while (answer == 0 || answer == -EINTR) {
    if (patience.left_ns == 0) {
      return false;
    }
    answer = poll_for(&one, patience);
  }
  return answer < 0 || (one.revents & (POLLERR | POLLNVAL)) == 0;
}

// For a file that calls itself writable and takes nothing. False when patience is at its end.
bool rest(Patience& patience) {
  constexpr uint64_t kRest = 10'000'000;  // arbitrary; at most a hundred rests in a second
  Patience part{kRest < patience.left_ns ? kRest : patience.left_ns};
  patience.left_ns -= part.left_ns;
  poll_for(nullptr, part);
  return patience.left_ns != 0;
}

// Of the program's own open files none has a number that standard streams have, even if they are
// closed: another thread may still write there.
int above_standard_streams(long descriptor) {
  if (descriptor < 0 || descriptor > kStandardError) {
    return descriptor < 0 ? -1 : static_cast<int>(descriptor);
  }
  const long moved = system_call(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, kStandardError + 1);
  close_descriptor(static_cast<int>(descriptor));
  return moved < 0 ? -1 : static_cast<int>(moved);
}

}  // namespace

bool write_text(int descriptor, std::string_view text, Patience& patience) {
  // What poll() promises a pipe has room for (PIPE_BUF).
  constexpr size_t kPiece = 4096;
  if (descriptor < 0) {
    return false;  // poll() would wait for nothing
  }
  const QuietSignals quiet;
  if (!quiet.blocked()) {
    return false;
  }
  while (!text.empty()) {
    if (!is_writable(descriptor, patience)) {
      return false;
    }
    const std::string_view piece = first_part(text, kPiece);
    const long written = system_call(SYS_write, descriptor, piece.data(), piece.size());
    if (written > 0) {
      text = rest_from(text, static_cast<size_t>(written));
    } else if (written == -EAGAIN) {
      if (!rest(patience)) {
        return false;
      }
    } else if (written != -EINTR) {
      if (written == -EPIPE) {
        quiet.take_back(SIGPIPE);
      } else if (written == -EFBIG) {
        quiet.take_back(SIGXFSZ);
      }
      return false;
    }
  }
  return true;
}

void write_text(int descriptor, std::string_view text) {
  // relaxed: a hint, and the only thing that it protects is time.
  static constinit std::atomic<bool> gave_up{false};
  const bool was_stuck = gave_up.load(std::memory_order_relaxed);
  Patience patience = was_stuck ? Patience{0} : Patience{};
  const bool written = write_text(descriptor, text, patience);
  const bool is_stuck = !written && patience.left_ns == 0;
  if (is_stuck != was_stuck) {
    gave_up.store(is_stuck, std::memory_order_relaxed);  // as above
  }
}

int open_for_writing(const char* path) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  constexpr mode_t kReadableByAll = 0644;
  long descriptor = 0;
  do {
    descriptor = system_call(SYS_openat, AT_FDCWD, path, kFlags, kReadableByAll);
  } while (descriptor == -EINTR);
  return above_standard_streams(descriptor);
}

void close_descriptor(int descriptor) { system_call(SYS_close, descriptor); }

bool is_replaceable(const char* path) {
  struct stat status = {};
  const long answer = system_call(SYS_newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW);
  return answer == -ENOENT || (answer == 0 && (status.st_mode & S_IFMT) == S_IFREG);
}

bool rename_file(const char* from, const char* to) {
  return system_call(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to) == 0;
}

void remove_file(const char* path) { system_call(SYS_unlinkat, AT_FDCWD, path, 0); }

bool identify(int descriptor, FileIdentity& identity) {
  struct stat status = {};
  // As the C library's fstat() asks, which sandboxes expect of programs that print.
  if (system_call(SYS_newfstatat, descriptor, "", &status, AT_EMPTY_PATH) != 0) {
    return false;
  }
  identity = {.device = status.st_dev, .inode = status.st_ino, .type = status.st_mode & S_IFMT};
  return true;
}

}  // namespace spillway::os

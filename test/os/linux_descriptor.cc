// SPDX-License-Identifier: MIT
// Text gets out whatever is at the other end, and the process does not notice.
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include "alloc/os/message.h"
#include "alloc/os/os.h"

namespace spillway::os {
namespace {

struct Pipe {
  Pipe() { BOOST_REQUIRE(pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  void close_end(int end) {
    if (ends[end] >= 0) {
      close(ends[end]);
    }
    ends[end] = -1;
  }
  // Until it takes nothing more; it is left as blocking as `flags` say.
  void fill(int flags) const {
    BOOST_REQUIRE(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    const char zeros[512] = {};
    while (write(ends[1], zeros, sizeof zeros) > 0) {
    }
    BOOST_REQUIRE(errno == EAGAIN);
    BOOST_REQUIRE(fcntl(ends[1], F_SETFL, flags) == 0);
  }
  std::string read_some() const {
    char text[512];
    const ssize_t length = read(ends[0], text, sizeof text);
    return {text, length < 0 ? 0 : static_cast<size_t>(length)};
  }

  int ends[2];
};

bool is_pending(int signal) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, signal) == 1;
}

bool is_blocked(int signal) {
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

// Blocks a signal as a program may; at the end none of it is left over.
class Blocked {
 public:
  explicit Blocked(int signal) {
    sigemptyset(&set_);
    sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~Blocked() {
    const struct timespec at_once = {};
    while (sigtimedwait(&set_, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;

 private:
  sigset_t set_;
  sigset_t before_;
};

// Standard error is `descriptor` while it lives.
class StderrIs {
 public:
  explicit StderrIs(int descriptor) : kept_(dup(STDERR_FILENO)) { dup2(descriptor, STDERR_FILENO); }
  ~StderrIs() {
    dup2(kept_, STDERR_FILENO);
    close(kept_);
  }
  StderrIs(const StderrIs&) = delete;
  StderrIs& operator=(const StderrIs&) = delete;

 private:
  int kept_;
};

class TemporaryFile {
 public:
  TemporaryFile() : descriptor_(mkstemp(path_)) { BOOST_REQUIRE(descriptor_ >= 0); }
  ~TemporaryFile() {
    close(descriptor_);
    unlink(path_);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  int descriptor() const { return descriptor_; }
  const char* path() const { return path_; }

 private:
  char path_[40] = "/tmp/spillway_descriptor_XXXXXX";
  int descriptor_;
};

BOOST_AUTO_TEST_SUITE(linux_descriptor)

BOOST_AUTO_TEST_CASE(messages_are_one_line_and_leave_errno_alone) {
  const Pipe pipe;
  int after = 0;
  {
    const StderrIs stderr_is(pipe.ends[1]);
    errno = 7;
    Message message;
    message.line().text("it is ").number(42);
    message.send();
    after = errno;
  }
  BOOST_TEST(pipe.read_some() == "spillway: it is 42\n");
  BOOST_TEST(after == 7);
}

BOOST_AUTO_TEST_CASE(a_long_text_reaches_a_slow_reader_whole) {
  Pipe pipe;
  const std::string sent(300'000, 'x');
  std::string got;
  std::thread reader([&] {
    for (std::string part; !(part = pipe.read_some()).empty();) {
      got += part;
    }
  });
  Patience patience{60'000'000'000};
  BOOST_TEST(write_text(pipe.ends[1], sent, patience));
  pipe.close_end(1);
  reader.join();
  BOOST_TEST(got.size() == sent.size());
}

BOOST_AUTO_TEST_CASE(a_reader_that_went_away_raises_nothing) {
  Pipe pipe;
  pipe.close_end(0);
  int sockets[2];
  BOOST_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  close(sockets[1]);
  errno = 7;
  for (const int descriptor : {pipe.ends[1], sockets[0]}) {
    Patience patience;
    BOOST_TEST(!write_text(descriptor, "text", patience));
    BOOST_TEST(!is_blocked(SIGPIPE));
  }
  BOOST_TEST(errno == 7);
  {
    const Blocked blocked(SIGPIPE);
    for (const int descriptor : {pipe.ends[1], sockets[0]}) {
      Patience patience;
      BOOST_TEST(!write_text(descriptor, "text", patience));
      BOOST_TEST(is_blocked(SIGPIPE));
      BOOST_TEST(!is_pending(SIGPIPE));
    }
  }
  close(sockets[0]);
}

BOOST_AUTO_TEST_CASE(the_programs_own_signal_stays_pending) {
  int sockets[2];
  BOOST_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  close(sockets[1]);
  for (const bool own_thread : {false, true}) {
    const Blocked blocked(SIGPIPE);
    BOOST_REQUIRE((own_thread ? pthread_kill(pthread_self(), SIGPIPE) : kill(getpid(), SIGPIPE)) ==
                  0);
    Patience patience;
    BOOST_TEST(!write_text(sockets[0], "text", patience));
    BOOST_TEST(is_pending(SIGPIPE));
  }
  close(sockets[0]);
}

BOOST_AUTO_TEST_CASE(a_limit_of_file_sizes_raises_nothing) {
  const TemporaryFile file;
  struct rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit three = {.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &three);
  Patience patience;
  const bool written = write_text(file.descriptor(), "text", patience);
  bool pending = true;
  {
    const Blocked blocked(SIGXFSZ);
    write_text(file.descriptor(), "text", patience);
    pending = is_pending(SIGXFSZ);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  BOOST_TEST(!written);
  BOOST_TEST(!pending);
  BOOST_TEST(lseek(file.descriptor(), 0, SEEK_END) == 3);
}

BOOST_AUTO_TEST_CASE(full_and_closed_files_fail) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  Patience patience;
  errno = 7;
  BOOST_TEST(!write_text(full, "text", patience));
  close(full);
  BOOST_TEST(!write_text(full, "text", patience));
  BOOST_TEST(!write_text(-1, "text", patience));
  BOOST_TEST(errno == 7);
  BOOST_TEST(patience.left_ns == Patience{}.left_ns);
}

BOOST_AUTO_TEST_CASE(a_full_pipe_takes_patience_and_no_more) {
  for (const int flags : {0, O_NONBLOCK}) {
    const Pipe pipe;
    pipe.fill(flags);
    Patience patience{50'000'000};
    BOOST_TEST(!write_text(pipe.ends[1], "text", patience));
    BOOST_TEST(patience.left_ns == 0U);
    pipe.read_some();
    BOOST_TEST(fcntl(pipe.ends[1], F_GETFL) == (O_WRONLY | flags));
  }
}

BOOST_AUTO_TEST_CASE(signals_that_interrupt_the_wait_do_not_prolong_it) {
  const Pipe pipe;
  pipe.fill(0);
  struct sigaction action = {};
  struct sigaction before = {};
  action.sa_handler = [](int) {};
  sigaction(SIGALRM, &action, &before);
  const struct itimerval often = {.it_interval = {0, 500}, .it_value = {0, 500}};
  const struct itimerval never = {};
  setitimer(ITIMER_REAL, &often, nullptr);
  Patience patience{50'000'000};
  const bool written = write_text(pipe.ends[1], "text", patience);
  setitimer(ITIMER_REAL, &never, nullptr);
  sigaction(SIGALRM, &before, nullptr);
  BOOST_TEST(!written);
  BOOST_TEST(patience.left_ns == 0U);
}

BOOST_AUTO_TEST_CASE(a_message_that_waited_in_vain_is_the_last_to_wait) {
  const Pipe pipe;
  pipe.fill(0);
  write_text(pipe.ends[1], "waits");
  // A second each would be more than the test has.
  for (int i = 0; i < 2000; ++i) {
    write_text(pipe.ends[1], "does not");
  }
  fcntl(pipe.ends[0], F_SETFL, O_NONBLOCK);
  while (!pipe.read_some().empty()) {
  }
  write_text(pipe.ends[1], "again");
  BOOST_TEST(pipe.read_some() == "again");
}

BOOST_AUTO_TEST_CASE(writing_is_no_cancellation_point) {
  const Pipe pipe;
  struct Both {
    const Pipe& pipe;
    bool reached;
  } both{pipe, false};
  pthread_t thread;
  const auto body = [](void* argument) -> void* {
    auto* mine = static_cast<Both*>(argument);
    pthread_cancel(pthread_self());
    write_text(mine->pipe.ends[1], "text");
    close_descriptor(open_for_writing("/dev/null"));
    mine->reached = true;
    return nullptr;
  };
  BOOST_REQUIRE(pthread_create(&thread, nullptr, body, &both) == 0);
  pthread_join(thread, nullptr);
  BOOST_TEST(both.reached);
  BOOST_TEST(pipe.read_some() == "text");
}

BOOST_AUTO_TEST_CASE(files_are_opened_without_waiting_and_above_the_standard_streams) {
  errno = 7;
  BOOST_TEST(open_for_writing("/nowhere/at/all") == -1);
  const TemporaryFile file;
  BOOST_REQUIRE(write(file.descriptor(), "old", 3) == 3);
  const int kept = dup(STDIN_FILENO);
  close(STDIN_FILENO);
  const int opened = open_for_writing(file.path());
  const bool left_free = fcntl(STDIN_FILENO, F_GETFD) == -1;
  dup2(kept, STDIN_FILENO);
  close(kept);
  BOOST_TEST(left_free);
  BOOST_TEST(opened > STDERR_FILENO);
  BOOST_TEST((fcntl(opened, F_GETFD) & FD_CLOEXEC) != 0);
  BOOST_TEST(lseek(opened, 0, SEEK_END) == 0);
  close_descriptor(opened);
  BOOST_TEST(fcntl(opened, F_GETFD) == -1);

  unlink(file.path());
  BOOST_REQUIRE(mkfifo(file.path(), 0600) == 0);
  errno = 7;
  BOOST_TEST(open_for_writing(file.path()) == -1);
  BOOST_TEST(errno == 7);
}

BOOST_AUTO_TEST_CASE(only_regular_files_are_replaced) {
  char folder[] = "/tmp/spillway_replace_XXXXXX";
  BOOST_REQUIRE(mkdtemp(folder) != nullptr);
  const std::string file = std::string(folder) + "/file";
  const std::string other = std::string(folder) + "/other";
  const std::string link = std::string(folder) + "/link";
  BOOST_TEST(is_replaceable(file.c_str()));  // there is none
  const int descriptor = open_for_writing(file.c_str());
  BOOST_TEST(is_replaceable(file.c_str()));
  BOOST_REQUIRE(symlink("file", link.c_str()) == 0);
  BOOST_TEST(!is_replaceable(link.c_str()));
  BOOST_TEST(!is_replaceable(folder));
  BOOST_TEST(!is_replaceable("/dev/null"));
  BOOST_TEST(!is_replaceable((file + "/below").c_str()));
  FileIdentity before;
  FileIdentity after;
  BOOST_TEST(rename_file(file.c_str(), other.c_str()));
  BOOST_TEST(!rename_file(file.c_str(), other.c_str()));
  const int again = open(other.c_str(), O_RDONLY | O_CLOEXEC);
  BOOST_TEST((identify(descriptor, before) && identify(again, after) && before == after));
  close(again);
  close_descriptor(descriptor);
  remove_file(other.c_str());
  remove_file(link.c_str());
  BOOST_TEST(rmdir(folder) == 0);
}

BOOST_AUTO_TEST_CASE(an_identity_is_the_files_and_not_the_numbers) {
  const Pipe one;
  const Pipe other;
  FileIdentity first;
  FileIdentity second;
  BOOST_TEST(identify(one.ends[1], first));
  BOOST_TEST(identify(other.ends[1], second));
  BOOST_TEST((first != second));
  const int copy = dup(one.ends[1]);
  BOOST_TEST(identify(copy, second));
  BOOST_TEST((first == second));
  dup2(other.ends[1], copy);
  BOOST_TEST(identify(copy, second));
  BOOST_TEST((first != second));
  close(copy);
  errno = 7;
  BOOST_TEST(!identify(copy, second));
  BOOST_TEST(errno == 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os

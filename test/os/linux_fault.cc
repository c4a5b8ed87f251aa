#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "alloc/os/os.h"

namespace spillway::os {
namespace {

int report_to = -1;

void tell(uintptr_t address) { static_cast<void>(!write(report_to, &address, sizeof address)); }

struct Ending {
  int status = 0;
  uintptr_t told = 0;  // 0: nothing
};

// Of a child that does `work` with a page that it may not touch.
template <typename Work>
Ending ending_of(Work work) {
  int ends[2];
  BOOST_REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    // What a sanitizer or the test's runner set.
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    report_to = ends[1];
    void* const page = mmap(nullptr, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    work(static_cast<volatile char*>(page));
    _exit(0);
  }
  close(ends[1]);
  Ending ending;
  waitpid(child, &ending.status, 0);
  if (read(ends[0], &ending.told, sizeof ending.told) != sizeof ending.told) {
    ending.told = 0;
  }
  close(ends[0]);
  return ending;
}

bool was_killed_by(const Ending& ending, int signal) {
  return WIFSIGNALED(ending.status) && WTERMSIG(ending.status) == signal;
}

BOOST_AUTO_TEST_SUITE(linux_fault)

BOOST_AUTO_TEST_CASE(a_fault_is_told_and_then_ends_the_process) {
  const Ending ending = ending_of([](volatile char* page) {
    watch_faults(tell);
    page[5] = 1;
  });
  BOOST_TEST(was_killed_by(ending, SIGSEGV));
  BOOST_TEST(ending.told % page_size() == 5U);
}

BOOST_AUTO_TEST_CASE(a_signal_that_is_sent_is_not_told) {
  const Ending ending = ending_of([](volatile char*) {
    watch_faults(tell);
    raise(SIGSEGV);
  });
  BOOST_TEST(was_killed_by(ending, SIGSEGV));
  BOOST_TEST(ending.told == 0U);
}

BOOST_AUTO_TEST_CASE(the_programs_own_handler_stays) {
  const Ending ending = ending_of([](volatile char* page) {
    struct sigaction own = {};
    own.sa_handler = [](int) { _exit(42); };
    sigaction(SIGSEGV, &own, nullptr);
    watch_faults(tell);
    page[5] = 1;
  });
  BOOST_TEST((WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 42));
  BOOST_TEST(ending.told == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os

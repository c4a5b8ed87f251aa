// SPDX-License-Identifier: MIT
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>

#include "alloc/os/os.h"
#include "test/child.h"

namespace spillway::os {
namespace {

using spillway::testing::Ending;
using spillway::testing::run_in_child;

void tell(uintptr_t address) {
  const std::string text = std::to_string(address % page_size());
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
}

// Of a child that does `work` with a page that it may not touch.
template <typename Work>
Ending ending_with_page(Work work) {
  return run_in_child([&work] {
    // What a sanitizer or the test's runner set.
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    void* const page = mmap(nullptr, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    work(static_cast<volatile char*>(page));
  });
}

BOOST_AUTO_TEST_SUITE(linux_fault)

BOOST_AUTO_TEST_CASE(a_fault_is_told_and_then_ends_the_process) {
  const Ending ending = ending_with_page([](volatile char* page) {
    watch_faults(tell);
    page[5] = 1;
  });
  BOOST_TEST(ending.was_killed_by(SIGSEGV));
  BOOST_TEST(ending.message == "5");
}

BOOST_AUTO_TEST_CASE(a_signal_that_is_sent_is_not_told) {
  const Ending ending = ending_with_page([](volatile char*) {
    watch_faults(tell);
    raise(SIGSEGV);
  });
  BOOST_TEST(ending.was_killed_by(SIGSEGV));
  BOOST_TEST(ending.message.empty());
}

BOOST_AUTO_TEST_CASE(the_programs_own_handler_stays) {
  const Ending ending = ending_with_page([](volatile char* page) {
    struct sigaction own = {};
    own.sa_handler = [](int) { _exit(42); };
    sigaction(SIGSEGV, &own, nullptr);
    watch_faults(tell);
    page[5] = 1;
  });
  BOOST_TEST((WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 42));
  BOOST_TEST(ending.message.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os

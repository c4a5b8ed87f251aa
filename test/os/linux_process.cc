#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <string>

#include "alloc/os/message.h"
#include "alloc/os/os.h"

namespace spillway::os {
namespace {

BOOST_AUTO_TEST_SUITE(linux_process)

BOOST_AUTO_TEST_CASE(random_bits_differ) { BOOST_TEST(random_bits() != random_bits()); }

BOOST_AUTO_TEST_CASE(this_process) {
  BOOST_TEST(process_id() == static_cast<uint32_t>(getpid()));
  BOOST_TEST(!is_privileged());
  BOOST_TEST((environment() == environ));
}

BOOST_AUTO_TEST_CASE(processors_are_those_that_the_process_may_use) {
  cpu_set_t allowed;
  BOOST_REQUIRE(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  BOOST_TEST(processors() == static_cast<uint32_t>(CPU_COUNT(&allowed)));
}

BOOST_AUTO_TEST_CASE(messages_are_one_line_and_leave_errno_alone) {
  int ends[2];
  BOOST_REQUIRE(pipe(ends) == 0);
  const int kept = dup(STDERR_FILENO);
  dup2(ends[1], STDERR_FILENO);
  errno = 7;
  Message message;
  message.line().text("it is ").number(42);
  message.send();
  const int after = errno;
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(ends[1]);
  char text[100];
  const ssize_t length = read(ends[0], text, sizeof text);
  close(ends[0]);
  BOOST_TEST(std::string(text, static_cast<size_t>(length)) == "spillway: it is 42\n");
  BOOST_TEST(after == 7);
}

BOOST_AUTO_TEST_CASE(files) {
  errno = 0;
  BOOST_TEST(open_for_writing("/nowhere/at/all") == -1);
  const int copy = duplicate_descriptor(STDERR_FILENO);
  BOOST_TEST(copy > STDERR_FILENO);
  BOOST_TEST((fcntl(copy, F_GETFD) & FD_CLOEXEC) != 0);
  close_descriptor(copy);
  write_text(copy, "nobody reads this");
  BOOST_TEST(errno == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os

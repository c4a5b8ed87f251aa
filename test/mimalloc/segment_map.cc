// SPDX-License-Identifier: MIT
// The map of segments: beyond 20 TiB, where mimalloc's own ends and the kernel places blocks above
// 1 GiB, and where a page of it can't be had.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "alloc/mimalloc/calls.h"
#include "test/forked_child.h"

#if SPILLWAY_MIMALLOC_EXTENDED

namespace mimalloc = spillway::mimalloc;

namespace {

constexpr size_t kHighSize = (size_t{1} << 30) + (size_t{64} << 20);
constexpr size_t kMapPage = 4096;

bool is_high(const void* block) { return reinterpret_cast<uintptr_t>(block) >> 40 >= 20; }

void* neighbour(void* block, ptrdiff_t distance) { return static_cast<char*>(block) + distance; }

// From now on the kernel maps nothing that is `length` bytes long.
bool refuse_mappings_of(uint32_t length) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, length, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {sizeof code / sizeof code[0], code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

boost::test_tools::assertion_result mappings_can_be_refused(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result result =
      spillway::testing::holds_in_child([] { return refuse_mappings_of(kMapPage); });
  result.message() << "no seccomp filter can be installed";
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mimalloc_segment_map)

// First in the program (CMakeLists.txt): no high block was there before.
BOOST_AUTO_TEST_CASE(without_a_page_of_the_map_any_address_may_hold_a_block,
                     *boost::unit_test::precondition(mappings_can_be_refused)) {
  mimalloc::free(mimalloc::allocate(100));  // takes the page that is there from the start
  BOOST_TEST(spillway::testing::holds_in_child([] {
    const bool refused = refuse_mappings_of(kMapPage);
    errno = 1234;
    void* block = mimalloc::allocate(kHighSize);
    const bool held = refused && block != nullptr && is_high(block) && errno == 1234 &&
                      mimalloc::may_hold(block) &&
                      mimalloc::may_hold(neighbour(block, -(ptrdiff_t{1} << 32)));
    mimalloc::free(block);
    return held;
  }));
}

BOOST_AUTO_TEST_CASE(a_high_block_is_known_until_it_is_freed) {
  const size_t live_before = mimalloc::live().bytes;
  void* first = mimalloc::allocate(kHighSize);
  void* second = mimalloc::allocate(kHighSize);
  BOOST_REQUIRE(is_high(first));
  BOOST_REQUIRE(is_high(second));
  BOOST_TEST(mimalloc::may_hold(first));
  BOOST_TEST(mimalloc::may_hold(second));
  BOOST_TEST(!mimalloc::may_hold(neighbour(first, -(ptrdiff_t{1} << 41))));
  BOOST_TEST(mimalloc::live().bytes - live_before >= 2 * kHighSize);
  mimalloc::free(first);
  BOOST_TEST(!mimalloc::may_hold(first));
  BOOST_TEST(mimalloc::may_hold(second));
  mimalloc::free(second);
  BOOST_TEST(!mimalloc::may_hold(second));
}

BOOST_AUTO_TEST_SUITE_END()

#endif

// SPDX-License-Identifier: MIT
// System calls of code that is executed instruction by instruction, and the time that it sees.
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>

#include "test/contention/counted.h"

extern "C" {
uint64_t contention_get_process(uint64_t unused);
uint64_t contention_wait(uint64_t word);
uint64_t contention_wait_a_second(uint64_t word);
uint64_t contention_wake(uint64_t word);
uint64_t contention_yield(uint64_t unused);
}

asm(R"(
    .text
contention_get_process:
    mov $39, %eax
    syscall
    ret
contention_wait:
    xor %r10d, %r10d
    jmp wait_with_time
contention_wait_a_second:
    lea second(%rip), %r10
wait_with_time:
    mov $202, %eax
    mov $128, %esi
    xor %edx, %edx
    syscall
    ret
contention_wake:
    mov $50, %ecx
1:  dec %ecx
    jnz 1b
    movl $1, (%rdi)
    mov $202, %eax
    mov $129, %esi
    mov $7, %edx
    syscall
    ret
contention_yield:
    mov $24, %eax
    syscall
    ret
    .section .rodata
    .balign 8
second:
    .quad 1
    .quad 0
    .text
)");
static_assert(SYS_getpid == 39 && SYS_futex == 202 && SYS_sched_yield == 24);
static_assert(FUTEX_WAIT_PRIVATE == 128 && FUTEX_WAKE_PRIVATE == 129);

BOOST_AUTO_TEST_SUITE(contention_system_calls)

namespace {

using bench::contention::address;
using bench::contention::Counted;

uint64_t nanoseconds_now(uint64_t /*unused*/) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_call_is_made_and_counted_by_name) {
  Counted counted;
  BOOST_TEST(counted.call(contention_get_process) == static_cast<uint64_t>(getpid()));
  BOOST_TEST(counted.ledger.totals().system_calls == 1U);
  BOOST_TEST(counted.ledger.calls().at("getpid") == 1U);
  BOOST_TEST(counted.ledger.totals().instructions == 3U);
}

BOOST_AUTO_TEST_CASE(who_waits_is_woken_and_others_go_on_meanwhile) {
  Counted counted;
  uint32_t word = 0;
  const auto results = counted.run({{contention_wait, address(&word)},
                                    {contention_wait, address(&word)},
                                    {contention_wake, address(&word)}});
  // Woken by the call, or by a look at the word, which is another value before it.
  BOOST_TEST(results[0] == 0U);
  BOOST_TEST(results[1] == 0U);
  BOOST_TEST(counted.ledger.calls().at("futex") == 3U);
}

BOOST_AUTO_TEST_CASE(a_wait_for_another_value_does_not_wait) {
  Counted counted;
  uint32_t word = 1;
  BOOST_TEST(counted.call(contention_wait, address(&word)) == static_cast<uint64_t>(-EAGAIN));
}

BOOST_AUTO_TEST_CASE(a_wait_ends_with_its_time_which_costs_none) {
  Counted counted;
  uint32_t word = 0;
  bench::contention::Guest guest(0, 0);
  counted.kernel.set_guests({&guest, 1});
  counted.interpreter.select(guest);
  counted.interpreter.call(reinterpret_cast<uint64_t>(&contention_wait_a_second), address(&word));
  while (counted.interpreter.step() == bench::contention::Step::kWent) {
  }
  BOOST_REQUIRE(guest.waiting);
  counted.kernel.look_again(guest);
  BOOST_TEST(guest.waiting);
  counted.kernel.pass_time();
  BOOST_TEST(counted.clock.now_ns() >= 1'000'000'000U);
  counted.kernel.look_again(guest);
  BOOST_TEST(!guest.waiting);
  BOOST_TEST(guest.registers.general[bench::contention::kRax] == static_cast<uint64_t>(-ETIMEDOUT));
  counted.kernel.set_guests({});
}

BOOST_AUTO_TEST_CASE(yielding_is_counted) {
  Counted counted;
  BOOST_TEST(counted.call(contention_yield) == 0U);
  BOOST_TEST(counted.ledger.calls().at("sched_yield") == 1U);
}

BOOST_AUTO_TEST_CASE(the_time_stands_still_but_for_what_is_executed) {
  Counted counted;
  const uint64_t first = counted.call(nanoseconds_now);
  usleep(20'000);
  const uint64_t second = counted.call(nanoseconds_now);
  BOOST_TEST(second > first);
  BOOST_TEST(second - first < 1000U);
  BOOST_TEST(counted.ledger.calls().at("clock_gettime") == 2U);
  BOOST_TEST(counted.ledger.totals().system_calls == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

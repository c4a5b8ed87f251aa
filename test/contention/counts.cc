// SPDX-License-Identifier: MIT
// Counts of functions whose every instruction is known.
#include <boost/test/unit_test.hpp>

#include "test/contention/counted.h"

extern "C" {
uint64_t contention_add_100(uint64_t word);
uint64_t contention_plain_add_100(uint64_t word);
uint64_t contention_exchange(uint64_t word);
uint64_t contention_fence(uint64_t word);
uint64_t contention_fill_192(uint64_t bytes);
uint64_t contention_read_three_lines(uint64_t bytes);
}

asm(R"(
    .text
contention_add_100:
    mov $100, %ecx
1:  mov $1, %eax
    lock xadd %rax, (%rdi)
    dec %ecx
    jnz 1b
    ret
contention_plain_add_100:
    mov $100, %ecx
1:  addq $1, (%rdi)
    dec %ecx
    jnz 1b
    ret
contention_exchange:
    mov $7, %eax
    xchg %rax, (%rdi)
    xchg %rax, %rdx
    xchg %rax, %rdx
    ret
contention_fence:
    mfence
    lfence
    sfence
    mov (%rdi), %rax
    ret
contention_fill_192:
    mov $192, %ecx
    xor %eax, %eax
    rep stosb
    ret
contention_read_three_lines:
    mov (%rdi), %rax
    add 64(%rdi), %rax
    cmp %rax, 128(%rdi)
    ret
)");

BOOST_AUTO_TEST_SUITE(contention_counts)

namespace {

using bench::contention::address;
using bench::contention::Counted;

struct alignas(64) Line {
  uint64_t words[8];
};

}  // namespace

BOOST_AUTO_TEST_CASE(atomic_additions_of_two_threads_to_one_line) {
  Counted counted;
  Line line{};
  counted.run({{contention_add_100, address(&line.words[0])},
               {contention_add_100, address(&line.words[0])}});
  BOOST_TEST(line.words[0] == 200U);
  const auto& totals = counted.ledger.totals();
  BOOST_TEST(totals.rmw == 200U);
  BOOST_TEST(totals.instructions == 2U * (1 + 100 * 4 + 1));
  BOOST_TEST(totals.transfers == 199U);  // in turn: all but the very first
  BOOST_TEST(counted.ledger.shared_lines() == 1U);
  BOOST_TEST(totals.system_calls == 0U);
  BOOST_TEST(totals.fences == 0U);
}

BOOST_AUTO_TEST_CASE(words_of_one_line_are_as_bad) {
  Counted counted;
  Line line{};
  counted.run({{contention_add_100, address(&line.words[0])},
               {contention_add_100, address(&line.words[7])}});
  BOOST_TEST(counted.ledger.totals().transfers == 199U);
}

BOOST_AUTO_TEST_CASE(lines_of_their_own_do_not_move) {
  Counted counted;
  Line lines[2]{};
  counted.run({{contention_add_100, address(&lines[0])}, {contention_add_100, address(&lines[1])}});
  BOOST_TEST(counted.ledger.totals().rmw == 200U);
  BOOST_TEST(counted.ledger.totals().transfers == 0U);
  BOOST_TEST(counted.ledger.shared_lines() == 0U);
}

BOOST_AUTO_TEST_CASE(a_change_without_lock_is_not_atomic_but_moves_the_line) {
  Counted counted;
  Line line{};
  counted.run(
      {{contention_plain_add_100, address(&line)}, {contention_plain_add_100, address(&line)}});
  BOOST_TEST(counted.ledger.totals().rmw == 0U);
  BOOST_TEST(counted.ledger.totals().transfers == 199U);
}

BOOST_AUTO_TEST_CASE(exchange_with_memory_is_atomic_without_lock) {
  Counted counted;
  uint64_t word = 3;
  BOOST_TEST(counted.call(contention_exchange, address(&word)) == 3U);
  BOOST_TEST(word == 7U);
  BOOST_TEST(counted.ledger.totals().rmw == 1U);
  BOOST_REQUIRE(counted.ledger.sites().size() == 1U);
  const auto& [place, counts] = *counted.ledger.sites().begin();
  BOOST_TEST(place == reinterpret_cast<uint64_t>(&contention_exchange) + 5);  // behind the mov
  BOOST_TEST(counts.rmw == 1U);
}

BOOST_AUTO_TEST_CASE(only_a_full_fence_counts) {
  Counted counted;
  uint64_t word = 3;
  counted.call(contention_fence, address(&word));
  BOOST_TEST(counted.ledger.totals().fences == 1U);
  BOOST_TEST(counted.ledger.totals().rmw == 0U);
}

BOOST_AUTO_TEST_CASE(a_repeated_store_touches_all_of_its_lines) {
  Counted counted;
  Line lines[4]{};
  lines[2].words[7] = 9;
  lines[3].words[0] = 9;
  counted.call(contention_read_three_lines, address(lines));
  counted.run(
      {{contention_read_three_lines, address(lines)}, {contention_fill_192, address(lines)}});
  BOOST_TEST(lines[2].words[7] == 0U);
  BOOST_TEST(lines[3].words[0] == 9U);
  BOOST_TEST(counted.ledger.totals().transfers == 3U);
  BOOST_TEST(counted.ledger.totals().instructions == 4U + 4U + 4U);
}

BOOST_AUTO_TEST_CASE(what_came_before_counting_is_not_counted) {
  Counted counted;
  Line line{};
  counted.run({{contention_add_100, address(&line)}});
  BOOST_TEST(counted.ledger.totals().rmw == 100U);
  bench::contention::Ledger fresh;
  fresh.rmw(1);
  fresh.instruction();
  fresh.system_call(1, "madvise");
  fresh.access(0, 1, 64, 8, true);
  fresh.access(1, 1, 64, 8, true);
  BOOST_TEST(fresh.totals().rmw + fresh.totals().instructions + fresh.totals().transfers == 0U);
  BOOST_TEST(fresh.calls().empty());
  fresh.start_counting();
  fresh.access(0, 1, 120, 16, true);  // the line that is known, and the next one
  BOOST_TEST(fresh.totals().transfers == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

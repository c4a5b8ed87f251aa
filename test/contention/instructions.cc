// SPDX-License-Identifier: MIT
// Code executed instruction by instruction does what it does at full speed.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <numeric>

#include "test/contention/counted.h"

extern "C" {
uint64_t contention_conditions(uint64_t pair);
uint64_t contention_thread_word(uint64_t offset);
uint64_t contention_own_data(uint64_t value);
uint64_t contention_vectors(uint64_t from_and_to);
uint64_t contention_indirect(uint64_t value);
uint64_t contention_counts_down(uint64_t value);
}

// Compares the halves of its argument; bit i of the result: condition i held.
asm(R"(
    .text
    .macro condition name, bit
    cmp %ecx, %edx
    j\name 1f
    jmp 2f
1:  or $(1 << \bit), %eax
2:
    .endm
contention_conditions:
    mov %edi, %edx
    mov %rdi, %rcx
    shr $32, %rcx
    xor %eax, %eax
    condition o, 0
    condition no, 1
    condition b, 2
    condition ae, 3
    condition e, 4
    condition ne, 5
    condition be, 6
    condition a, 7
    condition s, 8
    condition ns, 9
    condition p, 10
    condition np, 11
    condition l, 12
    condition ge, 13
    condition le, 14
    condition g, 15
    ret

contention_thread_word:
    mov %fs:(%rdi), %rax
    addq $1, %fs:8
    ret

contention_own_data:
    mov %rdi, contention_word(%rip)
    lock addq $5, contention_word(%rip)
    cmpq $0, contention_word(%rip)
    mov contention_word(%rip), %rsi
    lea contention_word(%rip), %rax
    mov (%rax), %rax
    add %rsi, %rax
    ret

contention_vectors:
    movups (%rdi), %xmm3
    paddq %xmm3, %xmm3
    fildll (%rdi)
    fistpll 32(%rdi)
    movups %xmm3, 16(%rdi)
    ret

contention_indirect:
    push %rbx
    lea 1f(%rip), %rbx
    push %rbx
    call *(%rsp)
    pop %rbx
    lea 2f(%rip), %rbx
    jmp *%rbx
1:  lea 1(%rdi), %rax
    ret $0
2:  add %rax, %rax
    pop %rbx
    ret

contention_counts_down:
    mov %rdi, %rcx
    xor %eax, %eax
    jrcxz 2f
1:  inc %rax
    loop 1b
2:  ret

    .data
    .balign 8
contention_word:
    .quad 0
    .text
)");

BOOST_AUTO_TEST_SUITE(contention_instructions)

namespace {

using bench::contention::address;
using bench::contention::Counted;

uint64_t sort_and_hash(uint64_t numbers_address) {
  auto& numbers = *reinterpret_cast<std::vector<uint32_t>*>(numbers_address);
  std::sort(numbers.begin(), numbers.end());
  uint64_t hash = 0;
  double sum = 0;
  for (const uint32_t number : numbers) {
    hash = (hash ^ number) * 0x100000001b3;
    sum += static_cast<double>(number) / 3;
  }
  std::memmove(&numbers[1], &numbers[0], numbers.size() * sizeof numbers[0] / 2);
  return hash ^ static_cast<uint64_t>(sum) ^ numbers[numbers.size() / 3];
}

}  // namespace

BOOST_AUTO_TEST_CASE(conditions) {
  Counted counted;
  const uint32_t values[] = {0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  for (const uint64_t first : values) {
    for (const uint64_t second : values) {
      const uint64_t pair = first | second << 32;
      BOOST_TEST(counted.call(contention_conditions, pair) == contention_conditions(pair));
    }
  }
}

BOOST_AUTO_TEST_CASE(each_thread_has_its_own_thread_local_data) {
  Counted counted;
  uint64_t words[2][2] = {{11, 0}, {22, 0}};
  const auto results = counted.run({{contention_thread_word, 0, address(words[0])},
                                    {contention_thread_word, 0, address(words[1])}});
  BOOST_TEST(results == (std::vector<uint64_t>{11, 22}), boost::test_tools::per_element());
  BOOST_TEST(words[0][1] == 1U);
  BOOST_TEST(words[1][1] == 1U);
}

BOOST_AUTO_TEST_CASE(data_relative_to_the_instruction) {
  Counted counted;
  BOOST_TEST(counted.call(contention_own_data, 37) == 84U);
  BOOST_TEST(counted.ledger.totals().rmw == 1U);
}

BOOST_AUTO_TEST_CASE(vectors_and_floating_point_survive_between_instructions) {
  Counted counted;
  uint64_t first[5] = {3, 4};
  uint64_t second[5] = {5, 6};
  counted.run({{contention_vectors, address(first)}, {contention_vectors, address(second)}});
  BOOST_TEST(first[2] == 6U);
  BOOST_TEST(first[3] == 8U);
  BOOST_TEST(first[4] == 3U);
  BOOST_TEST(second[2] == 10U);
  BOOST_TEST(second[3] == 12U);
  BOOST_TEST(second[4] == 5U);
}

BOOST_AUTO_TEST_CASE(indirect_calls_and_jumps) {
  Counted counted;
  BOOST_TEST(counted.call(contention_indirect, 20) == contention_indirect(20));
}

BOOST_AUTO_TEST_CASE(loops_with_a_counter) {
  Counted counted;
  BOOST_TEST(counted.call(contention_counts_down, 0) == 0U);
  BOOST_TEST(counted.call(contention_counts_down, 9) == 9U);
}

BOOST_AUTO_TEST_CASE(what_a_compiler_makes) {
  std::vector<uint32_t> numbers(3000);
  uint32_t state = 1;
  std::generate(numbers.begin(), numbers.end(), [&state] { return state = state * 747796405 + 1; });
  std::vector<uint32_t> same = numbers;
  Counted counted;
  BOOST_TEST(counted.call(sort_and_hash, address(&numbers)) == sort_and_hash(address(&same)));
  BOOST_TEST((numbers == same));
}

BOOST_AUTO_TEST_SUITE_END()

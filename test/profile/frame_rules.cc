// SPDX-License-Identifier: MIT
// Frame descriptions and expressions written by hand: each instruction, and what is unknown.
#include "alloc/profile/frame_rules.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "alloc/profile/frame_expression.h"

namespace spillway::profile {
namespace {

using Bytes = std::vector<uint8_t>;
using Where = FrameRules::Where;

struct Description {
  explicit Description(Bytes shared, Bytes own_bytes)
      : common(std::move(shared)), own(std::move(own_bytes)) {
    frame.common = common.data();
    frame.common_end = common.data() + common.size();
    frame.own = own.data();
    frame.own_end = own.data() + own.size();
    frame.start = 1000;
    frame.code_unit = 1;
    frame.data_unit = -8;
    frame.return_register = 16;
  }
  FrameRules at(uintptr_t address) {
    FrameRules rules{};
    known = find_rules(frame, address, rules);
    return rules;
  }

  Bytes common;
  Bytes own;
  FrameDescription frame;
  bool known = false;
};

bool evaluates_to(Bytes operations, uintptr_t expected) {
  uintptr_t registers[kRegisters] = {};
  registers[7] = 100;
  operations.insert(operations.begin(), static_cast<uint8_t>(operations.size()));
  uintptr_t result = 0;
  return evaluate(operations.data(), registers, 5, {}, result) && result == expected;
}

BOOST_AUTO_TEST_SUITE(profile_frame_rules)

BOOST_AUTO_TEST_CASE(instructions_apply_up_to_the_address) {
  // def_cfa r7+8; r16 at -8 | advance 1; def_cfa_offset 16; r6 at -16 | advance1 10;
  // def_cfa_register 6
  Description function({0x0c, 7, 8, 0x80 | 16, 1},
                       {0x41, 0x0e, 16, 0x80 | 6, 2, 0x02, 10, 0x0d, 6});
  FrameRules rules = function.at(1000);
  BOOST_REQUIRE(function.known);
  BOOST_TEST(rules.frame_register == 7U);
  BOOST_TEST(rules.frame_offset == 8);
  BOOST_TEST((rules.where[16] == Where::kSaved));
  BOOST_TEST(rules.values[16] == -8);
  BOOST_TEST((rules.where[6] == Where::kSame));
  rules = function.at(1001);
  BOOST_TEST(rules.frame_offset == 16);
  BOOST_TEST((rules.where[6] == Where::kSaved));
  BOOST_TEST(rules.frame_register == 7U);
  BOOST_TEST(function.at(1010).frame_register == 7U);
  BOOST_TEST(function.at(1011).frame_register == 6U);
}

BOOST_AUTO_TEST_CASE(a_state_is_remembered_and_restored) {
  Description function({0x0c, 7, 8}, {0x0a, 0x0e, 64, 0x07, 3, 0x41, 0x0b, 0x41, 0x06, 3});
  BOOST_TEST(function.at(1000).frame_offset == 64);
  BOOST_TEST((function.at(1000).where[3] == Where::kUndefined));
  BOOST_TEST(function.at(1001).frame_offset == 8);
  BOOST_TEST((function.at(1001).where[3] == Where::kSame));
  BOOST_TEST(function.known);
}

BOOST_AUTO_TEST_CASE(signed_forms_and_registers) {
  Description function(
      {0x12, 6, 0x7e},                            // def_cfa_sf r6 -2
      {0x11, 3, 0x7f, 0x14, 12, 2, 0x09, 13, 14,  // r3 at +8; r12 = cfa-16; r13 = r14
       0x05, 15, 4, 0x16, 5, 1, 0x35});           // r15 at -32; r5 = lit5
  const FrameRules rules = function.at(1000);
  BOOST_REQUIRE(function.known);
  BOOST_TEST(rules.frame_offset == 16);
  BOOST_TEST(rules.values[3] == 8);
  BOOST_TEST((rules.where[12] == Where::kOffset));
  BOOST_TEST(rules.values[12] == -16);
  BOOST_TEST((rules.where[13] == Where::kRegister));
  BOOST_TEST(rules.values[13] == 14);
  BOOST_TEST(rules.values[15] == -32);
  BOOST_TEST((rules.where[5] == Where::kExpression));
}

BOOST_AUTO_TEST_CASE(what_is_unknown_ends_the_walk) {
  for (const Bytes& own : {Bytes{0x3f}, Bytes{0x0b}, Bytes{0x0a, 0x0a, 0x0a}}) {
    Description function({0x0c, 7, 8}, own);
    function.at(1000);
    BOOST_TEST(!function.known);
  }
  // Registers that no walk needs are passed over.
  Description vectors({0x0c, 7, 8}, {0x05, 60, 4, 0x41, 0x06, 60});
  BOOST_TEST(vectors.at(1001).frame_offset == 8);
  BOOST_TEST(vectors.known);
}

BOOST_AUTO_TEST_CASE(expressions_are_evaluated) {
  BOOST_TEST(evaluates_to({}, 5));
  BOOST_TEST(evaluates_to({0x77, 8}, 108));                                    // breg7 8
  BOOST_TEST(evaluates_to({0x77, 8, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24}, 8));  // of a PLT
  BOOST_TEST(evaluates_to({0x32, 0x33, 0x1c}, UINTPTR_MAX));
  BOOST_TEST(evaluates_to({0x32, 0x33, 0x16, 0x1c}, 1));
  BOOST_TEST(evaluates_to({0x0a, 0x34, 0x12, 0x23, 1}, 0x1235));
  BOOST_TEST(evaluates_to({0x32, 0x12, 0x22, 0x13, 0x31}, 1));
}

BOOST_AUTO_TEST_CASE(what_an_expression_may_not_do_fails) {
  uintptr_t result = 0;
  const uintptr_t registers[kRegisters] = {};
  for (const Bytes& block : {Bytes{1, 0x06}, Bytes{1, 0xff}, Bytes{1, 0x22}, Bytes{1, 0x13},
                             Bytes{9, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31}}) {
    BOOST_TEST(!evaluate(block.data(), registers, 5, {}, result));
  }
}

BOOST_AUTO_TEST_CASE(memory_is_read_inside_its_bounds_only) {
  const uintptr_t words[] = {11, 22, 33};
  const auto start = reinterpret_cast<uintptr_t>(words);
  const FrameMemory memory{.start = start + 8, .end = start + 16};
  uintptr_t word = 0;
  BOOST_TEST(memory.read(start + 8, word));
  BOOST_TEST(word == 22U);
  for (const uintptr_t address : {start, start + 9, start + 16, uintptr_t{0}, UINTPTR_MAX}) {
    BOOST_TEST(!memory.read(address, word));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::profile

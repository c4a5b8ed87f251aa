// SPDX-License-Identifier: MIT
// Rules that were kept are found again for their instruction alone, and what does not fit is not
// kept.
#include "alloc/profile/rule_cache.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <memory>

namespace spillway::profile {
namespace {

using Where = FrameRules::Where;

const uint8_t table[1] = {};
const uint8_t other_table[1] = {1};

struct RulesFixture {
  RulesFixture() {
    frame.return_register = CompactRules::kReturn;
    std::memset(&rules, 0, sizeof rules);
    rules.frame_register = kStackPointer;
    rules.frame_offset = 48;
    save(CompactRules::kReturn, -8);
    save(CompactRules::kKept[1], -16);
  }
  void save(size_t number, int64_t value) {
    rules.where[number] = Where::kSaved;
    rules.values[number] = value;
  }
  bool fits() const { return CompactRules().pack(frame, rules); }

  FrameDescription frame;
  FrameRules rules;
};

BOOST_FIXTURE_TEST_SUITE(profile_rule_cache, RulesFixture)

BOOST_AUTO_TEST_CASE(what_was_put_is_found) {
  const auto cache = std::make_unique<RuleCache>();
  CompactRules found;
  BOOST_TEST(!cache->find(0x1000, table, found));
  BOOST_TEST(!cache->find(0, nullptr, found));
  CompactRules kept;
  BOOST_REQUIRE(kept.pack(frame, rules));
  cache->put(0x1000, table, kept);
  BOOST_REQUIRE(cache->find(0x1000, table, found));
  BOOST_TEST(found.frame_offset == 48);
  BOOST_TEST(found.frame_register == kStackPointer);
  BOOST_TEST(found.saved[0] == 0);
  BOOST_TEST(found.saved[1] == 2);
  BOOST_TEST(!cache->find(0x1001, table, found));
  // Another object is there now.
  BOOST_TEST(!cache->find(0x1000, other_table, found));
  // Places that share an entry: the last one is found.
  for (uintptr_t address = 0x2000; address < 0x2000 + 10'000; ++address) {
    kept.frame_offset = static_cast<int32_t>(address);
    cache->put(address, table, kept);
    BOOST_TEST_REQUIRE(cache->find(address, table, found));
    BOOST_TEST_REQUIRE(found.frame_offset == static_cast<int32_t>(address));
  }
  size_t known = 0;
  for (uintptr_t address = 0x2000; address < 0x2000 + 10'000; ++address) {
    if (cache->find(address, table, found)) {
      ++known;
      BOOST_TEST_REQUIRE(found.frame_offset == static_cast<int32_t>(address));
    }
  }
  BOOST_TEST(known > 1000U);
  BOOST_TEST(known < 10'000U);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_told) {
  BOOST_TEST(fits());
  const FrameRules good = rules;
  const auto refuses = [&](auto change) {
    rules = good;
    change();
    const bool refused = !fits();
    rules = good;
    return refused;
  };
  const size_t kept = CompactRules::kKept[0];
  BOOST_TEST(refuses([&] { save(kept, -256 * 8); }));
  BOOST_TEST(refuses([&] { save(kept, -12); }));
  BOOST_TEST(refuses([&] { save(kept, 8); }));
  BOOST_TEST(refuses([&] { save(kept, 0); }));
  BOOST_TEST(refuses([&] { save(0, -24); }));  // no function keeps it for its caller
  BOOST_TEST(refuses([&] { rules.where[kept] = Where::kRegister; }));
  BOOST_TEST(refuses([&] { rules.where[CompactRules::kReturn] = Where::kUndefined; }));
  BOOST_TEST(refuses([&] { rules.frame_expression = table; }));
  BOOST_TEST(refuses([&] { rules.frame_offset = int64_t{1} << 32; }));
  BOOST_TEST(refuses([&] { rules.frame_register = kRegisters; }));
  BOOST_TEST(!refuses([&] { save(kept, -255 * 8); }));
  frame.is_signal_frame = true;
  BOOST_TEST(!fits());
  frame.is_signal_frame = false;
  frame.return_register = 0;
  BOOST_TEST(!fits());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::profile

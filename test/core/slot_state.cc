// SPDX-License-Identifier: MIT
#include "alloc/core/slot_state.h"

#include <boost/test/unit_test.hpp>

namespace spillway::core {
namespace {

BOOST_AUTO_TEST_SUITE(slot_state)

BOOST_AUTO_TEST_CASE(a_live_state_admits_one_address_of_its_granule) {
  for (size_t line = 0; line < 64; ++line) {
    const SlotState state = live_state(line * kLineSize);
    BOOST_TEST(start_line(state) == line);
    for (size_t inside = 0; inside < kGranuleSize; ++inside) {
      BOOST_REQUIRE(is_live_at(state, inside) == (inside == line * kLineSize));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_watched_state_is_live_at_one_address_and_not_plainly) {
  for (size_t line = 0; line < 64; ++line) {
    const SlotState state = watched_state(3 * kGranuleSize + line * kLineSize);
    BOOST_TEST(start_line(state) == line);
    BOOST_TEST(is_live(state));
    BOOST_TEST(is_watched(state));
    for (size_t inside = 0; inside < kGranuleSize; ++inside) {
      BOOST_REQUIRE(!is_live_at(state, inside));
      BOOST_REQUIRE(is_watched_at(state, inside) == (inside == line * kLineSize));
    }
    BOOST_TEST(is_live(live_state(line * kLineSize)));
    BOOST_TEST(!is_watched(live_state(line * kLineSize)));
    BOOST_TEST(!is_watched_at(live_state(line * kLineSize), line * kLineSize));
  }
}

BOOST_AUTO_TEST_CASE(a_state_is_replaced_once) {
  StateByte state;
  state.store(watched_state(0));
  BOOST_TEST(!state.replace(live_state(0), SlotState::kFree));
  BOOST_TEST((state.load() == watched_state(0)));
  BOOST_TEST(state.replace(watched_state(0), SlotState::kFree));
  BOOST_TEST(!state.replace(watched_state(0), SlotState::kFree));
  BOOST_TEST((state.load() == SlotState::kFree));
}

BOOST_AUTO_TEST_CASE(other_states_admit_none) {
  for (const SlotState state : {SlotState::kClean, SlotState::kFree, SlotState::kSpilled}) {
    for (size_t inside = 0; inside < kGranuleSize; ++inside) {
      BOOST_REQUIRE(!is_live_at(state, inside));
      BOOST_REQUIRE(!is_watched_at(state, inside));
    }
    BOOST_TEST(!is_live(state));
    BOOST_TEST(!is_watched(state));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

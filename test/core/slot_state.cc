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

BOOST_AUTO_TEST_CASE(other_states_admit_none) {
  for (const SlotState state : {SlotState::kClean, SlotState::kFree, SlotState::kSpilled}) {
    for (size_t inside = 0; inside < kGranuleSize; ++inside) {
      BOOST_REQUIRE(!is_live_at(state, inside));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

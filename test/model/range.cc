// SPDX-License-Identifier: MIT
// A range is sealed once, and from then on no thread commits any of it.
#include "alloc/core/range.h"

#include <boost/test/unit_test.hpp>

#include "test/model/explore.h"

namespace spillway::core {
namespace {

using model::explore;
using model::require;

struct SomeRange : Range {
  SomeRange() : Range(kGranuleShift) {}
};

struct Sealed {
  void thread(unsigned number) {
    if (number == 0) {
      const Range::Growing growing(range);
      if (growing.allowed()) {
        ++committed;
      }
    } else if (range.seal()) {
      // Nothing but the seal orders this after what others committed.
      seen = committed;
      sealed = true;
    }
  }
  void finish() {
    require(sealed == range.is_sealed(), "the range is as seal() said");
    require(!sealed || seen == committed, "a sealed range was committed to");
    const Range::Growing growing(range);
    require(growing.allowed() == !sealed, "a sealed range can't grow");
  }
  SomeRange range;
  uint32_t committed = 0;
  uint32_t seen = 0;
  bool sealed = false;
};

// The child can seal a range that a lost thread was about to commit to.
struct Child : Sealed {
  void thread(unsigned number) {
    if (number == 0) {
      Sealed::thread(0);
    } else {
      model::lose_other_threads();
      range.recover_after_fork();
      require(range.seal(), "the child seals the range");
      sealed = true;
      seen = committed;
    }
  }
};

BOOST_AUTO_TEST_SUITE(range)

BOOST_AUTO_TEST_CASE(what_is_sealed_stays) {
  explore<Sealed>("sealed", {.threads = 2, .preemptions = 4, .older_loads = 3});
}
BOOST_AUTO_TEST_CASE(a_child_seals) {
  explore<Child>("a child seals", {.threads = 2, .plain_stores = true});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::core

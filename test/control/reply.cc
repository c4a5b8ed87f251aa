// SPDX-License-Identifier: MIT
#include "alloc/control/reply.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "test/os/faulty_memory.h"

namespace spillway::control {
namespace {

BOOST_AUTO_TEST_SUITE(reply)

BOOST_AUTO_TEST_CASE(grows_and_keeps_its_text) {
  Reply reply;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    const std::string piece(4000, static_cast<char>('a' + i % 26));
    BOOST_REQUIRE(reply.append(piece));
    expected += piece;
  }
  BOOST_TEST((reply.view() == expected));
  BOOST_TEST(!reply.is_cut());
  reply.clear();
  BOOST_TEST(reply.view().empty());
  reply.append("x");
  BOOST_TEST(reply.view() == "x");
  reply.release();
  BOOST_TEST(reply.view().empty());
}

BOOST_AUTO_TEST_CASE(without_memory_it_is_cut_until_it_is_cleared) {
  Reply reply;
  os::faulty::fail(os::faulty::Call::kReserve, 0, 1);
  BOOST_TEST(!reply.append("text"));
  os::faulty::reset();
  BOOST_TEST(reply.is_cut());
  BOOST_TEST(!reply.append("text"));  // nothing goes on in the middle
  reply.clear();
  BOOST_TEST(reply.append("text"));
  BOOST_TEST(reply.view() == "text");
  reply.release();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::control

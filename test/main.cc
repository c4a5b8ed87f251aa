// SPDX-License-Identifier: MIT
// The main program of every test program. Not by BOOST_TEST_MODULE, which would have to be defined
// before the header that all tests have in common, precompiled.
#include <boost/test/unit_test.hpp>

namespace {

bool name_module() {
  boost::unit_test::framework::master_test_suite().p_name.value = "spillway";
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  return boost::unit_test::unit_test_main(name_module, argc, argv);
}

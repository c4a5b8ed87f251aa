#define BOOST_TEST_MODULE spillway
#include <boost/test/unit_test.hpp>

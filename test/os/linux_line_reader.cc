// SPDX-License-Identifier: MIT
#include "alloc/os/line_reader.h"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <string>
#include <vector>

namespace spillway::os {
namespace {

struct File {
  explicit File(const std::string& text) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    BOOST_REQUIRE(file != nullptr);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  ~File() { std::remove(path.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::vector<std::string> lines(size_t room) const {
    std::vector<char> buffer(room);
    LineReader reader(path.c_str(), buffer.data(), buffer.size());
    std::vector<std::string> all;
    for (std::string_view line; reader.next(line);) {
      all.emplace_back(line);
    }
    return all;
  }
  std::string path = "line_reader_test." + std::to_string(reinterpret_cast<uintptr_t>(this));
};

using Lines = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(linux_line_reader)

BOOST_AUTO_TEST_CASE(lines_arrive_whatever_the_buffer) {
  const File file("one\n\nthree and more\nfour\n");
  const Lines expected{"one", "", "three and more", "four"};
  for (const size_t room : {15U, 16U, 20U, 100U}) {
    BOOST_TEST(file.lines(room) == expected, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(longer_lines_are_left_out) {
  const File file("one\n" + std::string(100, 'x') + "\nthree\n" + std::string(10, 'y') + "\n");
  const Lines expected{"one", "three"};
  BOOST_TEST(file.lines(10) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_has_no_lines) {
  char buffer[10];
  LineReader reader("/nonexistent", buffer, sizeof buffer);
  std::string_view line;
  BOOST_TEST(!reader.next(line));
  BOOST_TEST(!reader.next(line));
}

BOOST_AUTO_TEST_CASE(a_part_of_a_file_is_read) {
  const File file("0123456789");
  const InputFile input(file.path.c_str());
  char buffer[4];
  BOOST_TEST(input.read_at(3, buffer, sizeof buffer) == 4U);
  BOOST_TEST(std::string(buffer, 4) == "3456");
  BOOST_TEST(input.read(buffer, sizeof buffer) == 4U);
  BOOST_TEST(std::string(buffer, 4) == "0123");
  BOOST_TEST(input.read_at(8, buffer, sizeof buffer) == 2U);
  BOOST_TEST(input.read_at(10, buffer, sizeof buffer) == 0U);
  const InputFile none("/nonexistent");
  BOOST_TEST(none.read(buffer, sizeof buffer) == 0U);
  BOOST_TEST(none.read_at(0, buffer, sizeof buffer) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os

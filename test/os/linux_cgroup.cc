// SPDX-License-Identifier: MIT
// The control groups' memory limit, read from made-up files.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include "alloc/os/os.h"

namespace spillway::os {
namespace {

constexpr uint64_t kNone = UINT64_MAX;

// A tree of control groups and a membership file, in a folder that goes with it.
class Groups {
 public:
  Groups() {
    std::string pattern = (std::filesystem::temp_directory_path() / "spillway_XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    std::filesystem::create_directory(root());
  }
  ~Groups() { std::filesystem::remove_all(folder_); }
  Groups(const Groups&) = delete;
  Groups& operator=(const Groups&) = delete;

  std::filesystem::path root() const { return folder_ / "root"; }
  std::filesystem::path membership() const { return folder_ / "membership"; }

  Groups& member(std::string_view text) {
    std::ofstream(membership()) << text;
    return *this;
  }
  Groups& file(std::string_view name, std::string_view text) {
    const std::filesystem::path path = root() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return *this;
  }
  std::filesystem::path machine() const { return root() / "machine"; }
  uint64_t stall_us() const {
    return memory_stall_us(membership().c_str(), root().c_str(), machine().c_str(), *scratch_);
  }
  uint64_t limit() const {
    return cgroup_memory_limit(membership().c_str(), root().c_str(), *scratch_);
  }

 protected:
  std::unique_ptr<CgroupScratch> scratch_ = std::make_unique<CgroupScratch>();

 private:
  std::filesystem::path folder_;
};

BOOST_FIXTURE_TEST_SUITE(linux_cgroup, Groups)

BOOST_AUTO_TEST_CASE(version_2_has_the_groups_own_limit) {
  member("0::/service\n").file("service/memory.max", "123456789\n");
  BOOST_TEST(limit() == 123456789U);
}

BOOST_AUTO_TEST_CASE(version_2_has_the_least_limit_of_all_that_the_group_is_in) {
  member("0::/a/b/c\n")
      .file("a/memory.max", "5000000\n")
      .file("a/b/memory.max", "4000000\n")
      .file("a/b/c/memory.max", "6000000\n");
  BOOST_TEST(limit() == 4000000U);
  file("memory.max", "3000000\n");  // of the root: what a container sees
  BOOST_TEST(limit() == 3000000U);
  file("a/b/memory.max", "max\n");
  file("memory.max", "max\n");
  BOOST_TEST(limit() == 5000000U);
}

BOOST_AUTO_TEST_CASE(version_2_does_not_ask_groups_beside) {
  member("0::/a/b\n")
      .file("a/b/memory.max", "max\n")
      .file("a/bb/memory.max", "1000\n")
      .file("b/memory.max", "1000\n")
      .file("memory/a/b/memory.limit_in_bytes", "1000\n");
  BOOST_TEST(limit() == kNone);
}

BOOST_AUTO_TEST_CASE(the_root_group_of_a_container) {
  member("0::/\n").file("memory.max", "268435456\n");
  BOOST_TEST(limit() == 268435456U);
}

BOOST_AUTO_TEST_CASE(max_is_no_limit) {
  member("0::/service\n").file("service/memory.max", "max\n").file("memory.max", "max\n");
  BOOST_TEST(limit() == kNone);
}

BOOST_AUTO_TEST_CASE(version_1_is_below_the_controllers_name) {
  member("12:cpu,cpuacct:/other\n5:memory:/docker/0123\n1:name=systemd:/x\n")
      .file("memory/docker/0123/memory.limit_in_bytes", "777777\n")
      .file("memory/docker/memory.limit_in_bytes", "9223372036854771712\n")
      .file("memory/other/memory.limit_in_bytes", "1\n");
  BOOST_TEST(limit() == 777777U);
}

BOOST_AUTO_TEST_CASE(version_1_in_a_container_has_the_limit_at_its_root) {
  member("5:memory:/docker/0123\n").file("memory/memory.limit_in_bytes", "424242\n");
  BOOST_TEST(limit() == 424242U);
}

BOOST_AUTO_TEST_CASE(version_1_without_a_limit_has_a_very_large_one) {
  member("5:memory:/\n").file("memory/memory.limit_in_bytes", "9223372036854771712\n");
  BOOST_TEST(limit() >= uint64_t{1} << 62);
}

BOOST_AUTO_TEST_CASE(version_1_controllers_may_share_a_hierarchy) {
  member("3:cpuset,memory,hugetlb:/s\n").file("memory/s/memory.limit_in_bytes", "31\n");
  BOOST_TEST(limit() == 31U);
  member("3:cpuset,memorycard:/s\n");
  BOOST_TEST(limit() == kNone);
}

BOOST_AUTO_TEST_CASE(both_versions_count) {
  member("4:memory:/one\n0::/two\n")
      .file("memory/one/memory.limit_in_bytes", "1000\n")
      .file("two/memory.max", "2000\n");
  BOOST_TEST(limit() == 1000U);
  file("two/memory.max", "500\n");
  BOOST_TEST(limit() == 500U);
}

BOOST_AUTO_TEST_CASE(missing_files_are_no_limit_and_leave_errno) {
  errno = 4711;
  BOOST_TEST(cgroup_memory_limit("/nowhere/at/all", "/nowhere", *scratch_) == kNone);
  BOOST_TEST(limit() == kNone);
  member("0::/gone\n4:memory:/gone\n");
  BOOST_TEST(limit() == kNone);
  member("");
  BOOST_TEST(limit() == kNone);
  BOOST_TEST(errno == 4711);
}

BOOST_AUTO_TEST_CASE(garbage_is_no_limit) {
  for (const std::string_view text :
       {"", "\n", "::", ":::::", "0", "0:", "0::", "no colon at all\n", "0::\n\n\n4:memory",
        "memory", "\xff\xfe\n0::/\n", "0::/../../../../..\n"}) {
    member(text);
    BOOST_TEST(limit() == kNone);
  }
  member("0::/g\n");
  for (const std::string_view text : {"", "\n", "maximum", "-1\n", " 77\n", "K\n"}) {
    file("g/memory.max", text);
    BOOST_TEST(limit() == kNone);
  }
}

BOOST_AUTO_TEST_CASE(a_number_that_is_too_long_is_no_small_one) {
  member("0::/g\n").file("g/memory.max", "18446744073709551616\n");  // 2^64
  BOOST_TEST(limit() >= uint64_t{1} << 62);
  file("g/memory.max", "99999999999999999999999999999999999999999\n");
  BOOST_TEST(limit() >= uint64_t{1} << 62);
}

BOOST_AUTO_TEST_CASE(no_newline_at_the_end_is_needed) {
  member("0::/g").file("g/memory.max", "65536");
  BOOST_TEST(limit() == 65536U);
}

BOOST_AUTO_TEST_CASE(paths_that_are_too_long_are_no_limit) {
  std::string path = "0::";
  for (int i = 0; i < 40; ++i) {
    path += "/" + std::string(100, 'x');
  }
  member(path + "\n");
  BOOST_TEST(limit() == kNone);
  std::string lines(20000, 'x');
  lines += "\n0::/g\n";
  member(lines);
  BOOST_TEST(limit() == kNone);
}

BOOST_AUTO_TEST_CASE(a_limit_that_changes_is_read_anew) {
  member("0::/g\n").file("g/memory.max", "1000000\n");
  BOOST_TEST(limit() == 1000000U);
  file("g/memory.max", "2000000\n");
  BOOST_TEST(limit() == 2000000U);
}

BOOST_AUTO_TEST_CASE(this_machine_has_some_answer) {
  BOOST_TEST(cgroup_memory_limit("/proc/self/cgroup", "/sys/fs/cgroup", *scratch_) > 0U);
}

constexpr std::string_view kPressure =
    "some avg10=1.53 avg60=0.40 avg300=0.00 total=1234567\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n";

BOOST_AUTO_TEST_CASE(the_groups_own_pressure_comes_first) {
  member("0::/service\n")
      .file("service/memory.pressure", kPressure)
      .file("machine", "some total=7\n");
  BOOST_TEST(stall_us() == 1234567U);
}

BOOST_AUTO_TEST_CASE(without_a_group_it_is_the_machines_pressure) {
  member("4:memory:/service\n").file("machine", kPressure);
  BOOST_TEST(stall_us() == 1234567U);
  member("0::/elsewhere\n");
  BOOST_TEST(stall_us() == 1234567U);
  std::filesystem::remove(membership());
  BOOST_TEST(stall_us() == 1234567U);
}

BOOST_AUTO_TEST_CASE(what_is_no_pressure_is_unknown) {
  BOOST_TEST(stall_us() == kNone);
  for (const char* text : {"", "some", "some avg10=0.00\n", "full total=5\n", "some total=\n",
                           "some total=99999999999999999999\n"}) {
    BOOST_TEST(file("machine", text).stall_us() == kNone);
  }
}

BOOST_AUTO_TEST_CASE(pressure_leaves_errno_alone) {
  errno = EDOM;
  BOOST_TEST(stall_us() == kNone);
  BOOST_TEST(errno == EDOM);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::os

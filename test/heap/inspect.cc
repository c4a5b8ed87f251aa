// glibc's calls for looking at malloc.
#include "alloc/heap/inspect.h"

#include <cerrno>
#include <string>

#include "test/heap/child.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kSize = 50000;  // of the 56 KiB class
constexpr size_t kBlock = 56 * kKiB;

BOOST_FIXTURE_TEST_SUITE(heap_inspect, HeapFixture)

BOOST_AUTO_TEST_CASE(mallinfo_counts_blocks_in_both_forms) {
  const struct mallinfo2 before = info2();
  void* block = allocate(kSize);
  const struct mallinfo2 during = info2();
  const struct mallinfo narrow = info();
  BOOST_TEST(during.uordblks == before.uordblks + kBlock);
  BOOST_TEST(during.arena >= during.uordblks + during.fordblks);
  BOOST_TEST(static_cast<size_t>(narrow.uordblks) == during.uordblks);
  free(block);
  BOOST_TEST(info2().uordblks == before.uordblks);
}

BOOST_AUTO_TEST_CASE(trim_gives_the_threads_cache_back) {
  free(allocate(kSize));
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  errno = 4711;
  const int result = trim(0);
  BOOST_TEST(errno == 4711);
  BOOST_TEST((result == 0 || result == 1));
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
}

BOOST_AUTO_TEST_CASE(malloc_info_writes_one_element_for_each_class_with_free_blocks) {
  free(allocate(kSize));
  char* text = nullptr;
  size_t length = 0;
  std::FILE* stream = open_memstream(&text, &length);
  BOOST_TEST(info_xml(0, stream) == 0);
  std::fclose(stream);
  const std::string xml(text, length);
  std::free(text);
  BOOST_TEST(xml.starts_with("<malloc version="));
  BOOST_TEST(xml.ends_with("</malloc>\n"));
  BOOST_TEST((xml.find("<size from=\"57344\" to=\"57344\"") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(malloc_info_knows_no_options) {
  errno = 0;
  BOOST_TEST(info_xml(1, stdout) == -1);
  BOOST_TEST(errno == EINVAL);
}

BOOST_AUTO_TEST_CASE(malloc_stats_goes_to_stderr) {
  const Ending ending = run_in_child([] { print_statistics(); });
  BOOST_TEST(ending.status == 0);
  BOOST_TEST(ending.message.starts_with("spillway: statistics\n"));
}

BOOST_AUTO_TEST_CASE(no_parameter_is_accepted) {
  BOOST_TEST(set_parameter(M_MMAP_THRESHOLD, 1) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap

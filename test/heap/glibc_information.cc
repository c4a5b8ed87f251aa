// SPDX-License-Identifier: MIT
// glibc's calls for looking at malloc.
#include "alloc/heap/glibc_information.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "alloc/heap/inspect.h"
#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kSize = 50000;  // of the 52 KiB class
constexpr size_t kBlock = 52 * kKiB;
// Of a class of which a thread that is slow keeps blocks.
constexpr size_t kCached = 8 * kKiB;

BOOST_FIXTURE_TEST_SUITE(heap_glibc_information, HeapFixture)

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

BOOST_AUTO_TEST_CASE(mallinfo_adds_up) {
  void* blocks[40];
  const auto check = [] {
    const struct mallinfo2 now = info2();
    BOOST_TEST(now.arena == now.uordblks + now.fordblks);
    BOOST_TEST(now.keepcost <= now.fordblks);
    const struct mallinfo narrow = info();
    BOOST_TEST(narrow.arena == narrow.uordblks + narrow.fordblks);
    BOOST_TEST(narrow.keepcost <= narrow.fordblks);
  };
  check();
  for (size_t i = 0; i < std::size(blocks); ++i) {
    blocks[i] = allocate(i % 4 == 0 ? 3 * kMiB : (i + 1) * 20000);
    fill(blocks[i], 5000, 1);
    check();
  }
  for (void* block : blocks) {
    free(block);
    check();
  }
  flush_thread();
  check();
  trim(0);
  check();
}

BOOST_AUTO_TEST_CASE(mallinfo_has_blocks_of_threads_caches_and_the_page_heaps_apart) {
  trim(0);
  void* block = allocate(kCached);
  fill(block, kCached, 1);
  const struct mallinfo2 live = info2();
  free(block);
  const struct mallinfo2 cached = info2();
  BOOST_TEST(cached.uordblks == live.uordblks - kCached);
  BOOST_TEST(cached.fordblks >= live.fordblks + kCached);
  BOOST_TEST(cached.fordblks >= cached.keepcost + kCached);
  flush_thread();
  const struct mallinfo2 flushed = info2();
  const uint64_t of_mimalloc = snapshot().mimalloc_committed_bytes - snapshot().mimalloc_live_bytes;
  BOOST_TEST(flushed.keepcost == flushed.fordblks - of_mimalloc);
  BOOST_TEST(flushed.keepcost >= kCached);
}

#if SPILLWAY_MIMALLOC_EXTENDED
BOOST_AUTO_TEST_CASE(mallinfo_moves_with_small_blocks_of_all_threads) {
  constexpr size_t kSmall = 100;
  constexpr size_t kCount = 1000;
  const auto take = [] {
    std::vector<void*> blocks(kCount);
    std::generate(blocks.begin(), blocks.end(), [] { return allocate(kSmall); });
    return blocks;
  };
  const struct mallinfo2 before = info2();
  std::vector<void*> own = take();
  std::vector<void*> others;
  std::thread([&] { others = take(); }).join();
  const struct mallinfo2 during = info2();
  BOOST_TEST(during.uordblks >= before.uordblks + 2 * kCount * kSmall);
  BOOST_TEST(during.uordblks <= before.uordblks + 4 * kCount * kSmall);
  BOOST_TEST(during.arena == during.uordblks + during.fordblks);
  for (void* block : own) {
    free(block);
  }
  const struct mallinfo2 after = info2();
  BOOST_TEST(after.uordblks <= during.uordblks - kCount * kSmall);
  BOOST_TEST(after.arena == after.uordblks + after.fordblks);
  for (void* block : others) {
    free(block);
  }
}
#endif

BOOST_AUTO_TEST_CASE(mallinfo_has_large_blocks_apart) {
  const struct mallinfo2 before = info2();
  void* block = allocate(6 * kMiB);
  const struct mallinfo2 during = info2();
  BOOST_TEST(during.hblks == before.hblks + 1);
  BOOST_TEST(during.hblkhd >= before.hblkhd + 6 * kMiB);
  BOOST_TEST(during.hblkhd <= before.hblkhd + 6 * kMiB + 2 * kGranuleSize);
  BOOST_TEST(during.uordblks == before.uordblks);
  BOOST_TEST(info().hblks == static_cast<int>(during.hblks));
  free(block);
  BOOST_TEST(info2().hblks == before.hblks);
  BOOST_TEST(info2().hblkhd == before.hblkhd);
}

BOOST_AUTO_TEST_CASE(malloc_info_writes_one_element_for_each_class_with_free_blocks) {
  free(allocate(kCached));
  char* text = nullptr;
  size_t length = 0;
  std::FILE* stream = open_memstream(&text, &length);
  BOOST_TEST(info_xml(0, stream) == 0);
  std::fclose(stream);
  const std::string xml(text, length);
  std::free(text);
  BOOST_TEST(xml.starts_with("<malloc version="));
  BOOST_TEST(xml.ends_with("</malloc>\n"));
  BOOST_TEST((xml.find("<size from=\"8192\" to=\"8192\"") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(malloc_info_knows_no_options) {
  errno = 0;
  BOOST_TEST(info_xml(1, stdout) == -1);
  BOOST_TEST(errno == EINVAL);
}

BOOST_AUTO_TEST_CASE(parameters_are_answered_as_by_glibc) {
  BOOST_TEST(set_parameter(M_MMAP_THRESHOLD, 1) == 1);
  BOOST_TEST(set_parameter(-4711, 1) == 1);
  BOOST_TEST(set_parameter(M_MXFAST, 160) == 1);
  BOOST_TEST(set_parameter(M_MXFAST, 161) == 0);
  BOOST_TEST(set_parameter(M_MXFAST, -1) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap

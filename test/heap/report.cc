// SPDX-License-Identifier: MIT
// The statistics: exact after known work, and written in each format.
#include "alloc/heap/report.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr size_t kSize = 300000;  // of the 320 KiB class
constexpr size_t kBlock = 320 * kKiB;

std::string written(config::StatsFormat format) {
  std::FILE* file = std::tmpfile();
  BOOST_REQUIRE(file != nullptr);
  write_statistics(fileno(file), format);
  std::string text(static_cast<size_t>(lseek(fileno(file), 0, SEEK_END)), '\0');
  const ssize_t got = pread(fileno(file), text.data(), text.size(), 0);
  BOOST_TEST(got == static_cast<ssize_t>(text.size()));
  std::fclose(file);
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(heap_report, HeapFixture)

BOOST_AUTO_TEST_CASE(counts_are_exact_after_known_work) {
  const stats::Snapshot before = snapshot();
  const stats::ClassSnapshot class_before = class_snapshot(kSize);
  BOOST_TEST(class_before.block_size == kBlock);
  std::vector<void*> blocks;
  for (int i = 0; i < 37; ++i) {
    blocks.push_back(allocate(kSize));
  }
  const stats::Snapshot during = snapshot();
  const stats::ClassSnapshot class_during = class_snapshot(kSize);
  BOOST_TEST(class_during.live == class_before.live + 37);
  BOOST_TEST(class_during.allocations_total == class_before.allocations_total + 37);
  BOOST_TEST(during.allocations_total == before.allocations_total + 37);
  BOOST_TEST(during.pool_live_bytes == before.pool_live_bytes + 37 * kBlock);
  for (void* block : blocks) {
    free(block);
  }
  BOOST_TEST(class_snapshot(kSize).live == class_before.live);
  BOOST_TEST(snapshot().pool_live_bytes == before.pool_live_bytes);
}

BOOST_AUTO_TEST_CASE(a_block_that_becomes_another_class_where_it_is_is_counted_there) {
  void* block = allocate(kSize);
  const stats::ClassSnapshot before = class_snapshot(kSize);
  const stats::ClassSnapshot smaller_before = class_snapshot(20000);
  block = reallocate(block, 20000);
  BOOST_TEST(class_snapshot(kSize).live == before.live - 1);
  BOOST_TEST(class_snapshot(20000).live == smaller_before.live + 1);
  free(block);
  BOOST_TEST(class_snapshot(20000).live == smaller_before.live);
}

BOOST_AUTO_TEST_CASE(large_and_growing_blocks_are_counted) {
  const stats::Snapshot before = snapshot();
  void* large = allocate(3 * kMiB);
  void* growing = take_growing(5 * kMiB);
  const stats::Snapshot during = snapshot();
  BOOST_TEST(during.large_blocks == before.large_blocks + 2);
  BOOST_TEST(during.large_allocations_total == before.large_allocations_total + 2);
  BOOST_TEST(during.large_live_bytes >= before.large_live_bytes + 8 * kMiB);
  BOOST_TEST(during.large_live_bytes <= before.large_live_bytes + 8 * kMiB + 4 * kGranuleSize);
  BOOST_TEST(during.pool_live_bytes == before.pool_live_bytes);
  free(large);
  free(growing);
  const stats::Snapshot after = snapshot();
  BOOST_TEST(after.large_blocks == before.large_blocks);
  BOOST_TEST(after.large_live_bytes == before.large_live_bytes);
}

BOOST_AUTO_TEST_CASE(counts_are_exact_with_several_threads) {
  const stats::Snapshot before = snapshot();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 500; ++round) {
        void* first = allocate(kSize);
        void* second = allocate(kSize);
        free(first);
        free(second);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const stats::Snapshot after = snapshot();
  BOOST_TEST(after.allocations_total == before.allocations_total + 4000);
  BOOST_TEST(after.pool_live_bytes == before.pool_live_bytes);
}

BOOST_AUTO_TEST_CASE(sums_agree_with_the_classes) {
  void* block = allocate(kSize);
  const stats::Snapshot now = snapshot();
  uint64_t live = 0;
  uint64_t cached = 0;
  uint64_t colouring = 0;  // a grain for each block of the larger classes
  for (uint32_t index = 1; index <= now.class_count; ++index) {
    const stats::ClassSnapshot& one = now.classes[index];
    live += one.live * one.block_size;
    cached += one.cached * one.block_size;
    if (one.block_size >= kMinColouredSize) {
      colouring += (one.live + one.cached) * core::kGrainSize;
    }
  }
  BOOST_TEST(now.class_count == config::kHeapClassCount);
  BOOST_TEST(now.pool_live_bytes == live);
  BOOST_TEST(now.pool_cached_bytes == cached);
  const uint64_t all = live + cached + colouring + now.pool_free_bytes;
  BOOST_TEST(all <= now.pool_grown_bytes);
  BOOST_TEST(all + now.large_live_bytes >= now.pool_grown_bytes);
  BOOST_TEST(now.pool_clean_bytes <= now.pool_free_bytes);
  BOOST_TEST(now.pool_committed_bytes >= now.pool_grown_bytes);
  BOOST_TEST(now.pool_reserved_bytes >= now.pool_committed_bytes);
  BOOST_TEST(now.pool_off == 0U);
  free(block);
}

BOOST_AUTO_TEST_CASE(mimallocs_blocks_are_not_counted) {
  const stats::Snapshot before = snapshot();
  for (const size_t size : {size_t{100}, 65 * kMiB}) {  // below the pool's window, and above it
    void* block = allocate(size);
    BOOST_REQUIRE(block != nullptr);
    BOOST_TEST(!is_pooled(block));
    free(block);
  }
  const stats::Snapshot after = snapshot();
  BOOST_TEST(after.allocations_total == before.allocations_total);
  BOOST_TEST(after.large_allocations_total == before.large_allocations_total);
}

BOOST_AUTO_TEST_CASE(they_say_whose_they_are) {
  const stats::Identity identity = snapshot().identity;
  BOOST_TEST(identity.program == "test_heap");
  BOOST_TEST(identity.process == static_cast<uint32_t>(getpid()));
  BOOST_TEST(identity.version == SPILLWAY_VERSION_NUMBER);
  BOOST_TEST(identity.started_at_ns > uint64_t{1'600'000'000} * 1'000'000'000);
  BOOST_TEST(identity.taken_at_ns >= identity.started_at_ns);
}

// By the terms of the field, from which each follows.
BOOST_AUTO_TEST_CASE(the_gauges_of_the_field_are_in_order) {
  void* block = allocate(kSize);
  void* large = allocate(3 * kMiB);
  void* growing = take_growing(5 * kMiB);
  void* small = allocate(100);
  const stats::Snapshot now = snapshot();
  BOOST_TEST(now.allocated_bytes ==
             now.pool_live_bytes + now.large_live_bytes + now.mimalloc_live_bytes);
  BOOST_TEST(now.active_bytes >= now.allocated_bytes);
  BOOST_TEST(now.active_bytes >= now.allocated_bytes + now.pool_cached_bytes);
  BOOST_TEST(now.resident_bytes == now.held_bytes + now.metadata_bytes);
  BOOST_TEST(now.metadata_bytes > 0U);
  BOOST_TEST(now.mapped_bytes >= now.pool_reserved_bytes + now.mimalloc_mapped_bytes);
  BOOST_TEST(now.retained_bytes == now.mapped_bytes - now.resident_bytes);
  BOOST_TEST(now.mappings >= 5U);  // arena, its table, chunks, index, caches
  BOOST_TEST(now.mappings < 100U);
  BOOST_TEST(now.process_resident_bytes > kMiB);
  BOOST_TEST(now.pool_dirty_bytes + now.pool_clean_bytes == now.pool_free_bytes);
  for (void* one : {block, large, growing, small}) {
    free(one);
  }
  BOOST_TEST(snapshot().allocated_bytes <
             now.allocated_bytes - kSize - 8 * kMiB + now.mimalloc_live_bytes);
}

BOOST_AUTO_TEST_CASE(what_was_asked_for_is_estimated_from_requests_that_missed) {
  constexpr size_t kBelow = 288 * kKiB;  // the class below: no request is as small
  std::vector<void*> blocks;
  const stats::ClassSnapshot before = class_snapshot(kSize);
  for (int i = 0; i < 64; ++i) {
    heap.engine.flush(thread_state);  // each one misses
    blocks.push_back(allocate(kSize));
  }
  const stats::ClassSnapshot now = class_snapshot(kSize);
  BOOST_TEST(now.requested_estimate_bytes <= now.live_bytes);
  BOOST_TEST(now.requested_estimate_bytes > now.live * kBelow);
  BOOST_TEST(now.refills_total >= before.refills_total + 64);
  for (void* block : blocks) {
    free(block);
  }
}

BOOST_AUTO_TEST_CASE(hits_and_misses_are_told_apart) {
  void* block = allocate(kSize);
  free(block);
  heap.engine.flush(thread_state);
  const stats::ClassSnapshot before = class_snapshot(kSize);
  block = allocate(kSize);  // a miss
  free(block);
  const stats::ClassSnapshot missed = class_snapshot(kSize);
  BOOST_TEST(missed.refills_total == before.refills_total + 1);
  BOOST_TEST(missed.cache_hits_total == before.cache_hits_total);
  uint64_t hits = 0;
  for (int i = 0; i < 10; ++i) {
    const bool is_cached = class_snapshot(kSize).cached != 0;
    block = allocate(kSize);
    free(block);
    hits += is_cached ? 1 : 0;
  }
  const stats::ClassSnapshot after = class_snapshot(kSize);
  BOOST_TEST(after.cache_hits_total == before.cache_hits_total + hits);
  BOOST_TEST(after.refills_total == missed.refills_total + 10 - hits);
}

BOOST_AUTO_TEST_CASE(memory_that_is_used_again_avoids_page_faults) {
  std::vector<void*> blocks(40);
  const auto take_all = [&blocks] {
    for (void*& block : blocks) {
      block = allocate(kSize);
      std::memset(block, 1, kSize);
    }
  };
  const auto give_all = [&blocks] {
    for (void* block : blocks) {
      free(block);
    }
    heap.engine.flush(thread_state);
  };
  take_all();
  give_all();
  const uint64_t before = snapshot().page_faults_avoided_total;
  take_all();
  BOOST_TEST(snapshot().page_faults_avoided_total > before);
  give_all();
}

BOOST_AUTO_TEST_CASE(each_format_is_written_whole) {
  void* block = allocate(kSize);
  const std::string text = written(config::StatsFormat::kText);
  BOOST_TEST(text.starts_with("spillway: statistics\n"));
  BOOST_TEST(contains(text, "327680"));
  const std::string json = written(config::StatsFormat::kJson);
  BOOST_TEST(json.starts_with("{\"program\": \"test_heap\", \"pid\": "));
  BOOST_TEST(contains(json, "{\"block_size\": 327680, "));
  BOOST_TEST(json.ends_with("]}\n"));
  const std::string prometheus = written(config::StatsFormat::kPrometheus);
  BOOST_TEST(contains(prometheus, "\nspillway_pool_off{program=\"test_heap\",pid=\"" +
                                      std::to_string(getpid()) + "\"} 0\n"));
  BOOST_TEST(contains(prometheus, ",block_size=\"327680\"} "));
  BOOST_TEST(written(config::StatsFormat::kOff).empty());
  free(block);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap

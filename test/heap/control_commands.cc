// SPDX-License-Identifier: MIT
// What tools may ask, and each complaint.
#include "alloc/heap/control_commands.h"

#include <sys/mman.h>

#include <string>
#include <thread>
#include <vector>

#include "test/heap/fixture.h"

namespace spillway::heap {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

struct CommandFixture : HeapFixture {
  control::Reply reply;
  ~CommandFixture() { reply.release(); }

  std::string run(std::string_view request) {
    Line<500> error;
    reply.clear();
    const bool good = run_command(request, reply, error);
    BOOST_TEST(good == error.view().empty(), request);
    return good ? std::string(reply.view()) : "error: " + std::string(error.view());
  }
};

bool begins(const std::string& text, const std::string& part) { return text.starts_with(part); }

BOOST_FIXTURE_TEST_SUITE(heap_control_commands, CommandFixture)

BOOST_AUTO_TEST_CASE(statistics_come_in_each_format) {
  BOOST_TEST(begins(run("stats"), "spillway: statistics\n"));
  BOOST_TEST(begins(run("stats text"), "spillway: statistics\n"));
  BOOST_TEST(begins(run("stats json"), "{"));
  BOOST_TEST(begins(run("stats prometheus"), "# HELP spillway_"));
  BOOST_TEST(run("stats off") == "error: stats: 'off' is not text|json|prometheus");
  BOOST_TEST(run("stats xml") == "error: stats: 'xml' is not text|json|prometheus");
}

BOOST_AUTO_TEST_CASE(purge_gives_back_what_is_free) {
  std::vector<void*> blocks;
  for (int i = 0; i < 64; ++i) {
    blocks.push_back(allocate(300000));
    fill(blocks.back(), 300000, 1);
  }
  for (void* block : blocks) {
    heap::free(block);
  }
  heap.engine.flush(thread_state);
  const uint64_t before = snapshot().purged_bytes_total;
  const std::string answer = run("purge");
  const uint64_t purged = snapshot().purged_bytes_total - before;
  BOOST_TEST(purged >= uint64_t{64} * 300000);
  BOOST_TEST(begins(answer, "purged " + std::to_string(purged) + " bytes of the pool; "));
}

BOOST_AUTO_TEST_CASE(flush_empties_the_caches_of_other_threads) {
  std::thread([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 8; ++i) {
      blocks.push_back(allocate(8000));
    }
    for (void* block : blocks) {
      heap::free(block);
    }
    BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  }).join();
  heap::free(allocate(8000));
  BOOST_TEST(snapshot().pool_cached_bytes > 0U);
  BOOST_TEST(begins(run("flush"), "flushed "));
  BOOST_TEST(snapshot().pool_cached_bytes == 0U);
  BOOST_TEST(begins(run("flush"), "flushed 0 bytes of 0 thread caches; 0 were in use"));
}

BOOST_AUTO_TEST_CASE(options_are_read_and_set) {
  BOOST_TEST(run("get min_size") == "4096\n");
  BOOST_TEST(run("get MIN_SIZE") == "4096\n");
  BOOST_TEST(run("get nothing").starts_with("error: unknown option 'nothing', did you mean"));
  const std::string all = run("get");
  BOOST_TEST(std::count(all.begin(), all.end(), '\n') == config::kOptionCount);
  BOOST_TEST(begins(all, "enabled = 1 (default)\n"));
  BOOST_TEST(run("set pressure=7") == "pressure = 7 (set at run time)\n");
  BOOST_TEST(run("get pressure") == "7\n");
  BOOST_TEST(run("set pressure=none") == "pressure = none (set at run time)\n");
  BOOST_TEST(run("set pressure=x") == "error: option pressure: 'x' is not 1..100 or none");
  BOOST_TEST(run("set pressure") == "error: set: 'pressure' is not NAME=VALUE");
  BOOST_TEST(run("set ") == "error: set: '' is not NAME=VALUE");
}

BOOST_AUTO_TEST_CASE(what_is_no_command_is_answered_with_those_there_are) {
  for (const char* request : {"", " ", "stat", "statistics", "PURGE", "purge\x7f"}) {
    BOOST_TEST(begins(run(request), "error: unknown command '"), request);
  }
  BOOST_TEST(run("purge now") == "error: purge: takes no argument, got 'now'");
  BOOST_TEST(run(std::string(480, 'x')).size() <= 500U + 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace spillway::heap

// SPDX-License-Identifier: MIT
// A server with little to do: five requests a second, nothing live between them. An allocator that
// purges at once pays page faults in every request; one that keeps too much is large.

#include "bench/clock.h"
#include "bench/memory/blocks.h"
#include "bench/memory/random_sizes.h"
#include "bench/memory/workload.h"
#include "bench/page_faults.h"

namespace bench {
namespace {

constexpr std::size_t kBuffers = 4;
constexpr double kPeriodNs = 200e6;

class Server {
 public:
  void serve(int requests, Notebook& notes) {
    for (int request = 0; request < requests; ++request) {
      void* buffers[kBuffers];
      std::size_t bytes = 0;
      notes.live(bytes);
      for (void*& buffer : buffers) {
        const std::size_t size = random_.log_uniform(96 * kKiB, 512 * kKiB);
        buffer = touched_block(size);
        bytes += size;
      }
      notes.live(bytes);
      free_all(buffers);
      notes.live(0);
      due_ += kPeriodNs;
      sleep_until(due_);
    }
  }

 private:
  RandomSizes random_{1};
  double due_ = now_ns();
};

void run(const Effort& effort, Notebook& notes) {
  notes.waiting();
  Server server;
  server.serve(effort.warm_up_requests, notes);
  notes.mark("start");
  const double faults = page_faults();
  server.serve(effort.requests, notes);
  notes.value("faults", (page_faults() - faults) / effort.requests);
  notes.mark("end");
}

std::vector<Row> rows(const std::vector<Trace>& traces) {
  const Trace& trace = traces.front();
  return {row("server/faults", "", trace.value("faults")),
          row("server/rss_mib", "MiB", trace.peak("start", "end") / static_cast<double>(kMiB))};
}

}  // namespace

const Workload kServer{.name = "server", .run = run, .rows = rows};

}  // namespace bench

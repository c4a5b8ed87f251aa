// SPDX-License-Identifier: MIT
// The process that counts: its threads call the allocator, and this thread executes the calls.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "bench/contention/crew.h"
#include "bench/contention/fail.h"
#include "bench/contention/guest.h"
#include "bench/contention/interpreter.h"
#include "bench/contention/kernel.h"
#include "bench/contention/measure.h"
#include "bench/contention/scheduler.h"
#include "bench/contention/symbols.h"
#include "bench/loaded_allocator.h"

namespace bench::contention {
namespace {

constexpr uint64_t kSettlingShare = 4;  // one in so many calls comes before those that count
constexpr unsigned kMaxSeconds = 300;   // SIGALRM ends the process

void send(const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t written = write(STDOUT_FILENO, text.data() + sent, text.size() - sent);
    if (written < 0) {
      fail(std::string("can't tell the counts: ") + std::strerror(errno));
    }
    sent += static_cast<std::size_t>(written);
  }
}

std::string counts_text(const Counts& counts) {
  return std::to_string(counts.instructions) + " " + std::to_string(counts.rmw) + " " +
         std::to_string(counts.fences) + " " + std::to_string(counts.transfers) + " " +
         std::to_string(counts.system_calls);
}

// The first `most` of each of the things that are counted at instructions.
std::string sites_text(const Ledger& ledger, unsigned most) {
  using Entry = std::pair<uint64_t, Counts>;
  std::vector<Entry> all(ledger.sites().begin(), ledger.sites().end());
  std::vector<uint64_t> named;
  std::string text;
  for (const auto field : {&Counts::rmw, &Counts::transfers, &Counts::system_calls}) {
    std::sort(all.begin(), all.end(), [field](const Entry& a, const Entry& b) {
      return a.second.*field != b.second.*field ? a.second.*field > b.second.*field
                                                : a.first < b.first;
    });
    for (std::size_t i = 0; i < std::min<std::size_t>(most, all.size()); ++i) {
      const auto& [address, counts] = all[i];
      if (counts.*field == 0 || std::find(named.begin(), named.end(), address) != named.end()) {
        continue;
      }
      named.push_back(address);
      text += "site " + counts_text(counts) + " " + place_name(address) + "\n";
    }
  }
  return text;
}

std::string result_text(const Ledger& ledger, uint64_t operations, unsigned sites) {
  std::string text = "operations " + std::to_string(operations) + "\n" + "counts " +
                     counts_text(ledger.totals()) + "\n" + "shared_lines " +
                     std::to_string(ledger.shared_lines()) + "\n";
  for (const auto& [name, count] : ledger.calls()) {
    text += "call " + std::to_string(count) + " " + name + "\n";
  }
  return text + sites_text(ledger, sites);
}

[[noreturn]] void count(const Row& row, const Settings& settings) {
  name_failures(row.name.c_str());
  alarm(kMaxSeconds);
  send("malloc_from " + loaded_allocator().file + "\n");
  const unsigned threads = row.plan.threads;
  Plan plan = row.plan;
  plan.seed = settings.seed;
  const auto workload = row.make(plan);
  // Detached threads use it to the end of the process, as they do the workload: none is destroyed.
  auto& crew = *new Crew(*workload, threads);
  const uint64_t turn = std::max<uint64_t>(4 * plan.blocks, 64);
  crew.warm_up(settings.effort.warm_up, turn, process_clock());

  Ledger ledger;
  Kernel kernel(process_clock());
  std::vector<Guest> guests;
  guests.reserve(threads);
  for (unsigned thread = 0; thread < threads; ++thread) {
    guests.emplace_back(thread, crew.thread_base(thread));
  }
  kernel.set_guests(guests);
  Interpreter interpreter(ledger, kernel);
  Scheduler scheduler(*workload, guests, interpreter, kernel, settings.seed);
  const uint64_t calls =
      std::max(settings.effort.counted, settings.effort.rounds * threads * plan.blocks);
  scheduler.run(calls / kSettlingShare);
  ledger.start_counting();
  scheduler.run(calls);
  send(result_text(ledger, calls, settings.sites));
  _exit(0);
}

uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

}  // namespace

void count_if_asked_to(int argc, char** argv) {
  if (argc != 8 || std::strcmp(argv[1], "count-row") != 0) {
    return;
  }
  const Row* const row = find_row(argv[2]);
  if (row == nullptr) {
    fail("count-row: no such row");
  }
  count(*row, {{number(argv[3]), number(argv[4]), number(argv[5])},
               number(argv[6]),
               0,
               0,
               static_cast<unsigned>(number(argv[7]))});
}

}  // namespace bench::contention

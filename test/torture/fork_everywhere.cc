// SPDX-License-Identifier: MIT
// fork_everywhere LIBRARY PROGRAM sample | full FORKS [OPTIONS...]: forks PROGRAM (fork_walk.cc),
// with LIBRARY preloaded, at the instructions of the library that one of its threads comes to.
//
// The thread is stepped by ptrace. At an instruction it stands still while another thread forks; or
// it gets a signal there whose handler forks. A fork waits for threads inside mimalloc, a second at
// most: there it is seen to wait, and the thread is stepped on until it has left; or it stands
// still until the fork goes on without it. Each child has to come to its end.
//
// sample: some of the instructions, once, with the default options. full: all of them, under each
// OPTIONS (as SPILLWAY_CONF); then at the 2nd visit, the 4th and so on, until FORKS are made.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "campaign.h"
#include "check.h"

namespace {

using torture::Campaign;
using torture::Counts;
using torture::Plan;

// Fewer would not be a walk through the allocator.
constexpr uint64_t kMinPoints = 2000;

void say_summary(const Counts& counts) {
  const auto number = [](uint64_t value) { return static_cast<unsigned long>(value); };
  std::printf(
      "%lu instructions, %lu of them inside mimalloc, %lu steps; %lu forks: %lu while the thread "
      "stood "
      "still, %lu in its signal handler, %lu that waited for mimalloc, %lu that did so in vain; "
      "%lu "
      "failures\n",
      number(counts.points), number(counts.inside), number(counts.steps), number(counts.forks()),
      number(counts.frozen), number(counts.in_handler), number(counts.waited),
      number(counts.through), number(counts.failures));
}

// False when the kernel refuses it.
bool run(Plan plan, const std::vector<std::string>& all_options, Counts& counts) {
  for (;; ++plan.round) {
    for (const std::string& options : all_options) {
      std::printf("options '%s', round %u\n", options.c_str(), plan.round);
      Campaign campaign(plan, options, counts);
      campaign.walk();
      if (campaign.is_refused()) {
        return false;
      }
      if (plan.forks == 0 || campaign.is_done() || counts.failures != 0) {
        return true;
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc >= 4);
  Plan plan{.library = argv[1], .program = argv[2]};
  const bool sample = std::strcmp(argv[3], "sample") == 0;
  std::vector<std::string> options;
  if (sample) {
    plan.every = 32;
    plan.gate_every = 10;
    plan.through_every = 4;
    options = {""};
  } else {
    CHECK(argc > 5 && std::strcmp(argv[3], "full") == 0);
    plan.through_every = 50;
    plan.forks = std::strtoull(argv[4], nullptr, 10);
    options.assign(argv + 5, argv + argc);
  }
  Counts counts;
  if (!run(plan, options, counts)) {
    SKIP("the kernel does not let a thread be traced");
  }
  say_summary(counts);
  CHECK_COMPARE(counts.points, >=, kMinPoints);
  // Each kind of fork was made: otherwise the places of fork_gate.cc that are looked at have moved.
  CHECK(counts.frozen != 0 && counts.in_handler != 0 && counts.inside != 0);
  CHECK(counts.waited + counts.through != 0);
  return counts.failures == 0 ? 0 : 1;
}

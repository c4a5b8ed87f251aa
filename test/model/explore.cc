// SPDX-License-Identifier: MIT
#include "test/model/explore.h"

#include <unistd.h>
#include <csignal>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "test/model/machine.h"
#include "test/model/stand_ins.h"

namespace spillway::model {
namespace {

constexpr const char* kReplayVariable = "SPILLWAY_MODEL_SCHEDULE";

const char* name_of(std::memory_order order) {
  constexpr const char* kNames[] = {"relaxed", "consume", "acquire",
                                    "release", "acq_rel", "seq_cst"};
  return kNames[static_cast<int>(order)];
}

// Function and line of each address in the program, as far as addr2line tells: the innermost ones
// that are not the C++ library's.
std::map<const void*, std::string> places_of(const std::vector<Event>& events) {
  std::map<const void*, std::string> places;
  std::string command = "addr2line -C -f -s -p -i -e /proc/" + std::to_string(getpid()) + "/exe";
  for (const Event& event : events) {
    places[event.pc];
  }
  for (const auto& [pc, place] : places) {
    char text[32];
    std::snprintf(text, sizeof text, " %#zx", reinterpret_cast<uintptr_t>(pc) - 1 - load_address());
    command += text;
  }
  FILE* const pipe = popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) {
    return places;
  }
  constexpr std::string_view kInlined = " (inlined by) ";
  auto at = places.end();
  for (char line[4096]; std::fgets(line, sizeof line, pipe) != nullptr;) {
    std::string_view frame(line, std::strcspn(line, "\n"));
    if (frame.starts_with(kInlined)) {
      frame.remove_prefix(kInlined.size());
    } else {
      at = at == places.end() ? places.begin() : std::next(at);
    }
    if (at != places.end() && (at->second.empty() || at->second.starts_with("std::"))) {
      at->second = frame;
    }
  }
  pclose(pipe);
  return places;
}

// What happened where threads met and one wrote, one line an access. Addresses count from the
// world's start.
std::string listing(const Case& one, const std::vector<Event>& all) {
  std::map<uintptr_t, unsigned> threads;
  std::set<uintptr_t> written;
  for (const Event& event : all) {
    threads[event.address] |= 1U << event.thread;
    if (!std::string_view(event.what).ends_with("load")) {
      written.insert(event.address);
    }
  }
  std::vector<Event> events;
  std::copy_if(all.begin(), all.end(), std::back_inserter(events), [&](const Event& event) {
    const unsigned who = threads[event.address];
    return event.address == 0 || ((who & (who - 1)) != 0 && written.contains(event.address));
  });
  const auto places = places_of(events);
  std::string text;
  const auto base = reinterpret_cast<uintptr_t>(one.world);
  for (const Event& event : events) {
    char line[256];
    std::snprintf(
        line, sizeof line, "  %5llu thread %u  %-22s %+8lld  %#llx%s  %s  ",
        static_cast<unsigned long long>(event.step), event.thread, event.what,
        static_cast<long long>(event.address - base), static_cast<unsigned long long>(event.value),
        event.older != 0 ? (" (older by " + std::to_string(event.older) + ")").c_str() : "",
        name_of(event.order));
    text += line + places.at(event.pc) + "\n";
  }
  return text;
}

// A schedule in which a thread follows a pointer that it should not have ends here.
class BadAddresses {
 public:
  BadAddresses() {
    static char stack[64 << 10];
    const stack_t own{.ss_sp = stack, .ss_flags = 0, .ss_size = sizeof stack};
    sigaltstack(&own, nullptr);
    struct sigaction action {};
    action.sa_handler = [](int) { Machine::get().fail("a bad address"); };
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    sigaction(SIGSEGV, &action, &before_);
  }
  ~BadAddresses() { sigaction(SIGSEGV, &before_, nullptr); }
  BadAddresses(const BadAddresses&) = delete;
  BadAddresses& operator=(const BadAddresses&) = delete;

 private:
  struct sigaction before_ {};
};

// One schedule again, with all it does written down.
std::string replay(const Case& one, const std::string& schedule) {
  const BadAddresses caught;
  Machine& machine = Machine::get();
  Machine::get().begin_case(one.bounds);
  hand_over_again();
  machine.places().count_all(true);
  machine.schedule().replay(schedule);
  machine.trace(true);
  restore_world();
  const std::string failure = machine.execute(one);
  machine.trace(false);
  return listing(one, machine.events()) + "  " + (failure.empty() ? "ends well" : failure) + "\n";
}

struct Result {
  uint64_t executions = 0;
  std::string failure;
  std::string schedule;
};

bool execute(const Case& one, Result& result) {
  restore_world();
  ++result.executions;
  Machine& machine = Machine::get();
  const std::string& failure = machine.execute(one);
  if (failure.empty()) {
    return true;
  }
  result.failure = failure;
  result.schedule = machine.schedule().text();
  return false;
}

// At random: finds most of the places that matter before each schedule counts.
bool look_around(const Case& one, Result& result) {
  constexpr int kLooks = 300;
  Machine& machine = Machine::get();
  machine.schedule().wander(true);
  for (int i = 0; i < kLooks; ++i) {
    if (!execute(one, result)) {
      return false;
    }
    machine.places().take_new();
  }
  machine.schedule().wander(false);
  return true;
}

bool run_all(const Case& one, Result& result) {
  Machine& machine = Machine::get();
  machine.schedule().restart();
  do {
    if (!execute(one, result)) {
      return false;
    }
    if (machine.places().take_new()) {
      machine.schedule().restart();
    }
  } while (machine.schedule().next());
  return true;
}

// All of them, or up to the first that ends badly.
Result search(const Case& one) {
  const BadAddresses caught;
  keep_world();
  Machine& machine = Machine::get();
  machine.begin_case(one.bounds);
  hand_over_again();
  Result result;
  bool good = look_around(one, result);
  // Fewer surprises first: what fails with few is understood sooner.
  const unsigned most = std::max(one.bounds.preemptions, one.bounds.older_loads);
  for (unsigned surprises = 0; good && surprises <= most; ++surprises) {
    machine.limit(std::min(surprises, one.bounds.preemptions),
                  std::min(surprises, one.bounds.older_loads));
    good = run_all(one, result);
  }
  return result;
}

}  // namespace

bool run(const Case& one) {
  if (const char* const schedule = std::getenv(kReplayVariable); schedule != nullptr) {
    keep_world();
    std::printf("%s, schedule '%s'\n%s", one.name.c_str(), schedule, replay(one, schedule).c_str());
    return true;
  }
  const auto start = std::chrono::steady_clock::now();
  const Result result = search(one);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  BOOST_TEST_MESSAGE(one.name << ": " << result.executions << " executions, "
                              << Machine::get().places().contended() << " places, "
                              << seconds.count() << " s");
  BOOST_CHECK_MESSAGE(result.failure.empty(), one.name << ": " << result.failure
                                                       << "\nagain: " << kReplayVariable << "='"
                                                       << result.schedule << "'\n"
                                                       << replay(one, result.schedule));
  return result.failure.empty();
}

std::string failure(const Case& one) { return search(one).failure; }

void require(bool condition, const char* what) {
  if (!condition) {
    Machine::get().fail(what);
  }
}

void lose_other_threads() { Machine::get().lose_other_threads(); }
unsigned this_thread() { return Machine::get().thread(); }
void pass_time(uint64_t nanoseconds) { Machine::get().pass_time(nanoseconds); }

}  // namespace spillway::model

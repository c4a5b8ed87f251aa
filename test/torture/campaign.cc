// SPDX-License-Identifier: MIT
#include "campaign.h"

#include <signal.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "check.h"

namespace torture {
namespace {

// Of alloc/mimalloc/fork_gate.cc: how many threads are inside mimalloc, in cache lines of 64 bytes.
constexpr const char* kGateCounters = "_ZN8spillway8mimalloc12_GLOBAL__N_18countersE";
constexpr size_t kGateLines = 16;
constexpr size_t kGateLineWords = 64 / sizeof(int32_t);

// A fork that waits for the gate is given so long to show that it does. Arbitrary.
constexpr std::chrono::milliseconds kShown{10};
constexpr std::chrono::seconds kProgress{10};
constexpr uint64_t kMaxFailures = 20;

}  // namespace

Campaign::Campaign(const Plan& plan, const std::string& options, Counts& counts)
    : plan_(plan),
      options_(options),
      counts_(counts),
      program_(plan.program, plan.library, options) {}

bool Campaign::walk() {
  if (!start()) {
    return false;
  }
  bool alive = stepper_.step();
  while (alive && !is_done() && !hangs_ && counts_.failures < kMaxFailures) {
    if (fork_waits_ && program_.is_answered()) {
      fork_waits_ = false;
      note_child(counts_.waited);
    }
    ++counts_.steps;
    alive = at_instruction();
    say_progress();
  }
  if (alive || hangs_ || counts_.failures >= kMaxFailures) {
    return false;
  }
  if (stepper_.killed_by() != 0) {
    fail("the program was killed by signal " + std::to_string(stepper_.killed_by()));
    return false;
  }
  if (fork_waits_ && program_.await(std::chrono::seconds(kHangSeconds))) {
    fork_waits_ = false;
    note_child(counts_.waited);
  }
  if (fork_waits_ || !program_.order_and_await(Order::kJoin)) {
    fail("the program did not go on after the walk");
    return false;
  }
  return true;
}

bool Campaign::start() {
  if (!program_.order_and_await(Order::kWalk)) {
    fail("the program did not start");
    return false;
  }
  if (!stepper_.seize(program_.shared().walker.load())) {
    refused_ = true;
    return false;
  }
  const auto library = find_library(program_.process(), plan_.library);
  const auto own_code = find_library(program_.process(), plan_.program);
  if (!library || !own_code) {
    fail("no code of the library or the program is mapped; are the paths absolute?");
    return false;
  }
  library_ = *library;
  own_code_ = *own_code;
  const uint64_t counters = symbol_value(plan_.library, kGateCounters);
  if (counters == 0) {
    fail("the library has no symbol for the fork gate's counters");
    return false;
  }
  gate_counters_ = library_.base + counters;
  program_.shared().may_walk.store(1);
  return true;
}

// One step of the thread, which stands at an instruction; false when it has ended.
bool Campaign::at_instruction() {
  if (stepper_.pc() == program_.shared().handler.load()) {
    const bool alive = stepper_.run_to_trap();
    note_handler(alive);
    return alive;
  }
  if (!library_.holds(stepper_.pc())) {
    const bool called = was_inside_ && !own_code_.holds(stepper_.pc());
    was_inside_ = own_code_.holds(stepper_.pc());
    return called ? step_over() : stepper_.step();
  }
  const uint64_t before = was_inside_ ? library_.base + last_offset_ : 0;
  was_inside_ = true;
  const uint64_t offset = stepper_.pc() - library_.base;
  if (offset == last_offset_) {
    return stepper_.step();  // a repeated instruction
  }
  last_offset_ = offset;
  const auto [at, is_new] = points_.try_emplace(offset);
  counts_.points += is_new ? 1 : 0;
  if (is_worn_out(at->second) && stepper_.was_called_from(before)) {
    ++at->second.visits;
    return step_over();
  }
  return stepper_.step(visit(at->second, offset));
}

// Whether most calls of a function that begins here are left out: its loops take most of the steps.
bool Campaign::is_worn_out(const Point& point) const {
  constexpr uint64_t kKnown = 10;
  constexpr uint64_t kLookAgain = 64;
  return point.visits > kKnown && point.visits % kLookAgain != 0;
}

bool Campaign::step_over() {
  const bool alive = stepper_.step_over({library_, own_code_});
  note_handler(alive && stepper_.has_trapped());
  return alive;
}

// The handler may also run late, when signals are let through again.
void Campaign::note_handler(bool has_ended) {
  if (has_ended) {
    signalled_ = false;
    note_child(counts_.in_handler);
  }
}

// Forks as is due here; the signal whose handler is to fork, or 0.
int Campaign::visit(Point& point, uint64_t offset) {
  ++point.visits;
  if (fork_waits_ || signalled_) {
    return 0;
  }
  place_ = offset;
  if (is_due(point, point.frozen, offset, 0)) {
    fork_while_frozen(point);
  }
  if (fork_waits_ || hangs_ || is_done() || !is_due(point, point.in_handler, offset, 1)) {
    return 0;
  }
  ++point.in_handler;
  signalled_ = true;
  return SIGUSR1;
}

void Campaign::fork_while_frozen(Point& point) {
  ++point.frozen;
  const bool inside = gate_is_occupied();
  if (inside && !point.inside) {
    point.inside = true;
    ++counts_.inside;
  }
  if (!inside) {
    if (!program_.order_and_await(Order::kFork)) {
      hangs_ = true;
      return fail("a fork does not end while a thread stands still outside mimalloc");
    }
    return note_child(counts_.frozen);
  }
  // What follows takes time: once for each instruction.
  if (point.frozen > 1 || ++gate_forks_ % plan_.gate_every != 0) {
    return;
  }
  const bool through =
      plan_.through_every != 0 && gate_forks_ / plan_.gate_every % plan_.through_every == 0;
  program_.order(Order::kFork);
  if (program_.await(through ? std::chrono::seconds(kHangSeconds) : kShown)) {
    note_child(through ? counts_.through : counts_.frozen);
  } else if (through) {
    hangs_ = true;
    fail("a fork does not end while a thread stands still inside mimalloc");
  } else {
    fork_waits_ = true;
  }
}

void Campaign::note_child(uint64_t& count) {
  ++count;
  const char* const who = &count == &counts_.in_handler ? "its signal handler" : "another thread";
  const auto status = static_cast<int>(program_.shared().child_status.load());
  if (WIFEXITED(status) && WEXITSTATUS(status) == kChildDone) {
    return;
  }
  fail(std::string("a child of ") + who +
       (WIFSIGNALED(status) ? " was ended by signal " + std::to_string(WTERMSIG(status))
                            : " ended with status " + std::to_string(WEXITSTATUS(status))));
}

// `share`: instructions that are left out for one kind of fork are taken for the other.
bool Campaign::is_due(const Point& point, uint32_t forks, uint64_t offset, uint32_t share) const {
  constexpr uint64_t kMix = 0x9E3779B97F4A7C15;
  if ((((offset * kMix) >> 40) + share) % plan_.every != 0) {
    return false;
  }
  return forks == 0 && point.visits >= uint64_t{1} << plan_.round;
}

bool Campaign::gate_is_occupied() const {
  std::array<int32_t, kGateLines * kGateLineWords> lines{};
  const iovec here{lines.data(), sizeof lines};
  const iovec there{reinterpret_cast<void*>(gate_counters_), sizeof lines};
  if (process_vm_readv(program_.process(), &here, 1, &there, 1, 0) !=
      static_cast<ssize_t>(sizeof lines)) {
    return false;
  }
  int32_t sum = 0;
  for (size_t line = 0; line < kGateLines; ++line) {
    sum += lines[line * kGateLineWords];
  }
  return sum > 0;
}

void Campaign::fail(const std::string& what) {
  ++counts_.failures;
  std::printf("FAILED: %s; options '%s', thread at 0x%lx, %s\n", what.c_str(), options_.c_str(),
              static_cast<unsigned long>(place_), place_of(plan_.library, place_).c_str());
  std::fflush(stdout);
}

void Campaign::say_progress() {
  if (std::chrono::steady_clock::now() - said_ < kProgress) {
    return;
  }
  said_ = std::chrono::steady_clock::now();
  const auto number = [](uint64_t value) { return static_cast<unsigned long>(value); };
  std::printf("%lu forks, %lu instructions, %lu steps\n", number(counts_.forks()),
              number(counts_.points), number(counts_.steps));
  std::fflush(stdout);
}

}  // namespace torture

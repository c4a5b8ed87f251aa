// SPDX-License-Identifier: MIT
#include "alloc/heap/control.h"

#include <algorithm>
#include <atomic>

#include "alloc/base/attributes.h"
#include "alloc/base/bits.h"
#include "alloc/base/line.h"
#include "alloc/control/entry.h"
#include "alloc/control/mailbox.h"
#include "alloc/control/reply.h"
#include "alloc/heap/control_commands.h"
#include "alloc/heap/state.h"
#include "alloc/mimalloc/other_heap.h"
#include "alloc/os/errno_keeper.h"
#include "alloc/os/os.h"
#include "alloc/os/signals_blocked.h"

SPILLWAY_OWN_PAGES constinit spillway::control::Page spillway_control_page{};
constinit spillway::control::Gate spillway_control_gate{};

namespace spillway::heap {
namespace {

using control::Gate;
using control::Page;

constexpr uint64_t kMillisecondNs = 1'000'000;
// Between looks at the gate, at the page while a tool has just asked, and at the page while one
// watches.
constexpr uint32_t kGatePauseMs = 250;
constexpr uint32_t kAskedPauseMs = 2;
constexpr uint32_t kWatchedPauseMs = 20;
constexpr uint64_t kAskedNs = 100 * kMillisecondNs;
// A turn is followed by a pause of as many times its length, up to the longest.
constexpr uint64_t kPauseShare = 99;
constexpr uint64_t kMaxPauseNs = 250 * kMillisecondNs;
constexpr uint32_t kLeaseMs = 2000;  // where the tool does not say
constexpr uint32_t kMinLeaseMs = 100;
constexpr uint32_t kMaxLeaseMs = 10'000;

// From the first look at the page to the end of the lease. The background thread's alone; in a
// forked child its only thread's.
struct Service {
  control::Mailbox mailbox{spillway_control_page};
  control::Reply answer;
  control::Reply snapshots[2];
  uint64_t watch = 0;  // answered last
  uint64_t until_ns = 0;
  uint64_t asked_ns = 0;
  bool leased = false;
};
constinit Service service;

uint64_t lease_ns() {
  const uint32_t wish = spillway_control_page.lease_ms.load(std::memory_order_relaxed);
  const uint32_t milliseconds = wish == 0 ? kLeaseMs : std::clamp(wish, kMinLeaseMs, kMaxLeaseMs);
  return milliseconds * kMillisecondNs;
}

void take_snapshot(uint64_t watch, uint64_t now) {
  control::Reply& text =
      service.snapshots[spillway_control_page.published.load(std::memory_order_relaxed) % 2];
  service.mailbox.begin_snapshot();
  text.clear();
  write_statistics(text, config::StatsFormat::kJson);
  if (!text.is_cut()) {  // without memory tools go on waiting, and say so
    service.mailbox.publish_snapshot(text.view(), watch, now);
  }
}

void serve_request(std::string_view request) {
  control::Reply& answer = service.answer;
  Line<500> error;
  answer.clear();
  if (!run_command(request, answer, error)) {
    service.mailbox.refuse(error.view());
  } else if (answer.is_cut()) {
    service.mailbox.refuse("there is no memory for the answer");
  } else {
    service.mailbox.answer(answer.view());
  }
}

void begin_lease(uint64_t now) {
  service.leased = true;
  service.until_ns = now + lease_ns();
  spillway_control_page.process.store(os::process_id(), std::memory_order_relaxed);
}

void end_lease() {
  service.leased = false;
  service.mailbox.withdraw();
  service.answer.release();
  for (control::Reply& text : service.snapshots) {
    text.release();
  }
}

// Whether a tool asked for something.
bool serve_page(uint64_t now) {
  Page& page = spillway_control_page;
  // relaxed, all: another process looks, through the kernel.
  page.looks.fetch_add(1, std::memory_order_relaxed);
  bool asked = false;
  const uint64_t watch = page.watch.load(std::memory_order_relaxed);
  if (watch != service.watch) {
    service.watch = watch;
    take_snapshot(watch, now);
    asked = true;
  }
  std::string_view request;
  if (service.mailbox.take(request)) {
    serve_request(request);
    asked = true;
  }
  if (asked) {
    service.asked_ns = now;
    service.until_ns = std::max(service.until_ns, now + lease_ns());
  }
  return asked;
}

}  // namespace

void open_control() {
  using State = Gate::State;
  State state = State::kOpen;
  if (mimalloc::has_other_heap()) {
    state = State::kOtherHeap;
  } else if (os::is_privileged()) {
    state = State::kPrivileged;
  } else if (options().choice<config::Control>(config::Option::control) == config::Control::kOff) {
    state = State::kOff;
  }
  // relaxed: tools look, through the kernel.
  spillway_control_gate.state.store(state, std::memory_order_relaxed);
}

void admit_user() {
  if (options().choice<config::Control>(config::Option::control) == config::Control::kUser) {
    os::let_user_debug();
  }
}

NextTurn serve_control() {
  Gate& gate = spillway_control_gate;
  // relaxed: set at the start.
  if (gate.state.load(std::memory_order_relaxed) != Gate::State::kOpen) {
    return {.milliseconds = NextTurn::kNever};
  }
  // relaxed: another process wrote the page first, through the kernel.
  const bool knocked = gate.knock.load(std::memory_order_relaxed) != 0;
  if (!service.leased && !knocked) {
    return {.milliseconds = kGatePauseMs};
  }
  gate.knock.store(0, std::memory_order_relaxed);
  const uint64_t began = os::monotonic_ns();
  if (!service.leased) {
    begin_lease(began);
  }
  const bool asked = serve_page(began);
  const uint64_t now = os::monotonic_ns();
  if (now >= service.until_ns) {
    end_lease();
    return {.milliseconds = kGatePauseMs};
  }
  const uint64_t min_ms =
      !asked && now - service.asked_ns < kAskedNs ? kAskedPauseMs : kWatchedPauseMs;
  const uint64_t rest_ns = std::min((now - began) * kPauseShare, kMaxPauseNs);
  return {
      .milliseconds = static_cast<uint32_t>(std::max(min_ms, divide_up(rest_ns, kMillisecondNs))),
      .keeps_thread = true};
}

void start_serving() {
  // relaxed: a knock that can't be answered is forgotten, and the tool says so.
  if (spillway_control_gate.state.load(std::memory_order_relaxed) != Gate::State::kOpen) {
    spillway_control_gate.knock.store(0, std::memory_order_relaxed);
  } else if (os::in_own_process() && !start_background()) {
    spillway_control_gate.knock.store(0, std::memory_order_relaxed);
  }
}

void forget_control_after_fork() {
  // relaxed: the only thread there is.
  spillway_control_gate.knock.store(0, std::memory_order_relaxed);
  if (service.leased) {
    end_lease();
  }
  control::forget_entry_after_fork();
}

}  // namespace spillway::heap

// In a thread that a tool set on the entry.
extern "C" void spillway_control_woken() {
  namespace heap = spillway::heap;
  using spillway::control::Gate;
  using spillway::control::Page;
  const spillway::os::SignalsBlocked blocked;
  const spillway::os::ErrnoKeeper keeper;
  Page& page = spillway_control_page;
  Page::Woken outcome = Page::Woken::kClosed;
  if (spillway_control_gate.state.load(std::memory_order_relaxed) == Gate::State::kOpen) {
    if (heap::is_in_background(false)) {
      outcome = Page::Woken::kThere;
    } else if (spillway::os::in_own_process() && heap::resume_background()) {
      outcome = Page::Woken::kStarted;
    } else {
      outcome = Page::Woken::kNoThread;
    }
  }
  // relaxed, both: the tool looks, through the kernel.
  page.woken.store(outcome, std::memory_order_relaxed);
  page.wakes.fetch_add(1, std::memory_order_relaxed);
}

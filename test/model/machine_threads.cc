// SPDX-License-Identifier: MIT
// The machine's threads, and executions from their start to their end.
#include <algorithm>
#include <stdexcept>

#include "test/model/machine.h"

namespace spillway::model {

bool Machine::is_eligible(unsigned thread) const {
  return alive_[thread] && (!yielded_[thread] || yielded_at_[thread] != writes_);
}

void Machine::change_to(unsigned thread) {
  moved_ = false;
  yielded_[thread] = false;
  threads_.change_to(thread);
}

void Machine::point() {
  if (!moved_ && !schedule_.is_replay()) {
    return;  // the thread that was here before could have been interrupted for the other at once
  }
  if (schedule_.is_replay()) {
    const unsigned current = threads_.current();
    const uint32_t next = schedule_.replayed(step_, Schedule::Kind::kThread, current);
    if (next != current && next < kMaxThreads && alive_[next]) {
      schedule_.note(step_, Schedule::Kind::kThread, next);
      change_to(next);
    }
    return;
  }
  if (preemptions_ >= bounds_.preemptions) {
    return;
  }
  unsigned candidates[kMaxThreads];
  unsigned count = 0;
  for (unsigned thread = 0; thread < bounds_.threads; ++thread) {
    if (thread != threads_.current() && is_eligible(thread)) {
      candidates[count++] = thread;
    }
  }
  const uint32_t picked = schedule_.pick(count + 1);
  if (picked != 0) {
    ++preemptions_;
    schedule_.note(step_, Schedule::Kind::kThread, candidates[picked - 1]);
    change_to(candidates[picked - 1]);
  }
}

void Machine::pick_and_change(const unsigned* candidates, unsigned count, bool waits) {
  uint32_t picked = 0;
  if (schedule_.is_replay()) {
    const uint32_t next = schedule_.replayed(step_, Schedule::Kind::kThread, candidates[0]);
    picked = static_cast<uint32_t>(std::find(candidates, candidates + count, next) - candidates);
    picked = picked == count ? 0 : picked;
  } else {
    picked = schedule_.pick(waits && preemptions_ >= bounds_.preemptions ? 1 : count);
  }
  if (picked != 0) {
    preemptions_ += waits ? 1 : 0;
    schedule_.note(step_, Schedule::Kind::kThread, candidates[picked]);
  }
  change_to(candidates[picked]);
}

void Machine::change(bool waits) {
  ++step_;
  // In turn, so that a thread that waits meets each of the others.
  const unsigned current = threads_.current();
  const unsigned first = current < bounds_.threads ? current + 1 : 0;
  unsigned candidates[kMaxThreads];
  unsigned count = 0;
  for (unsigned i = 0; i < bounds_.threads; ++i) {
    const unsigned thread = (first + i) % bounds_.threads;
    if (is_eligible(thread)) {
      candidates[count++] = thread;
    }
  }
  if (count != 0) {
    return pick_and_change(candidates, count, waits);
  }
  // All wait: time passes, faster and faster, so that long waits end, too.
  for (unsigned i = 1; i <= bounds_.threads; ++i) {
    const unsigned next = (current + i) % bounds_.threads;
    if (alive_[next]) {
      idle_ns_ = std::max<uint64_t>(2 * idle_ns_, 1'000'000);
      now_ns_ += idle_ns_;
      return next == current ? static_cast<void>(yielded_[next] = false) : change_to(next);
    }
  }
  change_to(kFinishing);
}

void Machine::yield() {
  if (!is_running()) {
    now_ns_ += 1'000'000;
    return;
  }
  const unsigned current = threads_.current();
  yielded_[current] = true;
  yielded_at_[current] = writes_;
  change(true);
}

void Machine::barrier_in_all_threads() {
  if (!is_running()) {
    return;
  }
  const unsigned current = threads_.current();
  memory_.fence(current, std::memory_order_seq_cst);
  for (unsigned thread = 0; thread < bounds_.threads; ++thread) {
    if (thread != current) {
      ++step_;
      moved_ = true;
      point();
      // Of one that ended, too: its processor went on to something else since.
      memory_.fence(thread, std::memory_order_seq_cst);
    }
  }
  memory_.fence(current, std::memory_order_seq_cst);
}

void Machine::lose_other_threads() {
  ++step_;
  for (unsigned thread = 0; thread < kMaxThreads; ++thread) {
    alive_[thread] = alive_[thread] && thread == threads_.current();
  }
  lost_ = true;
  memory_.know_all(threads_.current());
}

void Machine::fail(const std::string& why) {
  if (threads_.current() == Threads::kOutside) {
    throw std::runtime_error("at the start: " + why);
  }
  failure_ = why;
  lost_ = true;
  threads_.change_to(Threads::kOutside);
  __builtin_unreachable();
}

void Machine::body(unsigned number) {
  if (number == kFinishing) {
    case_->finish(case_->world);
    threads_.change_to(Threads::kOutside);
    return;
  }
  case_->thread(case_->world, number);
  alive_[number] = false;
  change(false);
}

// --- explorations

void Machine::begin_case(const Bounds& bounds) {
  bounds_ = bounds;
  places_.clear();
  schedule_ = {};
  traced_ = false;
  events_.clear();
  threads_.abandon_all();
  threads_.set_body([this](unsigned number) { body(number); });
}

const std::string& Machine::execute(const Case& one) {
  case_ = &one;
  failure_.clear();
  events_.clear();
  memory_.begin(schedule_.is_replay() ? WeakMemory::kMaxPlaces : places_.contended());
  schedule_.begin();
  step_ = writes_ = idle_ns_ = 0;
  now_ns_ = 2 * kStartNs;
  preemptions_ = older_loads_ = 0;
  lost_ = false;
  for (unsigned thread = 0; thread < kMaxThreads; ++thread) {
    alive_[thread] = thread < bounds_.threads;
    yielded_[thread] = false;
  }
  change(false);
  if (lost_) {
    threads_.abandon_all();
  }
  return failure_;
}

}  // namespace spillway::model

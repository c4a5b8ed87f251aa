// SPDX-License-Identifier: MIT
#include "bench/trace/replay/plan.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace bench::trace {
namespace {

constexpr std::uint32_t kSlotsPerLine = 8;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::system_category(), what);
}

struct Place {
  std::uint64_t size;
  std::uint32_t slot;
};

}  // namespace

int Plan::make(const Recording& recording) {
  const int file = memfd_create("trace", 0);
  const std::size_t bytes = kHeadBytes + recording.events.size() * sizeof(Step);
  if (file < 0 || ftruncate(file, static_cast<off_t>(bytes)) != 0) {
    fail("memory for the trace");
  }
  const Plan plan(file);
  Head& head = plan.head();
  head.threads = recording.threads;

  std::vector<std::uint32_t> steps(recording.threads, 0);
  std::vector<std::uint32_t> blocks(recording.threads, 0);
  for (const Event& event : recording.events) {
    ++steps[event.thread];
    blocks[event.thread] += makes_block(event.op) ? 1U : 0U;
  }
  std::vector<std::uint32_t> next_step, next_slot;
  std::uint32_t step = 0;
  for (unsigned thread = 0; thread < recording.threads; ++thread) {
    next_step.push_back(step);
    next_slot.push_back(head.slots);
    head.first[thread] = step;
    step += steps[thread];
    // No line has blocks of two threads.
    head.slots += (blocks[thread] + kSlotsPerLine - 1) / kSlotsPerLine * kSlotsPerLine;
  }
  head.first[recording.threads] = step;

  std::vector<Place> places;
  places.reserve(recording.blocks);
  std::uint32_t position = 0;
  for (const Event& event : recording.events) {
    Step& one = plan.all()[next_step[event.thread]++];
    one.op = event.op;
    one.position = position++;
    one.alignment_log2 = event.alignment_log2;
    if (ends_block(event.op)) {
      one.ended = places[event.ended].slot;
      one.old_size = event.op == Op::kRealloc ? places[event.ended].size : 0;
    }
    if (makes_block(event.op)) {
      one.size = std::max<std::uint64_t>(event.size, 1);
      one.made = next_slot[event.thread]++;
      places.push_back({one.size, one.made});
    }
  }
  return file;
}

Plan::Plan(int file) {
  struct stat facts {};
  if (fstat(file, &facts) != 0) {
    fail("the plan");
  }
  bytes_ = static_cast<std::size_t>(facts.st_size);
  start_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  if (start_ == MAP_FAILED) {
    fail("the plan");
  }
}

Plan::~Plan() { munmap(start_, bytes_); }

std::span<const Step> Plan::steps(unsigned thread) const {
  return {all() + head().first[thread], all() + head().first[thread + 1]};
}

}  // namespace bench::trace

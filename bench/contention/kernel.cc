// SPDX-License-Identifier: MIT
#include "bench/contention/kernel.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <iterator>

namespace bench::contention {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
uint64_t nanoseconds(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
}

uint64_t as_result(int error) { return static_cast<uint64_t>(-static_cast<int64_t>(error)); }

uint32_t value_at(uint64_t address) {
  // seq_cst: as the kernel's own look at the word, ordered with everything.
  return std::atomic_ref(*reinterpret_cast<uint32_t*>(address)).load();
}

// As the instruction does: rcx and r11 hold what it changes.
void finish(Registers& registers, uint64_t result) {
  registers.general[kRax] = result;
  registers.general[kRcx] = registers.rip;
  registers.general[kR11] = registers.flags;
}

constexpr uint64_t kThreadWithoutTurn = uint64_t{1} << 22;  // above the kernel's own numbers

}  // namespace

void Kernel::executed(uint64_t instructions) {
  const uint64_t per_nanosecond = 2 * std::max<std::size_t>(guests_.size(), 1);
  rest_ += instructions;
  clock_.advance_to(clock_.now_ns() + rest_ / per_nanosecond);
  rest_ %= per_nanosecond;
}

Kernel::Answer Kernel::call(Guest& guest, Registers& registers) {
  const uint64_t* const r = registers.general;
  const auto* const span =
      reinterpret_cast<const timespec*>(r[kRax] == SYS_clock_nanosleep ? r[kRdx] : r[kRdi]);
  switch (r[kRax]) {
    case SYS_futex:
      return futex(guest, registers);
    case SYS_sched_yield:
      finish(registers, 0);
      return Answer::kYields;
    case SYS_nanosleep:
      finish(registers, 0);
      return wait(guest, 0, 0, clock_.now_ns() + nanoseconds(*span));
    case SYS_clock_nanosleep:
      if (r[kRsi] != 0) {
        fail("clock_nanosleep until a point of time is not supported");
      }
      finish(registers, 0);
      return wait(guest, 0, 0, clock_.now_ns() + nanoseconds(*span));
    case SYS_clock_gettime:
      finish(registers,
             clock_.read(static_cast<clockid_t>(r[kRdi]), reinterpret_cast<timespec*>(r[kRsi])) == 0
                 ? 0
                 : as_result(errno));
      return Answer::kDone;
    case SYS_clone:
      // A thread of the allocator's own, for its housekeeping: its turn does not come.
      if ((r[kRdi] & CLONE_THREAD) == 0) {
        fail("a process that begins is not supported");
      }
      finish(registers, kThreadWithoutTurn);
      return Answer::kDone;
    default:
      return Answer::kReal;
  }
}

Kernel::Answer Kernel::futex(Guest& guest, Registers& registers) {
  const uint64_t* const r = registers.general;
  const uint64_t address = r[kRdi];
  const auto* const time = reinterpret_cast<const timespec*>(r[kR10]);
  const auto operation = static_cast<int>(r[kRsi]);
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      const auto value = static_cast<uint32_t>(r[kRdx]);
      if (value_at(address) != value) {
        finish(registers, as_result(EAGAIN));
        return Answer::kDone;
      }
      uint64_t until = 0;
      if (time != nullptr) {
        const bool absolute = (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
        const bool real = (operation & FUTEX_CLOCK_REALTIME) != 0;
        const uint64_t start = clock_.start_ns(real ? CLOCK_REALTIME : CLOCK_MONOTONIC);
        const uint64_t given = nanoseconds(*time);
        until = absolute ? given - std::min(given, start) : clock_.now_ns() + given;
        until = std::max<uint64_t>(until, 1);
      }
      finish(registers, 0);
      return wait(guest, address, value, until);
    }
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET: {
      const auto most = static_cast<uint64_t>(std::max(0, static_cast<int>(r[kRdx])));
      const uint64_t woken = wake(address, most);
      // A thread that is no guest may really wait for it.
      const long others =
          woken < most ? syscall(SYS_futex, address, FUTEX_WAKE | (operation & FUTEX_PRIVATE_FLAG),
                                 most - woken, nullptr, nullptr, 0)
                       : 0;
      finish(registers, woken + static_cast<uint64_t>(std::max(others, 0L)));
      return Answer::kDone;
    }
    default:
      fail("a futex operation other than waiting and waking is not supported");
  }
}

Kernel::Answer Kernel::wait(Guest& guest, uint64_t address, uint32_t value, uint64_t until_ns) {
  guest.waiting = true;
  guest.waits_for = address;
  guest.waits_while = value;
  guest.queue_place = ++waits_;
  guest.until_ns = until_ns;
  return Answer::kWaits;
}

uint64_t Kernel::wake(uint64_t address, uint64_t most) {
  uint64_t woken = 0;
  for (; woken < most; ++woken) {
    Guest* first = nullptr;
    for (Guest& guest : guests_) {
      if (guest.waiting && guest.waits_for == address &&
          (first == nullptr || guest.queue_place < first->queue_place)) {
        first = &guest;
      }
    }
    if (first == nullptr) {
      break;
    }
    end_wait(*first, 0);
  }
  return woken;
}

void Kernel::end_wait(Guest& guest, int64_t result) {
  guest.waiting = false;
  guest.registers.general[kRax] = static_cast<uint64_t>(result);
}

void Kernel::look_again(Guest& guest) {
  if (guest.waits_for != 0 && value_at(guest.waits_for) != guest.waits_while) {
    end_wait(guest, 0);
  } else if (guest.until_ns != 0 && guest.until_ns <= clock_.now_ns()) {
    end_wait(guest, guest.waits_for != 0 ? -ETIMEDOUT : 0);
  }
}

void Kernel::pass_time() {
  uint64_t first = UINT64_MAX;
  for (const Guest& guest : guests_) {
    if (guest.waiting && guest.until_ns != 0) {
      first = std::min(first, guest.until_ns);
    }
  }
  if (first != UINT64_MAX) {
    clock_.advance_to(std::max(first, clock_.now_ns()));
    return;
  }
  constexpr int kMaxPauses = 1000;
  if (++pauses_ > kMaxPauses) {
    fail("all threads wait, and none is left to wake them");
  }
  usleep(1000);
}

}  // namespace bench::contention

// SPDX-License-Identifier: MIT
// The control page: how tools of the same user, or root's, see and steer a running process. It lies
// in the process's own memory, is all zero until a tool asks, and nothing is opened for it. Tools
// find it by the note (note.cc), and read and write it through /proc/PID/mem, which the kernel
// opens for debuggers of the process.
//
// What tools write is believed in nothing: it is copied, bounded and checked (mailbox.h). Several
// tools may write at once.
//
// The offsets are the protocol; scripts/spillway_cli/attach/ has the other side.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace spillway::control {

inline constexpr uint32_t kProtocol = 1;

// Words that are read when no tool asks; not on the page, so that it stays untouched.
struct Gate {
  // The tool's: not 0 when there is something to look at on the page.
  std::atomic<uint32_t> knock{0};
  // The process's.
  enum class State : uint32_t { kNotStarted, kOpen, kOff, kPrivileged, kOtherHeap };
  std::atomic<State> state{State::kNotStarted};
};

// All atomics are relaxed unless a line says otherwise; the kernel copies for the other side.
struct Page {
  // --- the tool's ---
  // Any change asks for a fresh snapshot, and renews the lease: the background thread serves so
  // long.
  std::atomic<uint64_t> watch;
  std::atomic<uint32_t> lease_ms;
  // A request: text and length, a checksum over id and text, and last the id, a random number.
  std::atomic<uint32_t> request_length;
  std::atomic<uint64_t> request_check;
  std::atomic<uint64_t> request_id;
  static constexpr size_t kMaxRequest = 480;
  char request[kMaxRequest];

  // --- the process's ---
  std::atomic<uint64_t> looks;  // at the page so far: rises while a thread serves
  // The answer to the request `answered_id`, which is written last. `answering_id` is written
  // before anything of it changes: an answer that was read is whole if both are still the same.
  std::atomic<uint64_t> answering_id;
  std::atomic<uint64_t> answered_id;
  std::atomic<uint64_t> answer_address;
  std::atomic<uint64_t> answer_length;
  std::atomic<uint32_t> answer_is_error;
  std::atomic<uint32_t> process;  // the id in its own namespace
  // Snapshots in JSON, two in turns: number n is described by snapshots[n % 2], the newest is
  // `published`, and one that was read is whole if `begun` was below its number + 2 then.
  struct Snapshot {
    std::atomic<uint64_t> watch;  // what it answers
    std::atomic<uint64_t> taken_ns;
    std::atomic<uint64_t> address;
    std::atomic<uint64_t> length;
  };
  std::atomic<uint64_t> begun;
  std::atomic<uint64_t> published;
  Snapshot snapshots[2];
  // Of the entry (entry.cc): how often it ran, and what came of the last time.
  enum class Woken : uint32_t { kNever, kStarted, kThere, kNoThread, kClosed };
  std::atomic<uint32_t> wakes;
  std::atomic<Woken> woken;
  // An answer for which there is no memory, or an error: one line.
  static constexpr size_t kMaxError = 500;
  char error[kMaxError];
};

static_assert(offsetof(Page, watch) == 0 && offsetof(Page, lease_ms) == 8 &&
              offsetof(Page, request_length) == 12 && offsetof(Page, request_check) == 16 &&
              offsetof(Page, request_id) == 24 && offsetof(Page, request) == 32);
static_assert(offsetof(Page, looks) == 512 && offsetof(Page, answering_id) == 520 &&
              offsetof(Page, answered_id) == 528 && offsetof(Page, answer_address) == 536 &&
              offsetof(Page, answer_length) == 544 && offsetof(Page, answer_is_error) == 552 &&
              offsetof(Page, process) == 556 && offsetof(Page, begun) == 560 &&
              offsetof(Page, published) == 568 && offsetof(Page, snapshots) == 576 &&
              sizeof(Page::Snapshot) == 32 && offsetof(Page, wakes) == 640 &&
              offsetof(Page, woken) == 644 && sizeof(Page) <= 4096);

// FNV-1a over the id's bytes, lowest first, and the text.
constexpr uint64_t checksum(uint64_t id, const char* text, size_t length) {
  constexpr uint64_t kPrime = 0x100000001b3;
  uint64_t hash = 0xcbf29ce484222325;
  for (int byte = 0; byte < 8; ++byte) {
    hash = (hash ^ (id >> (8 * byte) & 0xff)) * kPrime;
  }
  for (size_t i = 0; i < length; ++i) {
    hash = (hash ^ static_cast<unsigned char>(text[i])) * kPrime;
  }
  return hash;
}

}  // namespace spillway::control

// Zero pages and words of the library; C names, for the note.
extern "C" {
[[gnu::visibility("hidden")]] extern constinit spillway::control::Page spillway_control_page;
[[gnu::visibility("hidden")]] extern constinit spillway::control::Gate spillway_control_gate;
}

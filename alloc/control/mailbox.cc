// SPDX-License-Identifier: MIT
#include "alloc/control/mailbox.h"

#include <algorithm>
#include <atomic>

#include "alloc/base/text.h"

namespace spillway::control {
namespace {

bool is_printable(char c) { return c >= ' ' && c < 0x7f; }

}  // namespace

bool Mailbox::take(std::string_view& request) {
  // relaxed, all: another process writes, through the kernel; the checksum tells what is whole.
  const uint64_t id = page_.request_id.load(std::memory_order_relaxed);
  if (id == taken_id_ || id == 0) {
    return false;
  }
  const uint32_t length = page_.request_length.load(std::memory_order_relaxed);
  const uint64_t check = page_.request_check.load(std::memory_order_relaxed);
  const size_t copied = std::min<size_t>(length, sizeof copy_);
  const volatile char* const text = page_.request;  // may change while it is copied
  std::copy_n(text, copied, copy_);
  if (length <= sizeof copy_ && check != checksum(id, copy_, length)) {
    return false;
  }
  taken_id_ = id;
  if (length > sizeof copy_) {
    refuse("the request is too long");
    return false;
  }
  if (!std::all_of(copy_, copy_ + length, is_printable)) {
    refuse("the request is not printable ASCII");
    return false;
  }
  request = {copy_, length};
  return true;
}

void Mailbox::publish(std::string_view text, bool is_error) {
  page_.answer_address.store(reinterpret_cast<uintptr_t>(text.data()), std::memory_order_relaxed);
  page_.answer_length.store(text.size(), std::memory_order_relaxed);
  page_.answer_is_error.store(is_error ? 1 : 0, std::memory_order_relaxed);
  // release: the text is there; the reader is in another process and looks twice.
  page_.answered_id.store(taken_id_, std::memory_order_release);
}

void Mailbox::answer(std::string_view text) {
  page_.answering_id.store(taken_id_, std::memory_order_relaxed);
  publish(text, false);
}

void Mailbox::refuse(std::string_view line) {
  page_.answering_id.store(taken_id_, std::memory_order_relaxed);
  // release: before the line changes; the reader looks at the id after it.
  std::atomic_thread_fence(std::memory_order_release);
  const std::string_view cut = first_part(line, sizeof page_.error);
  std::copy(cut.begin(), cut.end(), page_.error);
  publish({page_.error, cut.size()}, true);
}

void Mailbox::withdraw() {
  // relaxed, all, between two fences: readers look at address and length, read the text, and look
  // again.
  page_.answering_id.store(0, std::memory_order_relaxed);
  page_.answer_length.store(0, std::memory_order_relaxed);
  for (Page::Snapshot& snapshot : page_.snapshots) {
    snapshot.length.store(0, std::memory_order_relaxed);
  }
  // As many as make whatever was read until now an old one.
  page_.begun.store(page_.begun.load(std::memory_order_relaxed) + 2, std::memory_order_relaxed);
  page_.published.store(page_.begun.load(std::memory_order_relaxed), std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Mailbox::begin_snapshot() {
  page_.begun.store(page_.published.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // release: before the text changes; the reader looks at `begun` after it.
  std::atomic_thread_fence(std::memory_order_release);
}

void Mailbox::publish_snapshot(std::string_view text, uint64_t watch, uint64_t taken_ns) {
  const uint64_t number = page_.begun.load(std::memory_order_relaxed);
  Page::Snapshot& snapshot = page_.snapshots[number % 2];
  snapshot.watch.store(watch, std::memory_order_relaxed);
  snapshot.taken_ns.store(taken_ns, std::memory_order_relaxed);
  snapshot.address.store(reinterpret_cast<uintptr_t>(text.data()), std::memory_order_relaxed);
  snapshot.length.store(text.size(), std::memory_order_relaxed);
  // release: the text and its description are there.
  page_.published.store(number, std::memory_order_release);
}

}  // namespace spillway::control

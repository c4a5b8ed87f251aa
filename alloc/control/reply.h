// SPDX-License-Identifier: MIT
// The text of an answer: memory of its own, which grows as it has to and goes back at the end.
#pragma once

#include <cstddef>
#include <string_view>

namespace spillway::control {

class Reply {
 public:
  constexpr Reply() = default;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  void clear();
  // False when the kernel has no memory for it, or the text would be longer than kMaxBytes: what
  // was appended so far is there.
  bool append(std::string_view text);
  std::string_view view() const { return {memory_, length_}; }
  // Whether an append() since the last clear() failed.
  bool is_cut() const { return is_cut_; }
  // As if an append() had failed.
  void cut() { is_cut_ = true; }
  // Gives the memory back.
  void release();

 private:
  static constexpr size_t kMinBytes = size_t{256} << 10;
  static constexpr size_t kMaxBytes = size_t{256} << 20;

  bool grow(size_t bytes);

  char* memory_ = nullptr;
  size_t capacity_ = 0;
  size_t length_ = 0;
  bool is_cut_ = false;
};

}  // namespace spillway::control

// SPDX-License-Identifier: MIT
#include "alloc/control/reply.h"

#include <algorithm>
#include <cstring>

#include "alloc/os/os.h"

namespace spillway::control {

void Reply::clear() {
  length_ = 0;
  is_cut_ = false;
}

bool Reply::append(std::string_view text) {
  if (is_cut_ || (text.size() > capacity_ - length_ && !grow(length_ + text.size()))) {
    is_cut_ = true;
    return false;
  }
  std::memcpy(memory_ + length_, text.data(), text.size());
  length_ += text.size();
  return true;
}

bool Reply::grow(size_t bytes) {
  size_t capacity = std::max(capacity_, kMinBytes);
  while (capacity < bytes && capacity < kMaxBytes) {
    capacity *= 2;
  }
  void* const memory =
      capacity >= bytes ? os::reserve(capacity, os::Access::kReadWrite, nullptr) : nullptr;
  if (memory == nullptr) {
    return false;
  }
  const size_t length = length_;
  if (length != 0) {
    std::memcpy(memory, memory_, length);
  }
  release();
  memory_ = static_cast<char*>(memory);
  capacity_ = capacity;
  length_ = length;
  return true;
}

void Reply::release() {
  if (memory_ != nullptr) {
    os::release(memory_, capacity_);
  }
  memory_ = nullptr;
  capacity_ = 0;
  clear();
}

}  // namespace spillway::control

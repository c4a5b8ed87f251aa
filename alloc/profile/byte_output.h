// SPDX-License-Identifier: MIT
// Bytes on their way to where a profile is wanted, gathered into large pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alloc/os/os.h"

namespace spillway::profile {

// Where they go: `write` takes all of `bytes`, or returns false, and is not asked again then.
struct ByteSink {
  bool (*write)(void* owner, std::string_view bytes);
  void* owner;
};

// What waits for a reader waits a second in all.
class DescriptorSink {
 public:
  explicit DescriptorSink(int descriptor) : descriptor_(descriptor) {}
  ByteSink sink() {
    return {.write =
                [](void* owner, std::string_view bytes) {
                  auto& self = *static_cast<DescriptorSink*>(owner);
                  return os::write_text(self.descriptor_, bytes, self.patience_);
                },
            .owner = this};
  }

 private:
  int descriptor_;
  os::Patience patience_;
};

class ByteOutput {
 public:
  static constexpr size_t kBufferBytes = 4096;

  // `buffer` has kBufferBytes.
  ByteOutput(ByteSink sink, char* buffer) : sink_(sink), buffer_(buffer) {}
  ByteOutput(const ByteOutput&) = delete;
  ByteOutput& operator=(const ByteOutput&) = delete;

  void put(uint8_t byte) {
    if (length_ == kBufferBytes) {
      flush();
    }
    buffer_[length_++] = static_cast<char>(byte);
  }
  void put(std::string_view bytes) {
    for (const char byte : bytes) {
      put(static_cast<uint8_t>(byte));
    }
  }
  // Writes the rest; false when some of it all was not written.
  bool finish() {
    flush();
    return good_;
  }

 private:
  void flush() {
    good_ = good_ && sink_.write(sink_.owner, {buffer_, length_});
    length_ = 0;
  }

  ByteSink sink_;
  char* buffer_;
  size_t length_ = 0;
  bool good_ = true;
};

}  // namespace spillway::profile

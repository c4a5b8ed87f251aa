// SPDX-License-Identifier: MIT
// ForeignBuffer: owns a RawBuffer until a C interface takes it. Here send() owns the memory when it
// has succeeded:
//
//   int send(void* data, size_t size, void (*free)(void* data, void* hint), void* hint);
//
//   auto bytes = spillway::ForeignBuffer::from(std::move(buffer));
//   if (send(bytes.data(), bytes.size(), bytes.free_function(), bytes.hint()) == 0) {
//     bytes.release();    // otherwise the memory is still owned here
//   }
//
// Units: sizes are bytes.
// Errors: an object that was given no memory owns nothing. Nothing throws.
// Thread-safety: that of a std::unique_ptr; the memory may be given back by any thread, also after
// the pool is gone.
// Cost: a few moves of pointers, and what the free function takes. Nothing allocates.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "spillway/abi.h"
#include "spillway/buffer.h"

namespace spillway {
inline namespace SPILLWAY_ABI {

// Memory with a function that gives it back, called at the object's end.
class ForeignBuffer {
 public:
  // Nothing: null, size 0.
  ForeignBuffer() noexcept = default;
  // Owns `raw`, also one whose memory is of no pool; such memory must not be asked for to_buffer().
  // Owns nothing when it has no free_function.
  explicit ForeignBuffer(const RawBuffer& raw) noexcept : raw_(raw) {}
  // `buffer` is empty then. Owns nothing when it was without memory. Cost: RawBuffer::from()'s.
  static ForeignBuffer from(Buffer&& buffer) noexcept {
    return buffer ? ForeignBuffer(RawBuffer::from(std::move(buffer))) : ForeignBuffer();
  }

  // Takes what `other` owns.
  ForeignBuffer(ForeignBuffer&& other) noexcept : raw_(other.release()) {}
  // Gives its own memory back, and takes what `other` owns.
  ForeignBuffer& operator=(ForeignBuffer&& other) noexcept {
    ForeignBuffer(std::move(other)).swap(*this);
    return *this;
  }
  // Calls the free function, unless there is nothing.
  ~ForeignBuffer() {
    if (raw_.free_function != nullptr) {
      raw_.free_function(raw_.data, raw_.hint);
    }
  }

  // Whether there is something to give back.
  explicit operator bool() const noexcept { return raw_.free_function != nullptr; }
  // The first byte.
  void* data() const noexcept { return raw_.data; }
  // Bytes from data() on.
  size_t size() const noexcept { return raw_.size; }
  // The bytes.
  std::span<std::byte> span() const noexcept {
    return {static_cast<std::byte*>(raw_.data), raw_.size};
  }
  // What gives the memory back; null when there is none.
  RawBuffer::FreeFunction free_function() const noexcept { return raw_.free_function; }
  // For the free function.
  void* hint() const noexcept { return raw_.hint; }

  // Ends the ownership: the caller calls the result's free_function once, or puts it into a
  // ForeignBuffer again. Does not touch the memory, so it may be gone already.
  RawBuffer release() noexcept { return std::exchange(raw_, RawBuffer()); }

  // The buffer that from() was given, with size and capacity as they were. Only for memory of a
  // pool; an empty buffer when there is nothing.
  Buffer to_buffer() && noexcept { return *this ? RawBuffer::adopt(release()) : Buffer(); }

  // Exchanges everything with `other`.
  void swap(ForeignBuffer& other) noexcept { std::swap(raw_, other.raw_); }

 private:
  RawBuffer raw_;
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway

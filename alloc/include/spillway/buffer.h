// SPDX-License-Identifier: MIT
// Buffers of a pool: Buffer, unique and writable, and SharedBuffer, counted and read-only. Both
// give their memory back by themselves, from any thread, also after the pool is gone.
//
// Units: sizes, lengths, offsets and capacities are bytes.
// Errors: what can't be done gives false, or an empty buffer, and changes nothing. Nothing throws.
// Thread-safety: that of a std::unique_ptr and a std::shared_ptr: different objects may be used in
// different threads, also when they share memory.
// Cost: nanoseconds, and the bytes that are copied or filled; what frees memory costs a pool's
// return. Nothing allocates but Buffer::resize() beyond the capacity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "spillway/abi.h"
#include "spillway/expected.h"
#include "spillway/export.h"

namespace spillway {

namespace pool {
class Core;
struct CInterface;
struct TenantRecord;
// Where a buffer's memory comes from and goes back to. Internal.
struct Block {
  Core* core = nullptr;
  std::byte* start = nullptr;
};
}  // namespace pool

inline namespace SPILLWAY_ABI {

class SharedBuffer;
class Tenant;

// Memory that has one owner, who may write to it.
class SPILLWAY_POOL_API Buffer {
 public:
  // No memory: size and capacity 0.
  Buffer() noexcept = default;
  // Takes the memory of `other`, which has none then.
  Buffer(Buffer&& other) noexcept
      : block_(other.block_),
        data_(other.data_),
        size_(other.size_),
        capacity_(other.capacity_),
        tenant_(other.tenant_) {
    other.forget();
  }
  // Gives its own memory back, and takes that of `other`, which has none then.
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  // Gives the memory back.
  ~Buffer() {
    if (block_.core != nullptr) {
      give_back();
    }
  }

  // Whether there is memory; false for moved-from, released and failed ones.
  explicit operator bool() const noexcept { return block_.core != nullptr; }
  // Whether the memory is one of the pool's buffers, and not a block got for this request alone.
  bool is_pooled() const noexcept;

  // The first byte; null without memory.
  std::byte* data() noexcept { return data_; }
  // The same, to read.
  const std::byte* data() const noexcept { return data_; }
  // Bytes in use.
  size_t size() const noexcept { return size_; }
  // Whether no byte is in use.
  bool empty() const noexcept { return size_ == 0; }
  // Bytes from data() on that may be used without moving.
  size_t capacity() const noexcept { return capacity_; }

  // The first byte in use.
  std::byte* begin() noexcept { return data_; }
  // Behind the last byte in use.
  std::byte* end() noexcept { return data_ + size_; }
  // The first byte in use, to read.
  const std::byte* begin() const noexcept { return data_; }
  // Behind the last byte in use, to read.
  const std::byte* end() const noexcept { return data_ + size_; }
  // The byte at `index`, which must be below size().
  std::byte& operator[](size_t index) noexcept { return data_[index]; }
  // The byte at `index`, to read.
  const std::byte& operator[](size_t index) const noexcept { return data_[index]; }
  // The bytes in use.
  std::span<std::byte> span() noexcept { return {data_, size_}; }
  // The same, to read.
  std::span<const std::byte> span() const noexcept { return {data_, size_}; }
  // The bytes in use as text.
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }
  // The bytes between size and capacity, to be filled and then counted by set_size().
  std::span<std::byte> spare() noexcept { return {data_ + size_, capacity_ - size_}; }

  // Changes the size to `size` within the capacity; added bytes have any value. False, and nothing
  // changed, when `size` is larger.
  bool set_size(size_t size) noexcept {
    if (size > capacity_) {
      return false;
    }
    size_ = size;
    return true;
  }
  // Makes the size 0; keeps the memory.
  void clear() noexcept { size_ = 0; }
  // Adds `bytes`, which may be the buffer's own, within the capacity: data() stays. False, and
  // nothing changed, when there is no room.
  bool append(std::span<const std::byte> bytes) noexcept;
  // The same with the characters of `text`.
  bool append(std::string_view text) noexcept {
    return append(std::as_bytes(std::span(text.data(), text.size())));
  }
  // Changes the size to `size`; added bytes get `value`. Beyond the capacity the bytes move to a
  // buffer of a larger class, for the same tenant; of exactly the size when there is none. False,
  // and nothing changed, when there is no memory.
  bool resize(size_t size, std::byte value = std::byte{0}) noexcept;

  // Gives the memory back now; the buffer is empty then.
  void release() noexcept { Buffer().swap(*this); }

  // The same memory as an immutable, shared buffer; this one is empty then. No copy, no allocation.
  SharedBuffer freeze() && noexcept;

  // Exchanges everything with `other`.
  void swap(Buffer& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(tenant_, other.tenant_);
  }

 private:
  friend class SharedBuffer;
  friend class pool::Core;
  friend struct RawBuffer;

  Buffer(pool::Block block, std::byte* data, size_t size, size_t capacity,
         pool::TenantRecord* tenant) noexcept
      : block_(block), data_(data), size_(size), capacity_(capacity), tenant_(tenant) {}
  void give_back() noexcept;
  void forget() noexcept { block_ = {}, data_ = nullptr, size_ = capacity_ = 0, tenant_ = nullptr; }

  pool::Block block_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  pool::TenantRecord* tenant_ = nullptr;
};

// One of the owners of memory that none of them writes to.
class SPILLWAY_POOL_API SharedBuffer {
 public:
  // No memory: size 0.
  SharedBuffer() noexcept = default;
  // One more owner of what `other` has: one atomic increment.
  SharedBuffer(const SharedBuffer& other) noexcept;
  // Takes over from `other`, which has no memory then.
  SharedBuffer(SharedBuffer&& other) noexcept
      : block_(other.block_), data_(other.data_), size_(other.size_) {
    other.block_ = {};
    other.data_ = nullptr;
    other.size_ = 0;
  }
  // Lets its own memory go, and is one more owner of what `other` has.
  SharedBuffer& operator=(const SharedBuffer& other) noexcept {
    SharedBuffer(other).swap(*this);
    return *this;
  }
  // Lets its own memory go, and takes over from `other`, which has no memory then.
  SharedBuffer& operator=(SharedBuffer&& other) noexcept {
    SharedBuffer(std::move(other)).swap(*this);
    return *this;
  }
  // The last owner gives the memory back.
  ~SharedBuffer() {
    if (block_.core != nullptr) {
      drop();
    }
  }

  // Whether it keeps memory; empty slices do not.
  explicit operator bool() const noexcept { return block_.core != nullptr; }
  // Whether the memory is one of the pool's buffers.
  bool is_pooled() const noexcept;
  // Whether this is the only owner. True stays true; false may be out of date.
  bool is_unique() const noexcept;

  // The first byte; null without memory.
  const std::byte* data() const noexcept { return data_; }
  // Bytes from data() on.
  size_t size() const noexcept { return size_; }
  // Whether there is no byte.
  bool empty() const noexcept { return size_ == 0; }
  // The first byte.
  const std::byte* begin() const noexcept { return data_; }
  // Behind the last byte.
  const std::byte* end() const noexcept { return data_ + size_; }
  // The byte at `index`, which must be below size().
  const std::byte& operator[](size_t index) const noexcept { return data_[index]; }
  // The bytes.
  std::span<const std::byte> span() const noexcept { return {data_, size_}; }
  // The bytes as text.
  std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

  // `length` bytes from `offset` on, cut to what there is; shares the memory, unless it is empty.
  SharedBuffer slice(size_t offset, size_t length = SIZE_MAX) const noexcept;
  // Takes the first `length` bytes, cut to what there is, off and gives them: sharing the memory
  // while some are left, handing it over otherwise.
  SharedBuffer take(size_t length) noexcept;
  // Drops the first `length` bytes, cut to what there is.
  void advance(size_t length) noexcept;

  // The memory as a unique buffer again, without a copy; its capacity reaches from data() to the
  // memory's end. Refused, and this buffer given back unchanged, when others share the memory.
  expected<Buffer, SharedBuffer> to_buffer() && noexcept;

  // Exchanges everything with `other`.
  void swap(SharedBuffer& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

 private:
  friend class Buffer;
  friend struct pool::CInterface;

  SharedBuffer(pool::Block block, const std::byte* data, size_t size) noexcept
      : block_(block), data_(data), size_(size) {}
  void drop() noexcept;

  pool::Block block_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// A buffer as C interfaces take it: a pointer and a function that is called with it when the
// memory is no longer needed. `free_function(data, hint)` gives the memory back; call it, or
// adopt(), once.
//
// A second call for a pooled buffer ends the process with a line that says so, unless the memory
// has a new owner by then. For an unpooled one that is likely, but the system has its memory by
// then. After the last buffer of a pool that has ended it is undefined.
struct SPILLWAY_POOL_API RawBuffer {
  // What gives memory back: by its `data`, and the `hint` beside it.
  using FreeFunction = void (*)(void* data, void* hint);

  void* data = nullptr;                  // the first byte
  size_t size = 0;                       // bytes in use
  FreeFunction free_function = nullptr;  // null: there is no memory
  void* hint = nullptr;                  // for the free function

  // `buffer` is empty then. Its bytes start at `data`; those of an unpooled buffer that does not
  // begin at its memory's start move there.
  static RawBuffer from(Buffer&& buffer) noexcept;
  // The memory of `raw` as a buffer again, with size and capacity as they were.
  static Buffer adopt(const RawBuffer& raw) noexcept;
};

}  // namespace SPILLWAY_ABI
}  // namespace spillway

// SPDX-License-Identifier: MIT
#include "spillway/buffer.h"

#include <algorithm>
#include <cstring>

#include "alloc/pool/core.h"

namespace spillway {

// --- Buffer --------------------------------------------------------------------------------------

void Buffer::give_back() noexcept { block_.core->give_back(block_.start, tenant_); }

bool Buffer::is_pooled() const noexcept {
  return block_.core != nullptr && block_.core->is_pooled(block_.start);
}

bool Buffer::append(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() > capacity_ - size_) {
    return false;
  }
  if (!bytes.empty()) {
    std::memmove(data_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  return true;
}

bool Buffer::resize(size_t size, std::byte value) noexcept {
  if (size > capacity_) {
    if (block_.core == nullptr) {
      return false;
    }
    Buffer larger = block_.core->make_for_owner({.size = size, .tenant = nullptr});
    if (!larger) {
      return false;
    }
    if (tenant_ != nullptr) {
      const size_t before = block_.core->capacity_of(block_.start);
      if (larger.capacity_ >= before) {
        tenant_->add(larger.capacity_ - before);
      } else {
        tenant_->remove(before - larger.capacity_);
      }
      larger.tenant_ = std::exchange(tenant_, nullptr);
    }
    if (size_ != 0) {
      std::memcpy(larger.data_, data_, size_);
    }
    larger.size_ = size_;
    swap(larger);
  }
  if (size > size_) {
    std::memset(data_ + size_, std::to_integer<int>(value), size - size_);
  }
  size_ = size;
  return true;
}

SharedBuffer Buffer::freeze() && noexcept {
  if (block_.core == nullptr) {
    return {};
  }
  pool::Record& record = block_.core->record_of(block_.start);
  record.tenant = tenant_;
  // relaxed: passing the buffer to another thread orders this, too.
  record.owners.store(1, std::memory_order_relaxed);
  SharedBuffer shared(block_, data_, size_);
  forget();
  return shared;
}

// --- SharedBuffer --------------------------------------------------------------------------------

SharedBuffer::SharedBuffer(const SharedBuffer& other) noexcept
    : block_(other.block_), data_(other.data_), size_(other.size_) {
  if (block_.core != nullptr) {
    // relaxed: the owner that is copied keeps the memory meanwhile.
    block_.core->record_of(block_.start).owners.fetch_add(1, std::memory_order_relaxed);
  }
}

void SharedBuffer::drop() noexcept {
  pool::Record& record = block_.core->record_of(block_.start);
  // A single owner has no other to race with.
  // acquire: pairs with the release of the owners that left before.
  if (record.owners.load(std::memory_order_acquire) != 1) {
    // acq_rel: the last one sees what the others did with the bytes before it gives them back.
    if (record.owners.fetch_sub(1, std::memory_order_acq_rel) != 1) {
      return;
    }
  }
  block_.core->give_back(block_.start, record.tenant);
}

bool SharedBuffer::is_pooled() const noexcept {
  return block_.core != nullptr && block_.core->is_pooled(block_.start);
}

bool SharedBuffer::is_unique() const noexcept {
  // acquire: pairs with the release in drop().
  return block_.core != nullptr &&
         block_.core->record_of(block_.start).owners.load(std::memory_order_acquire) == 1;
}

SharedBuffer SharedBuffer::slice(size_t offset, size_t length) const noexcept {
  const size_t from = std::min(offset, size_);
  const size_t bytes = std::min(length, size_ - from);
  if (bytes == 0) {
    return {};
  }
  SharedBuffer part(*this);
  part.data_ += from;
  part.size_ = bytes;
  return part;
}

SharedBuffer SharedBuffer::take(size_t length) noexcept {
  if (length == 0) {
    return {};
  }
  if (length >= size_) {
    return std::exchange(*this, SharedBuffer());
  }
  SharedBuffer part = slice(0, length);
  advance(length);
  return part;
}

void SharedBuffer::advance(size_t length) noexcept {
  const size_t bytes = std::min(length, size_);
  data_ += bytes;
  size_ -= bytes;
}

expected<Buffer, SharedBuffer> SharedBuffer::to_buffer() && noexcept {
  if (block_.core != nullptr && !is_unique()) {
    return unexpected(std::move(*this));
  }
  if (block_.core == nullptr) {
    return Buffer();
  }
  const pool::Record& record = block_.core->record_of(block_.start);
  const auto offset = static_cast<size_t>(data_ - block_.start);
  Buffer buffer(block_, block_.start + offset, size_,
                block_.core->capacity_of(block_.start) - offset, record.tenant);
  block_ = {};
  data_ = nullptr;
  size_ = 0;
  return buffer;
}

// --- RawBuffer -----------------------------------------------------------------------------------

namespace pool {

void free_raw(void* data, void* hint) {
  auto& core = *static_cast<pool::Core*>(hint);
  std::byte* const start = core.start_of(data);
  if (!core.is_live(start)) {
    core.report_second_return(start);
  }
  core.give_back(start, core.record_of(start).tenant);
}

}  // namespace pool

RawBuffer RawBuffer::from(Buffer&& buffer) noexcept {
  if (!buffer) {
    return {};
  }
  pool::Core& core = *buffer.block_.core;
  std::byte* const start = buffer.block_.start;
  core.record_of(start).tenant = buffer.tenant_;
  if (!core.is_pooled(start) && buffer.data_ != start) {
    // Only a start leads back to an unpooled block.
    std::memmove(start, buffer.data_, buffer.size_);
    buffer.data_ = start;
  }
  if (buffer.capacity_ == 0) {
    buffer.data_ = start;  // the memory's end is another block's start
  }
  const RawBuffer raw{buffer.data_, buffer.size_, pool::free_raw, &core};
  buffer.forget();
  return raw;
}

Buffer RawBuffer::adopt(const RawBuffer& raw) noexcept {
  if (raw.hint == nullptr) {
    return {};
  }
  auto& core = *static_cast<pool::Core*>(raw.hint);
  std::byte* const start = core.start_of(raw.data);
  auto* const data = static_cast<std::byte*>(raw.data);
  return Buffer({&core, start}, data, raw.size,
                core.capacity_of(start) - static_cast<size_t>(data - start),
                core.record_of(start).tenant);
}

}  // namespace spillway

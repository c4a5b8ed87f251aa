// SPDX-License-Identifier: MIT
// Of the C interface: buffers, which are RawBuffers with a capacity, and shared ones.
#include "alloc/pool/c_interface.h"
#include "alloc/pool/core.h"

namespace spillway::pool {
namespace {

using CBuffer = ::spillway_pool_buffer;
using CShared = ::spillway_pool_shared;

// Hands `buffer` over to C.
CBuffer given(Buffer&& buffer) noexcept {
  const std::byte* const data = buffer.data();
  const size_t capacity = buffer.capacity();
  const RawBuffer raw = RawBuffer::from(std::move(buffer));
  // Bytes that moved to their memory's start have the room behind them.
  const auto moved = static_cast<size_t>(data - static_cast<std::byte*>(raw.data));
  return {raw.data, raw.size, capacity + moved, raw.hint};
}

// Takes it back from C.
Buffer taken(CBuffer& from) noexcept {
  const CBuffer all = std::exchange(from, {});
  return RawBuffer::adopt({all.data, all.length, nullptr, all.owner});
}

spillway_pool_error give(Buffer&& buffer, CBuffer* to) noexcept {
  *to = {};
  if (!buffer) {
    return SPILLWAY_POOL_NO_MEMORY;
  }
  *to = given(std::move(buffer));
  return SPILLWAY_POOL_OK;
}

spillway_pool_error error_of(PoolError error) noexcept {
  switch (error) {
    case PoolError::kOversized:
      return SPILLWAY_POOL_OVERSIZED;
    case PoolError::kExhausted:
      return SPILLWAY_POOL_EXHAUSTED;
    case PoolError::kNoMemory:
      break;
  }
  return SPILLWAY_POOL_NO_MEMORY;
}

spillway_pool_error give(expected<Buffer, PoolError>&& buffer, CBuffer* to) noexcept {
  if (buffer) {
    return give(std::move(*buffer), to);
  }
  *to = {};
  return error_of(buffer.error());
}

// Does something with an owner that stays C's.
template <typename Work>
auto with(const CShared& shared, Work work) noexcept {
  SharedBuffer owner = CInterface::owner(shared);
  auto result = work(std::as_const(owner));
  static_cast<void>(CInterface::owner(std::move(owner)));
  return result;
}

}  // namespace
}  // namespace spillway::pool

using namespace spillway::pool;  // NOLINT(google-build-using-namespace)

extern "C" {

spillway_pool_error spillway_pool_alloc(spillway_pool* pool, size_t size,
                                        spillway_pool_tenant* tenant,
                                        spillway_pool_buffer* buffer) {
  return give(pool->pool.alloc(size, CInterface::tenant(tenant)), buffer);
}

spillway_pool_error spillway_pool_alloc_zeroed(spillway_pool* pool, size_t size,
                                               spillway_pool_tenant* tenant,
                                               spillway_pool_buffer* buffer) {
  return give(pool->pool.alloc_zeroed(size, CInterface::tenant(tenant)), buffer);
}

spillway_pool_error spillway_pool_acquire(spillway_pool* pool, size_t size,
                                          spillway_pool_tenant* tenant,
                                          spillway_pool_buffer* buffer) {
  return give(pool->pool.acquire(size, CInterface::tenant(tenant)), buffer);
}

spillway_pool_error spillway_pool_try_alloc(spillway_pool* pool, size_t size,
                                            spillway_pool_tenant* tenant,
                                            spillway_pool_buffer* buffer) {
  return give(pool->pool.try_alloc(size, CInterface::tenant(tenant)), buffer);
}

spillway_pool_error spillway_pool_try_alloc_zeroed(spillway_pool* pool, size_t size,
                                                   spillway_pool_tenant* tenant,
                                                   spillway_pool_buffer* buffer) {
  return give(pool->pool.try_alloc_zeroed(size, CInterface::tenant(tenant)), buffer);
}

void spillway_pool_return(spillway_pool_buffer* buffer) {
  spillway_pool_free(buffer->data, buffer->owner);
  *buffer = {};
}

void spillway_pool_free(void* data, void* owner) {
  if (owner != nullptr) {
    free_raw(data, owner);
  }
}

spillway_pool_buffer spillway_pool_adopt(void* data, size_t length, void* owner) {
  return given(spillway::RawBuffer::adopt({data, length, nullptr, owner}));
}

spillway_pool_error spillway_pool_resize(spillway_pool_buffer* buffer, size_t length) {
  spillway::Buffer resized = taken(*buffer);
  const bool done = resized.resize(length);
  *buffer = given(std::move(resized));
  return done ? SPILLWAY_POOL_OK : SPILLWAY_POOL_NO_MEMORY;
}

int spillway_pool_is_pooled(const spillway_pool_buffer* buffer) {
  const auto* const core = static_cast<const Core*>(buffer->owner);
  return static_cast<int>(core != nullptr &&
                          core->is_pooled(static_cast<const std::byte*>(buffer->data)));
}

spillway_pool_shared spillway_pool_freeze(spillway_pool_buffer* buffer) {
  return CInterface::owner(taken(*buffer).freeze());
}

spillway_pool_shared spillway_pool_retain(const spillway_pool_shared* shared) {
  return with(*shared, [](const spillway::SharedBuffer& owner) {
    return CInterface::owner(spillway::SharedBuffer(owner));
  });
}

spillway_pool_shared spillway_pool_slice(const spillway_pool_shared* shared, size_t offset,
                                         size_t length) {
  return with(*shared, [=](const spillway::SharedBuffer& owner) {
    return CInterface::owner(owner.slice(offset, length));
  });
}

void spillway_pool_release(spillway_pool_shared* shared) {
  CInterface::owner(std::exchange(*shared, {}));
}

int spillway_pool_is_unique(const spillway_pool_shared* shared) {
  return with(*shared, [](const spillway::SharedBuffer& owner) {
    return static_cast<int>(owner.is_unique());
  });
}

spillway_pool_error spillway_pool_thaw(spillway_pool_shared* shared, spillway_pool_buffer* buffer) {
  *buffer = {};
  auto alone = CInterface::owner(std::exchange(*shared, {})).to_buffer();
  if (!alone) {
    *shared = CInterface::owner(std::move(alone.error()));
    return SPILLWAY_POOL_SHARED;
  }
  *buffer = given(std::move(*alone));
  return SPILLWAY_POOL_OK;
}

}  // extern "C"

// SPDX-License-Identifier: MIT
// The C interface's part for buffers, which are RawBuffers with a capacity, and shared ones.
#include "alloc/pool/c_interface.h"
#include "alloc/pool/core.h"

namespace spillway::pool {
namespace {

using CBuffer = ::spillway_pool_buffer;
using CShared = ::spillway_pool_shared;

// All zero for a buffer without memory.
CBuffer to_c(Buffer&& buffer) noexcept {
  const std::byte* const data = buffer.data();
  const size_t capacity = buffer.capacity();
  const RawBuffer raw = RawBuffer::from(std::move(buffer));
  // Bytes that moved to their memory's start have the room behind them.
  const auto moved = static_cast<size_t>(data - static_cast<std::byte*>(raw.data));
  return {raw.data, raw.size, capacity + moved, raw.hint};
}

// Empties `buffer`.
Buffer from_c(CBuffer& buffer) noexcept {
  const CBuffer all = std::exchange(buffer, {});
  return RawBuffer::adopt({all.data, all.length, nullptr, all.owner});
}

spillway_pool_error store(Buffer&& buffer, CBuffer* to) noexcept {
  *to = to_c(std::move(buffer));
  return to->owner != nullptr ? SPILLWAY_POOL_OK : SPILLWAY_POOL_NO_MEMORY;
}

spillway_pool_error store(expected<Buffer, PoolError>&& buffer, CBuffer* to) noexcept {
  if (buffer) {
    return store(std::move(*buffer), to);
  }
  *to = {};
  return CInterface::to_c(buffer.error());
}

// `work`'s result of a shared buffer that C keeps.
template <typename Work>
auto look_at(const CShared& shared, Work work) noexcept {
  SharedBuffer buffer = CInterface::from_c(shared);
  auto result = work(std::as_const(buffer));
  static_cast<void>(CInterface::to_c(std::move(buffer)));
  return result;
}

}  // namespace
}  // namespace spillway::pool

using namespace spillway::pool;  // NOLINT(google-build-using-namespace)

extern "C" {

spillway_pool_error spillway_pool_alloc(spillway_pool* pool, size_t size,
                                        spillway_pool_tenant* tenant,
                                        spillway_pool_buffer* buffer) {
  return store(pool->pool.alloc(size, CInterface::from_c(tenant)), buffer);
}

spillway_pool_error spillway_pool_alloc_zeroed(spillway_pool* pool, size_t size,
                                               spillway_pool_tenant* tenant,
                                               spillway_pool_buffer* buffer) {
  return store(pool->pool.alloc_zeroed(size, CInterface::from_c(tenant)), buffer);
}

spillway_pool_error spillway_pool_acquire(spillway_pool* pool, size_t size,
                                          spillway_pool_tenant* tenant,
                                          spillway_pool_buffer* buffer) {
  return store(pool->pool.acquire(size, CInterface::from_c(tenant)), buffer);
}

spillway_pool_error spillway_pool_try_alloc(spillway_pool* pool, size_t size,
                                            spillway_pool_tenant* tenant,
                                            spillway_pool_buffer* buffer) {
  return store(pool->pool.try_alloc(size, CInterface::from_c(tenant)), buffer);
}

spillway_pool_error spillway_pool_try_alloc_zeroed(spillway_pool* pool, size_t size,
                                                   spillway_pool_tenant* tenant,
                                                   spillway_pool_buffer* buffer) {
  return store(pool->pool.try_alloc_zeroed(size, CInterface::from_c(tenant)), buffer);
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
  return to_c(spillway::RawBuffer::adopt({data, length, nullptr, owner}));
}

spillway_pool_error spillway_pool_resize(spillway_pool_buffer* buffer, size_t length) {
  spillway::Buffer resized = from_c(*buffer);
  const bool done = resized.resize(length);
  *buffer = to_c(std::move(resized));
  return done ? SPILLWAY_POOL_OK : SPILLWAY_POOL_NO_MEMORY;
}

int spillway_pool_is_pooled(const spillway_pool_buffer* buffer) {
  const auto* const core = static_cast<const Core*>(buffer->owner);
  return static_cast<int>(core != nullptr &&
                          core->is_pooled(static_cast<const std::byte*>(buffer->data)));
}

spillway_pool_shared spillway_pool_freeze(spillway_pool_buffer* buffer) {
  return CInterface::to_c(from_c(*buffer).freeze());
}

spillway_pool_shared spillway_pool_retain(const spillway_pool_shared* shared) {
  return look_at(*shared, [](const spillway::SharedBuffer& buffer) {
    return CInterface::to_c(spillway::SharedBuffer(buffer));
  });
}

spillway_pool_shared spillway_pool_slice(const spillway_pool_shared* shared, size_t offset,
                                         size_t length) {
  return look_at(*shared, [=](const spillway::SharedBuffer& buffer) {
    return CInterface::to_c(buffer.slice(offset, length));
  });
}

void spillway_pool_release(spillway_pool_shared* shared) {
  CInterface::from_c(std::exchange(*shared, {}));
}

int spillway_pool_is_unique(const spillway_pool_shared* shared) {
  return look_at(*shared, [](const spillway::SharedBuffer& buffer) {
    return static_cast<int>(buffer.is_unique());
  });
}

spillway_pool_error spillway_pool_thaw(spillway_pool_shared* shared, spillway_pool_buffer* buffer) {
  *buffer = {};
  auto alone = CInterface::from_c(std::exchange(*shared, {})).to_buffer();
  if (!alone) {
    *shared = CInterface::to_c(std::move(alone.error()));
    return SPILLWAY_POOL_SHARED;
  }
  *buffer = to_c(std::move(*alone));
  return SPILLWAY_POOL_OK;
}

}  // extern "C"

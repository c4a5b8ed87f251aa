// SPDX-License-Identifier: MIT
// Uses the parts of the public headers that are compiled into programs; exports.sh looks at its
// symbols. Exit status 0, or 1.
#include <cstdint>
#include <cstdio>
#include <memory_resource>
#include <utility>
#include <vector>

#include "spillway/buffer.h"
#include "spillway/cursor.h"
#include "spillway/foreign_buffer.h"
#include "spillway/pool.h"
#include "spillway/pool_allocator.h"
#include "spillway/pool_resource.h"

int main() {
  auto pool = spillway::Pool::create(spillway::PoolConfig());
  if (!pool) {
    return std::fprintf(stderr, "%s\n", pool.error().c_str()), 1;
  }
  spillway::Buffer buffer = pool->alloc(100);
  spillway::Writer writer(buffer);
  bool good = writer.put_be<uint16_t>(0x102) && writer.put_le<double>(1.5);
  auto foreign = spillway::ForeignBuffer::from(std::move(buffer));
  spillway::SharedReader reader(std::move(foreign).to_buffer().freeze());
  good = good && reader.get_be<uint16_t>() == 0x102 && reader.get_le<double>() == 1.5;
  const std::vector<int, spillway::PoolAllocator<int>> numbers(1000, 7,
                                                               spillway::PoolAllocator<int>(*pool));
  spillway::PoolResource resource(*pool);
  const std::pmr::vector<int> others(numbers.begin(), numbers.end(), &resource);
  return good && others[999] == 7 ? 0 : 1;
}

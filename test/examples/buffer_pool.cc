// SPDX-License-Identifier: MIT
// Of the buffer pool: README's and POOL.md's program.
#include <cstdio>
#include "spillway/pool.h"

int main() {
  auto pool = spillway::Pool::create(spillway::PoolConfig::network());
  if (!pool) {
    return std::fprintf(stderr, "%s\n", pool.error().c_str()), 1;
  }
  const spillway::Tenant web = pool->tenant("web");
  spillway::Buffer buffer = pool->alloc(1500, web);  // size 0, capacity 2048
  buffer.append("hello");
  spillway::SharedBuffer shared = std::move(buffer).freeze();  // read-only
  const spillway::SharedBuffer part = shared.slice(1, 3);      // "ell", no copy
  std::printf("%.*s\n", static_cast<int>(part.size()), part.view().data());
}  // the last of them gives the buffer back

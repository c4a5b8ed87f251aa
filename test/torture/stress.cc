// SPDX-License-Identifier: MIT
// stress SEED STEPS MEBIBYTES MAY_FAIL: threads make, resize, exchange and end blocks through the
// whole malloc family, at random from SEED. Each block's contents, zeros, alignment and usable size
// are checked, and that no two live blocks overlap. MEBIBYTES are live at most. MAY_FAIL 1:
// requests may fail with ENOMEM, otherwise none may. Half of the threads enter and leave tenants,
// which are charged nothing in the end; without Spillway there are none.
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <cerrno>
#include <new>

#include "alloc/config/size_classes.h"
#include "contents.h"
#include "pattern.h"
#include "shadow.h"
#define SPILLWAY_WEAK
#include "spillway/spillway.h"

extern "C" __attribute__((weak)) void free_sized(void* block, size_t size);

namespace {

constexpr int kThreads = 4;
constexpr int kGenerations = 4;  // of threads, one after the other
constexpr size_t kSlots = 3000;
constexpr size_t kLongest = 100 << 20;
constexpr int kSentinel = 4711;
constexpr uint64_t kTenants = 3;

// A block that any thread may take on; one at a time holds `busy`.
struct Slot {
  std::atomic<bool> busy;
  void* block;
  size_t requested;
  size_t written;  // bytes that have contents: the request, or all that is usable
  size_t usable;
  uint64_t key;
};

Slot slots[kSlots];
torture::Shadow shadow;
std::atomic<int64_t> live_bytes;
int64_t steps_of_all;  // set before there is a second thread
int64_t max_live;
bool may_fail;
uint64_t seed;
int tenants[kTenants];  // 0: none can be had

void make_tenants() {
  const char* const names[kTenants] = {"one", "two", "three"};
  for (uint64_t i = 0; i < kTenants; ++i) {
    const uint64_t soft_limit = i * 8 << 20;
    const int made =
        spillway_tenant_create != nullptr ? spillway_tenant_create(names[i], soft_limit) : -1;
    tenants[i] = made > 0 ? made : 0;
  }
}

class Worker {
 public:
  explicit Worker(uint64_t number)
      : random_((seed + 1) * 0x9E3779B97F4A7C15 ^ (number + 1)),
        changes_tenants_(number % 2 == 0) {}

  void run(int64_t steps) {
    while (steps-- > 0) {
      step();
    }
  }

 private:
  uint64_t draw(uint64_t below) { return next_random(&random_) % below; }
  bool one_in(uint64_t count) { return draw(count) == 0; }

  // By logarithm, and around the edges of classes.
  size_t draw_size() {
    if (one_in(4)) {
      const auto& sizes = spillway::config::kHeapClassSizes;
      const size_t edge = one_in(8) ? size_t{1} << draw(27) : sizes[1 + draw(sizes.size() - 1)];
      const size_t off = one_in(2) ? 1 : 16;
      return one_in(2) ? edge + off : one_in(2) || edge <= off ? edge : edge - off;
    }
    const size_t size = random_size(&random_, 0, one_in(12) ? 27 : 20);
    return size <= kLongest ? size : kLongest;
  }

  void step() {
    Slot& slot = slots[draw(kSlots)];
    if (slot.busy.exchange(true)) {
      return;
    }
    if (slot.block == nullptr) {
      make(slot);
    } else if (live_bytes.load() < max_live && one_in(3)) {
      resize(slot);
    } else {
      end(slot);
    }
    slot.busy.store(false);
    if (one_in(2000)) {
      errno = kSentinel;
      malloc_trim(draw(1 << 20));
      CHECK_COMPARE(errno, ==, kSentinel);
    }
    if (one_in(2000)) {
      static_cast<void>(mallinfo2());
    }
    if (changes_tenants_ && one_in(200)) {
      change_tenant();
    }
  }

  void change_tenant() {
    const int tenant = one_in(3) ? 0 : tenants[draw(kTenants)];
    if (tenants[0] != 0 && spillway_tenant_enter(tenant) < 0) {
      CHECK_COMPARE(errno, ==, EAGAIN);  // no cache for the thread
    }
  }

  // A block that was just made, or null.
  void note(Slot& slot, void* block, size_t size, size_t alignment) {
    if (block == nullptr) {
      CHECK(may_fail);
      CHECK_COMPARE(errno, ==, ENOMEM);
      return;
    }
    CHECK_COMPARE(errno, ==, kSentinel);
    CHECK_COMPARE(reinterpret_cast<uintptr_t>(block) % alignment, ==, 0);
    slot.block = block;
    slot.requested = size;
    slot.usable = malloc_usable_size(block);
    CHECK_COMPARE(slot.usable, >=, size);
    CHECK(shadow.take(block, slot.usable));
    live_bytes.fetch_add(static_cast<int64_t>(slot.usable));
    fill(slot);
  }

  void fill(Slot& slot) {
    slot.key = next_random(&random_);
    slot.written = one_in(2) ? slot.usable : slot.requested;
    torture::write_contents(slot.block, slot.written, slot.key);
  }

  void make(Slot& slot) {
    const size_t size = draw_size();
    if (live_bytes.load() + static_cast<int64_t>(size) > max_live) {
      return;
    }
    errno = kSentinel;
    const size_t alignment = size_t{16} << draw(one_in(8) ? 18 : 9);
    void* block = nullptr;
    switch (draw(10)) {
      case 0: {
        const size_t count = 1 + draw(size < 1000 ? size : 1000);
        block = calloc(count, size / count);
        CHECK(block == nullptr || torture::is_zero(block, size / count * count));
        return note(slot, block, size / count * count, 16);
      }
      case 1:
        return note(slot, aligned_alloc(alignment, size), size, alignment);
      case 2: {
        const int error = posix_memalign(&block, alignment, size);
        CHECK(error == 0 || error == ENOMEM);
        errno = error == 0 ? errno : error;  // which it leaves alone
        return note(slot, block, size, alignment);
      }
      case 3:
        return note(slot, memalign(alignment, size), size, alignment);
      case 4:
        return note(slot, realloc(nullptr, size), size, 16);
      case 5:
        return note(slot, reallocarray(nullptr, 1, size), size, 16);
      case 6:
        return note(slot, ::operator new(size, std::nothrow), size, 16);
      case 7:
        return note(slot, ::operator new(size, std::align_val_t(alignment), std::nothrow), size,
                    alignment);
      default:
        return note(slot, malloc(size), size, 16);
    }
  }

  void let_go(const Slot& slot) {
    CHECK_COMPARE(malloc_usable_size(slot.block), ==, slot.usable);
    CHECK(torture::has_contents(slot.block, slot.written, slot.key, slot.written));
    CHECK(shadow.give(slot.block, slot.usable));
    live_bytes.fetch_sub(static_cast<int64_t>(slot.usable));
  }

  void resize(Slot& slot) {
    const Slot& before = slot;
    const size_t old_size = before.requested;
    const size_t old_written = before.written;
    void* const old_block = slot.block;
    // Mostly by little, as programs do.
    const size_t size = one_in(3) ? draw_size() : old_size / 2 + draw(old_size + 2);
    if (size == 0 || size > kLongest) {
      return;
    }
    let_go(slot);
    errno = kSentinel;
    void* const block = one_in(4) ? reallocarray(old_block, size, 1) : realloc(old_block, size);
    if (block == nullptr) {
      CHECK(may_fail);
      CHECK_COMPARE(errno, ==, ENOMEM);
      CHECK(shadow.take(old_block, slot.usable));
      live_bytes.fetch_add(static_cast<int64_t>(slot.usable));
      CHECK(torture::has_contents(old_block, old_written, slot.key, old_written));
      return;
    }
    const size_t kept = old_size < size ? old_size : size;
    CHECK(torture::has_contents(block, old_written, slot.key, kept));
    note(slot, block, size, 16);
  }

  void end(Slot& slot) {
    let_go(slot);
    void* const block = slot.block;
    slot.block = nullptr;
    errno = kSentinel;
    switch (draw(6)) {
      case 0:
        ::operator delete(block, slot.requested);
        break;
      case 1:
        CHECK(realloc(block, 0) == nullptr);
        break;
      case 2:
        if (free_sized != nullptr) {
          free_sized(block, slot.requested);
          break;
        }
        [[fallthrough]];
      default:
        free(block);
    }
    CHECK_COMPARE(errno, ==, kSentinel);
  }

  uint64_t random_;
  const bool changes_tenants_;
};

void* work(void* number) {
  constexpr int64_t kTurn = 200;
  Worker worker(reinterpret_cast<uintptr_t>(number));
  const int64_t mine = steps_of_all / kThreads;
  for (int64_t done = 0; done < mine; done += kTurn) {
    worker.run(kTurn);
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc == 5);
  seed = strtoull(argv[1], nullptr, 10);
  steps_of_all = atoll(argv[2]) / kGenerations;
  max_live = atoll(argv[3]) << 20;
  may_fail = atoi(argv[4]) != 0;
  if (!shadow.start()) {
    SKIP("no terabyte of address space for the shadow map");
  }
  make_tenants();
  for (uintptr_t generation = 0; generation < kGenerations; ++generation) {
    pthread_t threads[kThreads];
    int started = 0;
    for (; started < kThreads; ++started) {
      void* const number =
          reinterpret_cast<void*>(generation * kThreads + static_cast<uintptr_t>(started));
      if (pthread_create(&threads[started], nullptr, work, number) != 0) {
        CHECK(may_fail);
        break;
      }
    }
    while (started > 0) {
      CHECK(pthread_join(threads[--started], nullptr) == 0);
    }
  }
  for (Slot& slot : slots) {
    if (slot.block != nullptr) {
      CHECK(torture::has_contents(slot.block, slot.written, slot.key, slot.written));
      free(slot.block);
    }
  }
  for (const int tenant : tenants) {
    CHECK_COMPARE(tenant != 0 ? spillway_tenant_bytes(tenant) : 0, ==, 0);
  }
  return 0;
}

// SPDX-License-Identifier: MIT
// Blocks that are ready when the program starts. argv[1]: blocks of 64 KiB; argv[2]: of 1 MiB; the
// option prefill has them. They are resident at once, stay while the process idles and after it
// worked, and cost no page faults when they are used. argv[3]: MiB of blocks of another size that
// the program takes instead; memory is any size's.
#include <sys/resource.h>

#include "family.h"
#include "process.h"

enum { kMax = 512 };

static const size_t kKiB = 1024, kMiB = (size_t)1 << 20;
static size_t small_count, large_count;

static size_t faults(void) {
  struct rusage usage;
  CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
  return (size_t)usage.ru_minflt;
}

// All of them, each page written; the page faults that it cost.
static size_t use(void) {
  static void* blocks[kMax];
  const size_t before = faults();
  size_t count = 0;
  for (size_t i = 0; i < small_count; i++) blocks[count++] = malloc(64 * kKiB);
  for (size_t i = 0; i < large_count; i++) blocks[count++] = malloc(kMiB);
  for (size_t i = 0; i < count; i++) {
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], i < small_count ? 64 * kKiB : kMiB, i);
  }
  const size_t taken = faults() - before;
  for (size_t i = 0; i < count; i++) {
    CHECK(is_stamped(blocks[i], i < small_count ? 64 * kKiB : kMiB, i));
    free(blocks[i]);
  }
  return taken;
}

// The page faults that it cost.
static size_t take_others(size_t mib) {
  enum { kSize = 16 * 1024 };
  const size_t before = faults();
  for (size_t i = 0; i < mib * kMiB / kSize; i++) {
    void* block = malloc(kSize);
    CHECK(block != NULL);
    stamp(block, kSize, 1);
  }
  return faults() - before;
}

int main(int argc, char** argv) {
  CHECK(argc == 3 || argc == 4);
  small_count = strtoul(argv[1], NULL, 10);
  large_count = strtoul(argv[2], NULL, 10);
  CHECK(small_count + large_count <= kMax);
  const size_t bytes = small_count * 64 * kKiB + large_count * kMiB;
  const size_t pages = bytes / (size_t)sysconf(_SC_PAGESIZE);
  CHECK_COMPARE(resident_bytes(), >=, bytes);
  if (argc == 4) {
    CHECK_COMPARE(take_others(strtoul(argv[3], NULL, 10)), <=, pages / 10 + 100);
    CHECK_COMPARE(resident_bytes(), >=, bytes);
    return 0;
  }
  double start = seconds_now();
  while (seconds_now() - start < 3) {
    usleep(100000);
    CHECK_COMPARE(resident_bytes(), >=, bytes);
  }
  // What else is touched for the first time: tables, and a page where a block is coloured.
  CHECK_COMPARE(use(), <=, pages / 10 + small_count + large_count + 100);
  for (int i = 0; i < 20; i++) {
    use();
    usleep(50000);
    CHECK_COMPARE(resident_bytes(), >=, bytes);
  }
  return 0;
}

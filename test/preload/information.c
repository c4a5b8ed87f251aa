// SPDX-License-Identifier: MIT
// malloc_trim, mallinfo, mallinfo2, malloc_info, malloc_stats, mallopt: they answer, for this heap,
// and harm nothing.
#include <pthread.h>
#include <stdio.h>

#include "family.h"

enum { kBlocks = 128, kBlockSize = 65536, kSmallBlocks = 5000, kSmallSize = 200 };

static void check_info_text(void) {
  char* text = NULL;
  size_t length = 0;
  FILE* out = open_memstream(&text, &length);
  CHECK(out != NULL);
  CHECK_COMPARE(malloc_info(0, out), ==, 0);
  fclose(out);
  CHECK(strstr(text, "<malloc") != NULL && strstr(text, "</malloc>") != NULL);
  free(text);
  out = open_memstream(&text, &length);
  CHECK(malloc_info(opaque_size(1) == 1 ? 1 : 0, out) != 0);
  fclose(out);
  free(text);
}

static void check_stats_text(void) {
  FILE* file = tmpfile();
  int saved = dup(2);
  CHECK(file != NULL && saved >= 0 && dup2(fileno(file), 2) == 2);
  malloc_stats();
  fflush(stderr);
  off_t length = lseek(2, 0, SEEK_END);
  CHECK(dup2(saved, 2) == 2);
  close(saved);
  fclose(file);
  CHECK_COMPARE(length, >, 0);
}

#ifdef SMALL_BLOCKS_COUNT
static void* take_small(void* blocks) {
  for (int i = 0; i < kSmallBlocks; i++) ((void**)blocks)[i] = malloc(kSmallSize);
  return NULL;
}

// Small blocks move the figures, those of other threads too.
static void check_small(void) {
  static void* own[kSmallBlocks];
  static void* others[kSmallBlocks];
  const size_t bytes = (size_t)kSmallBlocks * kSmallSize;
  size_t before = mallinfo2().uordblks;
  take_small(own);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, take_small, others) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  struct mallinfo2 during = mallinfo2();
  CHECK_COMPARE(during.uordblks, >=, before + 2 * bytes);
  CHECK_COMPARE(during.arena, ==, during.uordblks + during.fordblks);
  for (int i = 0; i < kSmallBlocks; i++) free(own[i]);
  struct mallinfo2 after = mallinfo2();
  CHECK_COMPARE(after.uordblks, <=, during.uordblks - bytes);
  CHECK_COMPARE(after.arena, ==, after.uordblks + after.fordblks);
  for (int i = 0; i < kSmallBlocks; i++) free(others[i]);
}
#else
static void check_small(void) {}
#endif

int main(void) {
  check_small();
  void* blocks[kBlocks];
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc(kBlockSize);
    stamp(blocks[i], kBlockSize, (uint64_t)i);
  }
  struct mallinfo2 info = mallinfo2();
  CHECK_COMPARE(info.uordblks + info.hblkhd, >=, kBlocks * kBlockSize);
  check_info_text();
  check_stats_text();
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  struct mallinfo old = mallinfo();
  CHECK_COMPARE((unsigned)old.uordblks + (unsigned)old.hblkhd, >=, kBlocks * kBlockSize);
  CHECK_COMPARE(mallopt(M_MMAP_THRESHOLD, 1 << 17), ==, 1);
  CHECK_COMPARE(mallopt(M_MXFAST, 1 << 17), ==, 0);
  for (int i = 0; i < kBlocks; i++) {
    CHECK(is_stamped(blocks[i], kBlockSize, (uint64_t)i));
    free(blocks[i]);
  }
  int trimmed = malloc_trim(0);
  CHECK(trimmed == 0 || trimmed == 1);
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc(kBlockSize);
    stamp(blocks[i], kBlockSize, (uint64_t)i);
  }
  for (int i = 0; i < kBlocks; i++) {
    CHECK(is_stamped(blocks[i], kBlockSize, (uint64_t)i));
    free(blocks[i]);
  }
  return 0;
}

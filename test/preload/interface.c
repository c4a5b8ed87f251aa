// SPDX-License-Identifier: MIT
// spillway/spillway.h, compiled as C and, by interface.cc, as C++. The functions are declared weak:
// argv[1] is "without" where there is no Spillway and each address is null, "with" where they are
// called. With INTERFACE_STRONG they have to be there.
#include <fcntl.h>
#include <sys/mman.h>

#include "family.h"
#include "process.h"
#ifndef INTERFACE_STRONG
#define SPILLWAY_WEAK
#endif
#include "spillway/spillway.h"
// Including it again is harmless.
#include "spillway/spillway.h"

enum { kBlocks = 64, kSize = 300000 };

static uint64_t statistics(const char* format, char first) {
  static char text[65536];
  int file = memfd_create("statistics", MFD_CLOEXEC);
  CHECK(file >= 0);
  CHECK(spillway_write_statistics(file, format) == 0);
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  close(file);
  CHECK(length > 0);
  text[length] = '\0';
  CHECK(text[0] == first && text[length - 1] == '\n');
  return (uint64_t)length;
}

static int calls;
static void on_limit(uint64_t held, uint64_t limit) {
  CHECK(held != limit);
  calls++;
}

static void use(void) {
  CHECK(spillway_version() > 0 && spillway_version() < 1000000);

  static void* blocks[kBlocks];
  // mimalloc counts what it reserves at its first block, too, and with its first collection.
  void* small = malloc(100);
  CHECK(small != NULL);
  spillway_purge();
  const uint64_t before = spillway_held_bytes();
  for (int i = 0; i < kBlocks; i++) {
    blocks[i] = malloc(kSize);
    CHECK(blocks[i] != NULL);
    stamp(blocks[i], kSize, (uint64_t)i);
  }
  CHECK_COMPARE(spillway_held_bytes(), >=, before + (uint64_t)kBlocks * kSize);
  const size_t peak = resident_bytes();
  for (int i = 0; i < kBlocks; i++) {
    CHECK(is_stamped(blocks[i], kSize, (uint64_t)i));
    free(blocks[i]);
  }
  errno = 4711;
  spillway_flush_thread();
  spillway_flush_thread();
  CHECK_COMPARE(spillway_purge(), >=, (uint64_t)kBlocks * kSize / 2);
  CHECK(errno == 4711);
  CHECK_COMPARE(peak - resident_bytes(), >=, (size_t)kBlocks * kSize / 2);
  CHECK_COMPARE(spillway_held_bytes(), <, before + (uint64_t)kBlocks * kSize / 2);
  CHECK_COMPARE(spillway_purge(), ==, 0);

  CHECK_COMPARE(statistics("text", 's'), >, 100);
  CHECK_COMPARE(statistics("json", '{'), >, 100);
  CHECK_COMPARE(statistics("prometheus", '#'), >, 100);
  CHECK(spillway_write_statistics(1, "xml") == EINVAL);
  CHECK(spillway_write_statistics(1, "") == EINVAL);

  char value[16];
  CHECK(spillway_get_option("on_misuse", value, sizeof value) == 0 && strcmp(value, "abort") == 0);
  CHECK(spillway_set_option("ON_MISUSE", "ignore") == 0);
  CHECK(spillway_get_option("on_misuse", value, sizeof value) == 0 && strcmp(value, "ignore") == 0);
  void* wrong = malloc(kSize);
  free(wrong);
  free(wrong);
  CHECK(spillway_set_option("on_misuse", "never") == EINVAL);
  CHECK(spillway_set_option("on_misuse", "abort") == 0);
  CHECK(spillway_set_option("hard_limit", "0") == EINVAL);
  CHECK(spillway_set_option("no_such_option", "1") == ENOENT);
  CHECK(spillway_set_option("min_size", "8K") == EPERM);
  CHECK(spillway_get_option("no_such_option", value, sizeof value) == ENOENT);
  CHECK(spillway_get_option("min_size", value, 4) == ERANGE);
  CHECK(spillway_get_option("min_size", value, 5) == 0 && strcmp(value, "4096") == 0);
  CHECK(spillway_set_option("hard_limit", "1M") == 0);
  errno = 0;
  CHECK(malloc((size_t)64 * kSize) == NULL && errno == ENOMEM);
  CHECK(spillway_set_option("hard_limit", "none") == 0);

  free(small);
  // Without a limit no callback is called.
  spillway_on_limit(on_limit);
  for (int i = 0; i < kBlocks; i++) CHECK((blocks[i] = malloc(kSize)) != NULL);
  for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  spillway_on_limit(NULL);
  CHECK(calls == 0);

  const int tenant = spillway_tenant_create("interface", 0);
  CHECK(tenant > 0 && spillway_tenant_enter(tenant) == 0);
  void* charged = malloc(kSize);
  CHECK(spillway_tenant_leave() == tenant);
  CHECK_COMPARE(spillway_tenant_bytes(tenant), ==, malloc_usable_size(charged));
  free(charged);
  CHECK(spillway_tenant_bytes(tenant) == 0);
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  const int there = strcmp(argv[1], "with") == 0;
#ifdef INTERFACE_STRONG
  CHECK(there);
#else
  CHECK((spillway_version != NULL) == there);
  CHECK((spillway_purge != NULL) == there);
  CHECK((spillway_flush_thread != NULL) == there);
  CHECK((spillway_write_statistics != NULL) == there);
  CHECK((spillway_held_bytes != NULL) == there);
  CHECK((spillway_on_limit != NULL) == there);
  CHECK((spillway_tenant_create != NULL) == there);
  CHECK((spillway_tenant_enter != NULL) == there);
  CHECK((spillway_tenant_leave != NULL) == there);
  CHECK((spillway_tenant_set_limit != NULL) == there);
  CHECK((spillway_tenant_read != NULL) == there);
  CHECK((spillway_tenant_bytes != NULL) == there);
  CHECK((spillway_on_tenant_limit != NULL) == there);
  CHECK((spillway_get_option != NULL) == there);
  CHECK((spillway_set_option != NULL) == there);
  if (!there) return 0;
#endif
  use();
  return 0;
}

// SPDX-License-Identifier: MIT
// Tenants by spillway/spillway.h. argv[1] is "on"; "off" where the pool serves no request, and
// tenants can't be made; "options" with SPILLWAY_TENANT_LIMITS=first=1M,second=2K.
// CHARGES_MIMALLOC: whether the library's mimalloc charges blocks below 4 KiB and above 64 MiB.
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "family.h"
#include "process.h"
#define SPILLWAY_WEAK
#include "spillway/spillway.h"

enum { kThreads = 4, kCells = 32, kRounds = 1500, kMegabyte = 1 << 20 };

static const size_t sizes[] = {
#if CHARGES_MIMALLOC
    17,   100,   1500,  4000,
#endif
    4096, 20000, 65536, 300000, 1 << 20, 3 << 20};
enum { kTenantSizes = sizeof sizes / sizeof sizes[0] };

static int fails_with(int result, int error) {
  const int right = result == -1 && errno == error;
  errno = 0;
  return right;
}

static struct spillway_tenant_usage usage_of(int tenant) {
  struct spillway_tenant_usage usage;
  CHECK(spillway_tenant_read(tenant, &usage, sizeof usage) == 0);
  CHECK(usage.live_bytes == spillway_tenant_bytes(tenant));
  return usage;
}

static void wrong_calls(void) {
  char longest[64];
  memset(longest, 'x', sizeof longest);
  longest[48] = '\0';
  CHECK(fails_with(spillway_tenant_create(NULL, 0), EINVAL));
  CHECK(fails_with(spillway_tenant_create("", 0), EINVAL));
  CHECK(fails_with(spillway_tenant_create(longest, 0), EINVAL));
  CHECK(fails_with(spillway_tenant_create("two words", 0), EINVAL));
  CHECK(fails_with(spillway_tenant_create("a\"b", 0), EINVAL));
  CHECK(fails_with(spillway_tenant_create("a\nb", 0), EINVAL));
  CHECK(fails_with(spillway_tenant_create("\xc3\xa4", 0), EINVAL));
  for (int wrong = -1; wrong < 1000; wrong += 77) {
    struct spillway_tenant_usage usage;
    if (wrong != 0) CHECK(fails_with(spillway_tenant_enter(wrong), EINVAL));
    CHECK(spillway_tenant_set_limit(wrong, 1) == EINVAL);
    CHECK(spillway_tenant_read(wrong, &usage, sizeof usage) == EINVAL);
    CHECK(spillway_tenant_bytes(wrong) == 0);
  }
  CHECK(spillway_tenant_read(0, NULL, 0) == EINVAL);
  CHECK(spillway_tenant_leave() == 0);
}

static void names(void) {
  const int one = spillway_tenant_create("one", 5 * kMegabyte);
  const int other = spillway_tenant_create("x/y_z-0.1", 0);
  CHECK(one > 0 && other > 0 && one != other);
  CHECK(spillway_tenant_create("one", 7) == one);
  CHECK(usage_of(one).soft_limit_bytes == 5 * kMegabyte);
  CHECK(strcmp(usage_of(one).name, "one") == 0);
  CHECK(usage_of(other).soft_limit_bytes == 0);
  // A program that knows fewer fields, and one that knows more.
  uint64_t figures[20];
  memset(figures, 0xff, sizeof figures);
  CHECK(spillway_tenant_read(one, (struct spillway_tenant_usage*)figures, 16) == 0);
  CHECK(figures[1] == 0 && figures[2] == UINT64_MAX);
  CHECK(spillway_tenant_read(one, (struct spillway_tenant_usage*)figures, sizeof figures) == 0);
  CHECK(figures[4] == 5 * kMegabyte && figures[19] == 0);
}

// Where a thread is, and what it is charged.
static void enters(void) {
  const int outer = spillway_tenant_create("outer", 0);
  const int inner = spillway_tenant_create("inner", 0);
  CHECK(spillway_tenant_enter(outer) == 0);
  CHECK(spillway_tenant_enter(outer) == outer);
  void* of_outer = malloc(50000);
  CHECK(spillway_tenant_enter(inner) == outer);
  void* of_inner = malloc(70000);
  CHECK(spillway_tenant_enter(outer) == inner);
  void* also_outer = malloc(5000);
  CHECK(spillway_tenant_leave() == outer);
  CHECK(spillway_tenant_leave() == 0);
  void* of_none = malloc(60000);
  CHECK_COMPARE(usage_of(outer).live_bytes, ==,
                malloc_usable_size(of_outer) + malloc_usable_size(also_outer));
  CHECK(usage_of(outer).live_blocks == 2 && usage_of(outer).allocations_total == 2);
  CHECK_COMPARE(usage_of(inner).live_bytes, ==, malloc_usable_size(of_inner));
  free(of_none);
  free(of_outer);
  free(also_outer);
  CHECK(spillway_tenant_enter(outer) == 0);
  free(of_inner);
  CHECK(spillway_tenant_leave() == outer);
  CHECK(usage_of(outer).live_bytes == 0 && usage_of(inner).live_bytes == 0);
  CHECK(usage_of(outer).live_blocks == 0 && usage_of(outer).peak_bytes >= 55000);
  CHECK(usage_of(outer).uncharged_total == 0);
}

static void outside_the_pool(int tenant) {
  char* small = malloc(100);
  char* huge = malloc((size_t)100 << 20);
  CHECK(small != NULL && huge != NULL);
#if CHARGES_MIMALLOC
  CHECK_COMPARE(usage_of(tenant).live_bytes, ==,
                malloc_usable_size(small) + malloc_usable_size(huge));
  for (size_t size = 20; size < (size_t)200 << 20; size += size / 2) {
    CHECK((small = realloc(small, size)) != NULL);
    CHECK_COMPARE(usage_of(tenant).live_bytes, ==,
                  malloc_usable_size(small) + malloc_usable_size(huge));
  }
  CHECK((small = realloc(small, 50)) != NULL);
  CHECK_COMPARE(usage_of(tenant).live_bytes, ==,
                malloc_usable_size(small) + malloc_usable_size(huge));
#else
  CHECK(usage_of(tenant).live_bytes == 0);
  CHECK(usage_of(tenant).uncharged_total == 1);
#endif
  free(huge);
  free(small);
  CHECK(usage_of(tenant).live_bytes == 0 && usage_of(tenant).live_blocks == 0);
}

static void whole_family(void) {
  const int tenant = spillway_tenant_create("family", 0);
  CHECK(spillway_tenant_enter(tenant) == 0);
  for (int i = 0; i < kTenantSizes; i++) {
    const size_t size = sizes[i];
    void* blocks[] = {malloc(size), calloc(1, size), aligned_alloc(64, size), memalign(65536, size),
                      realloc(NULL, size)};
    enum { kBlocks = sizeof blocks / sizeof blocks[0] };
    uint64_t sum = 0;
    for (int b = 0; b < kBlocks; b++) {
      CHECK(blocks[b] != NULL);
      stamp(blocks[b], size, (uint64_t)b);
      sum += malloc_usable_size(blocks[b]);
    }
    CHECK_COMPARE(usage_of(tenant).live_bytes, ==, sum);
    for (int b = 0; b < kBlocks; b++) {
      CHECK(is_stamped(blocks[b], size, (uint64_t)b));
      free(blocks[b]);
    }
    CHECK_COMPARE(usage_of(tenant).live_bytes, ==, 0);
  }
  char* growing = malloc(4096);
  memset(growing, 7, 4096);
  for (size_t size = 4096; size < 30 << 20; size += size / 3) {
    CHECK((growing = realloc(growing, size)) != NULL);
    CHECK_COMPARE(usage_of(tenant).live_bytes, ==, malloc_usable_size(growing));
    CHECK(growing[0] == 7 && growing[4095] == 7);
  }
  for (size_t size = 20 << 20; size > 5000; size /= 3) {
    CHECK((growing = realloc(growing, size)) != NULL);
    CHECK_COMPARE(usage_of(tenant).live_bytes, ==, malloc_usable_size(growing));
  }
  free(growing);
  CHECK(usage_of(tenant).live_bytes == 0 && usage_of(tenant).live_blocks == 0);
  CHECK_COMPARE(usage_of(tenant).peak_bytes, >=, 20 << 20);
  CHECK(usage_of(tenant).uncharged_total == 0);
  outside_the_pool(tenant);
  CHECK(spillway_tenant_leave() == tenant);
}

// Blocks that threads hand on; some of them end in a tenant.
static _Atomic(void*) cells[kCells];
static int shared;

static void* hand_on(void* argument) {
  const unsigned number = (unsigned)(uintptr_t)argument;
  for (unsigned round = 0; round < kRounds; round++) {
    if (round % 50 == 0) {
      if ((round / 50 + number) % 3 == 0)
        spillway_tenant_leave();
      else
        CHECK(spillway_tenant_enter(shared) >= 0);
    }
    void* block = malloc(sizes[(round + number) % (kTenantSizes - 2)]);
    if (round % 7 == 0) block = realloc(block, sizes[round % (kTenantSizes - 1)]);
    CHECK(block != NULL);
    free(atomic_exchange(&cells[(round * 13 + number) % kCells], block));
  }
  return NULL;
}

static void threads(void) {
  shared = spillway_tenant_create("shared", 0);
  for (int generation = 0; generation < 3; generation++) {
    pthread_t all[kThreads];
    for (uintptr_t i = 0; i < kThreads; i++)
      CHECK(pthread_create(&all[i], NULL, hand_on, opaque((void*)i)) == 0);
    for (int i = 0; i < kThreads; i++) CHECK(pthread_join(all[i], NULL) == 0);
  }
  for (int i = 0; i < kCells; i++) free(atomic_exchange(&cells[i], NULL));
  CHECK_COMPARE(usage_of(shared).live_bytes, ==, 0);
  CHECK_COMPARE(usage_of(shared).live_blocks, ==, 0);
}

static atomic_int calls;
static int told_tenant;
static uint64_t told_live, told_limit;

static void on_limit(int tenant, uint64_t live, uint64_t limit) {
  told_tenant = tenant;
  told_live = live;
  told_limit = limit;
  calls++;
  free(malloc(200000));  // over it, and inside
  errno = 99;
}

static void soft_limit(void) {
  enum { kBlocks = 24, kSize = 65536 };
  void* blocks[kBlocks];
  const int tenant = spillway_tenant_create("limited", kMegabyte);
  spillway_on_tenant_limit(on_limit);
  CHECK(spillway_tenant_enter(tenant) == 0);
  for (int crossing = 1; crossing <= 3; crossing++) {
    const uint64_t exceeded = usage_of(tenant).soft_limit_exceeded_total;
    for (int i = 0; i < kBlocks; i++) {
      errno = 4711;
      CHECK((blocks[i] = malloc(kSize)) != NULL);
      CHECK(errno == 4711);
    }
    CHECK(calls == crossing && told_tenant == tenant && told_limit == kMegabyte);
    CHECK(told_live > kMegabyte && told_live <= kMegabyte + 2 * kSize);
    CHECK(usage_of(tenant).soft_limit_crossed_total == (uint64_t)crossing);
    CHECK_COMPARE(usage_of(tenant).soft_limit_exceeded_total - exceeded, >=, kBlocks - 16);
    for (int i = 0; i < kBlocks; i++) free(blocks[i]);
  }
#if CHARGES_MIMALLOC
  // Small blocks alone cross it, too.
  enum { kSmall = 1000 };
  void* small[2 * kMegabyte / kSmall];
  enum { kSmallBlocks = sizeof small / sizeof small[0] };
  for (int i = 0; i < kSmallBlocks; i++) CHECK((small[i] = malloc(kSmall)) != NULL);
  CHECK(calls == 4 && told_live > kMegabyte && told_live <= kMegabyte + 2 * kSize);
  for (int i = 0; i < kSmallBlocks; i++) free(small[i]);
  calls--;
#endif
  // A new limit below what is charged is told at the next request.
  blocks[0] = malloc(kSize);
  CHECK(spillway_tenant_set_limit(tenant, 4096) == 0 && calls == 3);
  blocks[1] = malloc(kSize);
  CHECK(calls == 4 && told_limit == 4096);
  CHECK(spillway_tenant_set_limit(tenant, 0) == 0 && usage_of(tenant).soft_limit_bytes == 0);
  spillway_on_tenant_limit(NULL);
  free(blocks[0]);
  free(blocks[1]);
  CHECK(spillway_tenant_leave() == tenant && spillway_tenant_bytes(tenant) == 0);
}

// The child goes on in the tenant, with what it was charged.
static void forks(void) {
  const int tenant = spillway_tenant_create("forked", 0);
  CHECK(spillway_tenant_enter(tenant) == 0);
  void* block = malloc(100000);
  void* small = malloc(100);
  const uint64_t charged = spillway_tenant_bytes(tenant);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    void* second = malloc(100000);
    CHECK(spillway_tenant_bytes(tenant) == charged + malloc_usable_size(second));
    free(block);
    free(small);
    free(second);
    CHECK(spillway_tenant_bytes(tenant) == 0);
    CHECK(spillway_tenant_create("of the child", 0) == -1);
    CHECK(spillway_tenant_create("of_the_child", 0) > tenant);
    CHECK(spillway_tenant_leave() == tenant);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(spillway_tenant_bytes(tenant) == charged);
  free(block);
  free(small);
  CHECK(spillway_tenant_leave() == tenant && spillway_tenant_bytes(tenant) == 0);
}

// After its cache went, a thread is in none, and can't enter.
static pthread_key_t key;
static int of_ending;

static void at_end(void* rounds) {
  if ((uintptr_t)rounds < 3) {
    pthread_setspecific(key, (char*)rounds + 1);
    return;
  }
  void* block = malloc(100000);
  void* small = malloc(100);
  CHECK(spillway_tenant_bytes(of_ending) == 0);
  CHECK(fails_with(spillway_tenant_enter(of_ending), EAGAIN));
  CHECK(spillway_tenant_leave() == 0);
  free(small);
  free(block);
}

static void* end_inside(void* argument) {
  CHECK(spillway_tenant_enter(of_ending) == 0);
  free(malloc(100000));
  free(malloc(100));
  pthread_setspecific(key, (void*)1);
  return argument;
}

static void* fresh(void* argument) {
  CHECK(spillway_tenant_leave() == 0);
  return argument;
}

static void ends(void) {
  of_ending = spillway_tenant_create("ending", 0);
  CHECK(pthread_key_create(&key, at_end) == 0);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, end_inside, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(pthread_create(&thread, NULL, fresh, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
}

static void too_many(void) {
  char name[] = "many000";
  int made = 0, result;
  for (; made < 300; made++) {
    name[4] = (char)('0' + made / 100);
    name[5] = (char)('0' + made / 10 % 10);
    name[6] = (char)('0' + made % 10);
    result = spillway_tenant_create(name, 0);
    if (result < 0) break;
  }
  CHECK(fails_with(result, ENOSPC) && made > 200);
  CHECK(spillway_tenant_create("one", 0) > 0);
  CHECK(spillway_tenant_enter(255) == 0);
  void* block = malloc(4096);
  CHECK(spillway_tenant_bytes(255) == malloc_usable_size(block));
  CHECK(spillway_tenant_leave() == 255);
  free(block);
  CHECK(spillway_tenant_bytes(255) == 0);
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  if (strcmp(argv[1], "off") == 0) {
    CHECK(fails_with(spillway_tenant_create("one", 0), ENOTSUP));
    CHECK(fails_with(spillway_tenant_enter(1), EINVAL));
    CHECK(spillway_tenant_leave() == 0);
    return 0;
  }
  if (strcmp(argv[1], "options") == 0) {
    const int first = spillway_tenant_create("first", 5),
              second = spillway_tenant_create("second", 0);
    CHECK(first == 1 && second == 2);
    CHECK(usage_of(first).soft_limit_bytes == kMegabyte &&
          usage_of(second).soft_limit_bytes == 2048);
    CHECK(spillway_tenant_set_limit(first, 7) == 0 && usage_of(first).soft_limit_bytes == 7);
    return 0;
  }
  wrong_calls();
  names();
  enters();
  whole_family();
  threads();
  soft_limit();
  forks();
  ends();
  too_many();
  return 0;
}

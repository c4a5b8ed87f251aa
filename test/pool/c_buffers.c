// SPDX-License-Identifier: MIT
// Buffers and shared buffers: each way to take one, every error, every way back, second returns.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/pool/c_test.h"

static uint64_t live_of(struct spillway_pool* pool, size_t index) {
  struct spillway_pool_class_statistics one;
  CHECK(spillway_pool_read_class(pool, index, &one, sizeof one) == SPILLWAY_POOL_OK);
  return one.live;
}

static int is_empty(const struct spillway_pool_buffer* buffer) {
  return buffer->data == NULL && buffer->length == 0 && buffer->capacity == 0 &&
         buffer->owner == NULL;
}

static int all_zero(const struct spillway_pool_buffer* buffer) {
  const unsigned char* bytes = buffer->data;
  for (size_t i = 0; i < buffer->length; ++i) {
    if (bytes[i] != 0) {
      return 0;
    }
  }
  return 1;
}

// A buffer whose memory was used and returned: the next one's.
static void soil(struct spillway_pool* pool, size_t size) {
  struct spillway_pool_buffer buffer;
  CHECK(spillway_pool_try_alloc(pool, size, NULL, &buffer) == SPILLWAY_POOL_OK);
  memset(buffer.data, 0xa5, buffer.capacity);
  spillway_pool_return(&buffer);
}

static void test_each_way_to_take(void) {
  struct spillway_pool* pool = make_small_pool(1);
  struct spillway_pool_buffer buffer;
  CHECK(spillway_pool_alloc(pool, 5000, NULL, &buffer) == SPILLWAY_POOL_OK);
  CHECK(buffer.data != NULL && buffer.length == 0 && buffer.capacity == 8192);
  CHECK(spillway_pool_is_pooled(&buffer) == 1 && live_of(pool, 1) == 1);
  spillway_pool_return(&buffer);
  CHECK(is_empty(&buffer) && live_of(pool, 1) == 0);
  spillway_pool_return(&buffer);

  soil(pool, 4096);
  CHECK(spillway_pool_alloc_zeroed(pool, 100, NULL, &buffer) == SPILLWAY_POOL_OK);
  CHECK(buffer.length == 100 && buffer.capacity == 4096 && all_zero(&buffer));
  spillway_pool_free(buffer.data, buffer.owner);
  soil(pool, 4096);
  CHECK(spillway_pool_acquire(pool, 100, NULL, &buffer) == SPILLWAY_POOL_OK);
  CHECK(buffer.length == 4096 && buffer.capacity == 4096 && all_zero(&buffer));
  spillway_pool_return(&buffer);
  soil(pool, 4096);
  CHECK(spillway_pool_try_alloc_zeroed(pool, 100, NULL, &buffer) == SPILLWAY_POOL_OK);
  CHECK(buffer.length == 100 && all_zero(&buffer));
  spillway_pool_return(&buffer);
  spillway_pool_free(NULL, NULL);
  spillway_pool_destroy(pool);
  spillway_pool_destroy(NULL);
}

static void test_each_error(void) {
  struct spillway_pool* pool = make_small_pool(1);
  struct spillway_pool_buffer only;
  struct spillway_pool_buffer buffer;
  CHECK(spillway_pool_try_alloc(pool, 8192, NULL, &only) == SPILLWAY_POOL_OK);
  memset(&buffer, 0xff, sizeof buffer);
  CHECK(spillway_pool_try_alloc(pool, 8192, NULL, &buffer) == SPILLWAY_POOL_EXHAUSTED);
  CHECK(is_empty(&buffer));
  CHECK(spillway_pool_try_alloc_zeroed(pool, 8193, NULL, &buffer) == SPILLWAY_POOL_OVERSIZED);
  CHECK(is_empty(&buffer) && spillway_pool_is_pooled(&buffer) == 0);

  // Without try_ the system's heap serves them.
  CHECK(spillway_pool_alloc(pool, 8192, NULL, &buffer) == SPILLWAY_POOL_OK);
  CHECK(spillway_pool_is_pooled(&buffer) == 0 && buffer.capacity == 8192);
  spillway_pool_return(&buffer);
  CHECK(spillway_pool_alloc_zeroed(pool, 10000, NULL, &buffer) == SPILLWAY_POOL_OK);
  CHECK(spillway_pool_is_pooled(&buffer) == 0 && buffer.length == 10000 && all_zero(&buffer));
  spillway_pool_return(&buffer);
  // It has no memory for such sizes.
  CHECK(spillway_pool_alloc(pool, SIZE_MAX / 4, NULL, &buffer) == SPILLWAY_POOL_NO_MEMORY);
  CHECK(is_empty(&buffer));
  CHECK(spillway_pool_alloc_zeroed(pool, SIZE_MAX, NULL, &buffer) == SPILLWAY_POOL_NO_MEMORY);
  CHECK(spillway_pool_acquire(pool, SIZE_MAX, NULL, &buffer) == SPILLWAY_POOL_NO_MEMORY);
  CHECK(spillway_pool_resize(&only, SIZE_MAX) == SPILLWAY_POOL_NO_MEMORY);
  CHECK(only.capacity == 8192 && spillway_pool_is_pooled(&only) == 1);
  spillway_pool_return(&only);
  CHECK(spillway_pool_resize(&only, 1) == SPILLWAY_POOL_NO_MEMORY && is_empty(&only));
  CHECK(spillway_pool_resize(&only, 0) == SPILLWAY_POOL_OK && is_empty(&only));
  spillway_pool_destroy(pool);
}

static void test_resize(void) {
  struct spillway_pool* pool = make_small_pool(2);
  struct spillway_pool_buffer buffer;
  CHECK(spillway_pool_alloc(pool, 4096, NULL, &buffer) == SPILLWAY_POOL_OK);
  memcpy(buffer.data, "hello", 5);
  buffer.length = 5;
  CHECK(spillway_pool_resize(&buffer, 5000) == SPILLWAY_POOL_OK);
  CHECK(buffer.length == 5000 && buffer.capacity == 8192);
  CHECK(memcmp(buffer.data, "hello\0", 6) == 0 && ((char*)buffer.data)[4999] == 0);
  CHECK(live_of(pool, 0) == 0 && live_of(pool, 1) == 1);
  CHECK(spillway_pool_resize(&buffer, 9000) == SPILLWAY_POOL_OK);
  CHECK(spillway_pool_is_pooled(&buffer) == 0 && memcmp(buffer.data, "hello", 5) == 0);
  CHECK(spillway_pool_resize(&buffer, 2) == SPILLWAY_POOL_OK);
  CHECK(buffer.length == 2 && buffer.capacity == 9000);
  spillway_pool_return(&buffer);
  CHECK(live_of(pool, 1) == 0);
  spillway_pool_destroy(pool);
}

// Buffers of which only the pointer was kept; and after the pool's end.
static void test_adopt(void) {
  struct spillway_pool* pool = make_small_pool(2);
  struct spillway_pool_buffer buffer;
  for (int unpooled = 0; unpooled <= 1; ++unpooled) {
    CHECK(spillway_pool_alloc(pool, unpooled ? 9000 : 4096, NULL, &buffer) == SPILLWAY_POOL_OK);
    struct spillway_pool_buffer same = spillway_pool_adopt(buffer.data, 7, buffer.owner);
    CHECK(same.data == buffer.data && same.length == 7 && same.capacity == buffer.capacity &&
          same.owner == buffer.owner);
    if (!unpooled) {
      spillway_pool_return(&same);
    }
  }
  CHECK(live_of(pool, 0) == 0);
  const struct spillway_pool_buffer none = spillway_pool_adopt(NULL, 0, NULL);
  CHECK(is_empty(&none));
  struct spillway_pool_buffer pooled;
  CHECK(spillway_pool_alloc(pool, 1, NULL, &pooled) == SPILLWAY_POOL_OK);
  spillway_pool_destroy(pool);
  memset(buffer.data, 1, buffer.capacity);
  memset(pooled.data, 1, pooled.capacity);
  CHECK(spillway_pool_resize(&pooled, 5000) == SPILLWAY_POOL_OK);
  CHECK(spillway_pool_is_pooled(&pooled) == 0);
  spillway_pool_return(&buffer);
  spillway_pool_return(&pooled);
}

static struct spillway_pool_shared frozen(struct spillway_pool* pool, size_t size,
                                          const char* text) {
  struct spillway_pool_buffer buffer;
  CHECK(spillway_pool_alloc(pool, size, NULL, &buffer) == SPILLWAY_POOL_OK);
  buffer.length = strlen(text);
  memcpy(buffer.data, text, buffer.length);
  struct spillway_pool_shared shared = spillway_pool_freeze(&buffer);
  CHECK(is_empty(&buffer));
  return shared;
}

static void test_shared(size_t size) {
  struct spillway_pool* pool = make_small_pool(2);
  struct spillway_pool_shared all = frozen(pool, size, "hello world");
  CHECK(all.length == 11 && spillway_pool_is_unique(&all) == 1);
  struct spillway_pool_shared world = spillway_pool_slice(&all, 6, SIZE_MAX);
  CHECK(world.length == 5 && memcmp(world.data, "world", 5) == 0);
  CHECK(world.data == (const char*)all.data + 6 && spillway_pool_is_unique(&all) == 0);
  struct spillway_pool_shared nothing = spillway_pool_slice(&all, 11, 1);
  CHECK(nothing.data == NULL && nothing.owner == NULL && spillway_pool_is_unique(&nothing) == 0);
  spillway_pool_release(&nothing);
  struct spillway_pool_shared copy = spillway_pool_retain(&world);
  CHECK(copy.data == world.data && copy.length == 5);

  struct spillway_pool_buffer buffer;
  CHECK(spillway_pool_thaw(&world, &buffer) == SPILLWAY_POOL_SHARED);
  CHECK(is_empty(&buffer) && world.length == 5);
  spillway_pool_release(&all);
  CHECK(all.data == NULL && all.owner == NULL);
  spillway_pool_release(&all);
  spillway_pool_release(&copy);
  CHECK(spillway_pool_is_unique(&world) == 1);
  CHECK(spillway_pool_thaw(&world, &buffer) == SPILLWAY_POOL_OK && world.owner == NULL);
  CHECK(buffer.length == 5 && memcmp(buffer.data, "world", 5) == 0);
  const size_t memory = size <= 4096 ? 4096 : size;
  CHECK(buffer.capacity == (spillway_pool_is_pooled(&buffer) ? memory - 6 : memory));
  memset(buffer.data, 1, buffer.capacity);
  spillway_pool_return(&buffer);
  CHECK(spillway_pool_thaw(&world, &buffer) == SPILLWAY_POOL_OK && is_empty(&buffer));
  CHECK(spillway_pool_freeze(&buffer).owner == NULL);
  CHECK(live_of(pool, 0) == 0);

  world = frozen(pool, size, "late");
  spillway_pool_destroy(pool);
  CHECK(memcmp(world.data, "late", 4) == 0);
  spillway_pool_release(&world);
}

// A child returns a copy of a buffer again.
static void test_second_return(void) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 2);
    struct spillway_pool* pool = make_small_pool(2);
    struct spillway_pool_buffer buffer;
    spillway_pool_alloc(pool, 4096, NULL, &buffer);
    struct spillway_pool_buffer copy = buffer;
    spillway_pool_return(&buffer);
    spillway_pool_return(&copy);
    _exit(0);
  }
  close(ends[1]);
  static char said[1 << 16];  // a sanitizer has more to say
  size_t length = 0;
  for (ssize_t got = 1; got > 0 && length < sizeof said - 1;
       length += (size_t)(got > 0 ? got : 0)) {
    got = read(ends[0], said + length, sizeof said - 1 - length);
  }
  said[length] = '\0';
  close(ends[0]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  CHECK(strstr(said, " given back twice, of the 4096-byte class\n") != NULL);
}

static void* work(void* argument) {
  struct spillway_pool* pool = argument;
  struct spillway_pool_shared last = {0};
  for (int i = 0; i < 2000; ++i) {
    struct spillway_pool_buffer buffer;
    if (spillway_pool_alloc(pool, (size_t)(i % 8192), NULL, &buffer) != SPILLWAY_POOL_OK) {
      return pool;
    }
    memset(buffer.data, i & 0x7f, buffer.length = (size_t)(i % 8192));
    spillway_pool_release(&last);
    struct spillway_pool_shared shared = spillway_pool_freeze(&buffer);
    last = spillway_pool_retain(&shared);
    spillway_pool_release(&shared);
  }
  spillway_pool_release(&last);
  spillway_pool_flush(pool);
  return NULL;
}

static void test_threads(void) {
  struct spillway_pool_config config = config_of(SPILLWAY_POOL_DEFAULT);
  config.thread_cache_buffers = 4;
  struct spillway_pool* pool = make_pool(&config);
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) {
    CHECK(pthread_create(&threads[i], NULL, work, pool) == 0);
  }
  for (int i = 0; i < 3; ++i) {
    void* result = pool;
    CHECK(pthread_join(threads[i], &result) == 0 && result == NULL);
  }
  CHECK(live_of(pool, 0) == 0 && live_of(pool, 1) == 0);
  CHECK(spillway_pool_purge(pool) > 0);
  spillway_pool_destroy(pool);
}

void test_buffers(void) {
  test_each_way_to_take();
  test_each_error();
  test_resize();
  test_adopt();
  test_shared(4096);
  test_shared(10000);
  test_second_return();
  test_threads();
}

// SPDX-License-Identifier: MIT
// As pool_use.cc, through the pool's C interface.
#include <spillway/pool.h>
#include <stdio.h>
#include <string.h>

#define SIZE 4096

static volatile char seen = 0;

__attribute__((noinline)) static void read_byte(const void* at) {
  seen = *(const volatile char*)at;
}
__attribute__((noinline)) static void write_byte(void* at) { *(volatile char*)at = 1; }
__attribute__((noinline)) static struct spillway_pool_buffer take_buffer(
    struct spillway_pool* pool) {
  struct spillway_pool_buffer buffer;
  spillway_pool_alloc(pool, SIZE, NULL, &buffer);
  return buffer;
}
__attribute__((noinline)) static void give_buffer(struct spillway_pool_buffer* buffer) {
  spillway_pool_return(buffer);
}
__attribute__((noinline)) static void give_shared(struct spillway_pool_shared* shared) {
  spillway_pool_release(shared);
}
__attribute__((noinline)) static void give_raw(const struct spillway_pool_buffer* buffer) {
  spillway_pool_free(buffer->data, buffer->owner);
}

static void use_after_return(struct spillway_pool* pool) {
  struct spillway_pool_buffer buffer = take_buffer(pool);
  char* data = buffer.data;
  memset(data, 1, SIZE);
  give_buffer(&buffer);
  read_byte(data + 16);
}

static void shared_after_return(struct spillway_pool* pool) {
  struct spillway_pool_buffer buffer = take_buffer(pool);
  char* data = buffer.data;
  struct spillway_pool_shared shared = spillway_pool_freeze(&buffer);
  struct spillway_pool_shared copy = spillway_pool_retain(&shared);
  spillway_pool_release(&copy);
  write_byte(data + 16);
  give_shared(&shared);
  write_byte(data + 16);
}

static void return_twice(struct spillway_pool* pool) {
  const struct spillway_pool_buffer buffer = take_buffer(pool);
  give_raw(&buffer);
  give_raw(&buffer);
}

static void correct(struct spillway_pool* pool) {
  struct spillway_pool_buffer first = take_buffer(pool);
  memset(first.data, 1, first.capacity);
  spillway_pool_resize(&first, 2 * SIZE);
  memset(first.data, 2, first.length);
  struct spillway_pool_shared shared = spillway_pool_freeze(&first);
  struct spillway_pool_shared part = spillway_pool_slice(&shared, SIZE, SIZE);
  spillway_pool_release(&shared);
  read_byte(part.data);
  struct spillway_pool_buffer again;
  spillway_pool_thaw(&part, &again);
  memset(again.data, 3, again.capacity);
  spillway_pool_return(&again);
}

static const struct {
  const char* name;
  void (*run)(struct spillway_pool* pool);
} cases[] = {{"use_after_return", use_after_return},
             {"shared_after_return", shared_after_return},
             {"return_twice", return_twice},
             {"correct", correct}};

int main(int count, char** arguments) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    if (count == 2 && strcmp(cases[i].name, arguments[1]) == 0) {
      struct spillway_pool_config config;
      spillway_pool_config_init(&config, sizeof config, SPILLWAY_POOL_PAGE_BUFFERS);
      struct spillway_pool* pool = NULL;
      if (spillway_pool_create(&config, &pool, NULL, 0) != SPILLWAY_POOL_OK) {
        return 1;
      }
      cases[i].run(pool);
      spillway_pool_destroy(pool);
      puts("end");
      return 0;
    }
  }
  fputs("usage: pool_use CASE\n", stderr);
  return 2;
}

// SPDX-License-Identifier: MIT
// uring_copy FROM TO: copies a file through io_uring, from and to buffers of a pinned pool that the
// kernel knows beforehand: it does not look up, pin and release their pages at each request.
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <spillway/pool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEPTH 8
#define BLOCK ((size_t)65536)

// One block of the file on its way.
struct request {
  struct spillway_pool_buffer buffer;
  unsigned long long offset;
  int writes;
};

static int fail(const char* what, int error) {
  fprintf(stderr, "uring_copy: %s: %s\n", what, strerror(error));
  return -1;
}

static struct spillway_pool* make_pool(void) {
  const size_t sizes[] = {BLOCK};
  struct spillway_pool_config config;
  spillway_pool_config_init(&config, sizeof config, SPILLWAY_POOL_STORAGE);
  config.class_sizes = sizes;
  config.class_count = 1;
  config.max_per_class = DEPTH;
  config.pinned = 1;
  config.prefill = 1;  // all regions are there at once
  struct spillway_pool* pool = NULL;
  char why[256];
  if (spillway_pool_create(&config, &pool, why, sizeof why) != SPILLWAY_POOL_OK) {
    fprintf(stderr, "uring_copy: %s\n", why);
  }
  return pool;
}

static int register_regions(struct io_uring* ring, const struct spillway_pool* pool) {
  struct iovec regions[DEPTH];
  const size_t count = spillway_pool_regions(pool, regions, DEPTH);
  return io_uring_register_buffers(ring, regions, (unsigned)count);
}

static void ask(struct io_uring* ring, const struct spillway_pool* pool, struct request* request,
                const int files[2]) {
  struct io_uring_sqe* entry = io_uring_get_sqe(ring);  // there are DEPTH
  const int region = spillway_pool_locate(pool, request->buffer.data, NULL);
  if (request->writes) {
    io_uring_prep_write_fixed(entry, files[1], request->buffer.data,
                              (unsigned)request->buffer.length, request->offset, region);
  } else {
    io_uring_prep_read_fixed(entry, files[0], request->buffer.data, (unsigned)BLOCK,
                             request->offset, region);
  }
  io_uring_sqe_set_data(entry, request);
}

// Waits for a request to end. What was read is written, and what was written is given back: 0 when
// that was the end of the block, 1 when the block is still on its way.
static int wait_for_one(struct io_uring* ring, const struct spillway_pool* pool,
                        const int files[2]) {
  struct io_uring_cqe* entry = NULL;
  int result = io_uring_submit_and_wait(ring, 1);
  if (result < 0 || (result = io_uring_wait_cqe(ring, &entry)) < 0) {
    return fail("io_uring_enter", -result);
  }
  struct request* request = io_uring_cqe_get_data(entry);
  result = entry->res;
  io_uring_cqe_seen(ring, entry);
  if (result < 0 || (request->writes && (size_t)result != request->buffer.length)) {
    return fail(request->writes ? "write" : "read", result < 0 ? -result : ENOSPC);
  }
  if (!request->writes && result > 0) {
    request->buffer.length = (size_t)result;
    request->writes = 1;
    ask(ring, pool, request, files);
    return 1;
  }
  spillway_pool_return(&request->buffer);
  request->writes = 0;
  return 0;
}

static int copy(struct io_uring* ring, struct spillway_pool* pool, const int files[2],
                unsigned long long bytes) {
  struct request requests[DEPTH] = {0};
  unsigned long long next = 0;
  for (int under_way = 0; next < bytes || under_way > 0;) {
    for (int i = 0; i < DEPTH && next < bytes; ++i) {
      struct request* request = &requests[i];
      if (request->buffer.data == NULL) {
        if (spillway_pool_try_alloc(pool, BLOCK, NULL, &request->buffer) != SPILLWAY_POOL_OK) {
          break;  // the next one that ends gives one back
        }
        request->offset = next;
        next += BLOCK;
        ask(ring, pool, request, files);
        ++under_way;
      }
    }
    const int result = wait_for_one(ring, pool, files);
    if (result < 0) {
      return result;
    }
    under_way -= result == 0;
  }
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: uring_copy FROM TO\n");
    return 2;
  }
  const int files[2] = {open(argv[1], O_RDONLY), open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0666)};
  const off_t bytes = files[0] < 0 ? -1 : lseek(files[0], 0, SEEK_END);
  if (bytes < 0 || files[1] < 0) {
    fail(bytes < 0 ? argv[1] : argv[2], errno);
    return 1;
  }
  struct spillway_pool* pool = make_pool();
  if (pool == NULL) {
    return 1;
  }
  struct io_uring ring;
  int result = io_uring_queue_init(DEPTH, &ring, 0);
  if (result < 0) {
    fail("io_uring_setup", -result);
    return result == -EPERM || result == -ENOSYS ? 77 : 1;  // not to be had on this system
  }
  result = register_regions(&ring, pool);
  if (result < 0) {
    fail("io_uring_register", -result);
  } else {
    result = copy(&ring, pool, files, (unsigned long long)bytes);
  }
  io_uring_queue_exit(&ring);  // no request is under way then
  spillway_pool_destroy(pool);
  return result < 0 || close(files[1]) != 0;
}

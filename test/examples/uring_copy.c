// SPDX-License-Identifier: MIT
// uring_copy FROM TO: copies a file through io_uring, from and to buffers of a pinned pool that the
// kernel knows beforehand: it does not look up, pin and release their pages at each request.
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <spillway/pool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH 8
#define BLOCK ((size_t)65536)

// One block of the file on its way: read into the buffer, then written from it.
struct request {
  struct spillway_pool_buffer buffer;  // its length is the block's
  unsigned long long offset;           // of the block in the file
  size_t done;                         // bytes read, or written, so far
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
  char* data = (char*)request->buffer.data + request->done;
  const unsigned length = (unsigned)(request->buffer.length - request->done);
  const unsigned long long offset = request->offset + request->done;
  if (request->writes) {
    io_uring_prep_write_fixed(entry, files[1], data, length, offset, region);
  } else {
    io_uring_prep_read_fixed(entry, files[0], data, length, offset, region);
  }
  io_uring_sqe_set_data(entry, request);
}

// Waits until a request ends: that one, and its number of bytes or a negative error in `*result`.
// Null when the ring fails.
static struct request* wait_for_one(struct io_uring* ring, int* result) {
  struct io_uring_cqe* entry = NULL;
  do {
    *result = io_uring_submit_and_wait(ring, 1);
    if (*result >= 0) {
      *result = io_uring_wait_cqe(ring, &entry);
    }
  } while (*result == -EINTR);
  if (*result < 0) {
    return NULL;
  }
  struct request* request = io_uring_cqe_get_data(entry);
  *result = entry->res;
  io_uring_cqe_seen(ring, entry);
  return request;
}

// What follows a request that ended with `result`: 1 when the block is on its way again, 0 when it
// is written, -1 after a failure.
static int go_on(struct io_uring* ring, const struct spillway_pool* pool, struct request* request,
                 int result, const int files[2]) {
  if (result < 0) {
    return fail(request->writes ? "write" : "read", -result);
  }
  if (result == 0) {
    fprintf(stderr, "uring_copy: %s\n",
            request->writes ? "write: no progress" : "read: the file ended early");
    return -1;
  }
  request->done += (size_t)result;
  if (request->done == request->buffer.length) {
    if (request->writes) {
      return 0;
    }
    request->writes = 1;
    request->done = 0;
  }
  ask(ring, pool, request, files);  // the rest of a short one, or the write
  return 1;
}

// Begins the blocks that there are buffers for; how many.
static int begin(struct io_uring* ring, struct spillway_pool* pool, struct request* requests,
                 unsigned long long* next, unsigned long long bytes, const int files[2]) {
  int begun = 0;
  for (int i = 0; i < DEPTH && *next < bytes; ++i) {
    struct request* request = &requests[i];
    if (request->buffer.data == NULL &&
        spillway_pool_try_alloc(pool, BLOCK, NULL, &request->buffer) == SPILLWAY_POOL_OK) {
      const unsigned long long left = bytes - *next;
      request->buffer.length = left < BLOCK ? (size_t)left : BLOCK;
      request->offset = *next;
      request->done = 0;
      request->writes = 0;
      *next += request->buffer.length;
      ask(ring, pool, request, files);
      ++begun;
    }
  }
  return begun;
}

// 0, or -1 after a failure; no request is under way then, unless the ring itself fails.
static int copy(struct io_uring* ring, struct spillway_pool* pool, const int files[2],
                unsigned long long bytes) {
  struct request requests[DEPTH] = {0};
  unsigned long long next = 0;
  int failed = 0;
  for (int under_way = 0; under_way > 0 || (!failed && next < bytes);) {
    if (!failed) {
      under_way += begin(ring, pool, requests, &next, bytes, files);
    }
    if (under_way == 0) {
      return fail("spillway_pool_try_alloc", ENOMEM);
    }
    int result = 0;
    struct request* request = wait_for_one(ring, &result);
    if (request == NULL) {
      return fail("io_uring_enter", -result);
    }
    // After a failure the others only end.
    result = failed ? -1 : go_on(ring, pool, request, result, files);
    failed |= result < 0;
    if (result <= 0) {
      spillway_pool_return(&request->buffer);
      --under_way;
    }
  }
  return failed ? -1 : 0;
}

// Opens both files, and empties TO; the length of FROM, or -1.
static off_t open_files(const char* from, const char* to, int files[2]) {
  struct stat information[2];
  files[0] = open(from, O_RDONLY);
  const off_t bytes = files[0] < 0 ? -1 : lseek(files[0], 0, SEEK_END);
  if (bytes < 0 || fstat(files[0], &information[0]) != 0) {
    return fail(from, errno);
  }
  files[1] = open(to, O_WRONLY | O_CREAT, 0666);
  if (files[1] < 0 || fstat(files[1], &information[1]) != 0) {
    return fail(to, errno);
  }
  if (information[0].st_dev == information[1].st_dev &&
      information[0].st_ino == information[1].st_ino) {
    fprintf(stderr, "uring_copy: %s and %s are the same file\n", from, to);
    return -1;
  }
  if (S_ISREG(information[1].st_mode) && ftruncate(files[1], 0) != 0) {
    return fail(to, errno);
  }
  return bytes;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: uring_copy FROM TO\n");
    return 2;
  }
  int files[2];
  const off_t bytes = open_files(argv[1], argv[2], files);
  struct spillway_pool* pool = bytes < 0 ? NULL : make_pool();
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
  io_uring_queue_exit(&ring);
  spillway_pool_destroy(pool);
  return result < 0 || close(files[1]) != 0;
}

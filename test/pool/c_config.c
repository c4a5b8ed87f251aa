// SPDX-License-Identifier: MIT
// Configurations: presets, structs of other versions, mistakes and the messages that name them.
#include "test/pool/c_test.h"

static void test_presets(void) {
  struct spillway_pool_config config = config_of(SPILLWAY_POOL_DEFAULT);
  CHECK(config.struct_size == sizeof config);
  CHECK(config.min_size == 4096 && config.max_size == 1 << 20 && config.max_per_class == 64);
  CHECK(config.alignment == 64 && config.parallelism == 8 && config.tenant_soft_limit == 256 << 20);
  CHECK(config.class_count == 0 && config.class_sizes == NULL && config.class_names == NULL);
  CHECK(config.pool_min_size == 0 && config.prefill == 0 && config.pinned == 0);
  CHECK(spillway_pool_config_init(&config, sizeof config, SPILLWAY_POOL_DEFAULT) ==
        SPILLWAY_POOL_OK);
  CHECK(config.thread_cache_buffers == SPILLWAY_POOL_CACHE_AUTOMATIC);
  CHECK(config_of(SPILLWAY_POOL_PAGE_BUFFERS).alignment == 4096);
  config = config_of(SPILLWAY_POOL_TIERED);
  CHECK(config.class_count == 4 && config.class_sizes[3] == 10 << 20);
  CHECK(strcmp(config.class_names[3], "huge") == 0);
  config = config_of(SPILLWAY_POOL_NETWORK);
  CHECK(config.min_size == 1024 && config.max_size == 128 << 10 && config.max_per_class == 4096);
  CHECK(config_of(SPILLWAY_POOL_STORAGE).max_size == 8 << 20);
  for (int preset = SPILLWAY_POOL_DEFAULT; preset <= SPILLWAY_POOL_STORAGE; ++preset) {
    config = config_of((enum spillway_pool_preset)preset);
    spillway_pool_destroy(make_pool(&config));
  }
}

static void test_init_refuses(void) {
  struct spillway_pool_config config = {.min_size = 7};
  CHECK(spillway_pool_config_init(&config, sizeof config, (enum spillway_pool_preset)99) ==
        SPILLWAY_POOL_INVALID);
  CHECK(spillway_pool_config_init(&config, sizeof config - 8, SPILLWAY_POOL_DEFAULT) ==
        SPILLWAY_POOL_INVALID);
  CHECK(config.min_size == 7);
}

// A program that was compiled with a later header, whose struct has one more field.
static void test_later_header(void) {
  struct {
    struct spillway_pool_config config;
    uint64_t later_field;
  } later = {.later_field = 5};
  CHECK(spillway_pool_config_init(&later.config, sizeof later, SPILLWAY_POOL_DEFAULT) ==
        SPILLWAY_POOL_OK);
  CHECK(later.config.struct_size == sizeof later && later.later_field == 0);
  spillway_pool_destroy(make_pool(&later.config));
  later.later_field = 1;
  struct spillway_pool* pool = NULL;
  char why[256];
  CHECK(spillway_pool_create(&later.config, &pool, why, sizeof why) == SPILLWAY_POOL_INVALID);
  CHECK(pool == NULL && strncmp(why, "a field is set that version ", 28) == 0);
}

static void check_refused(const struct spillway_pool_config* config, const char* words) {
  struct spillway_pool* pool = (struct spillway_pool*)&pool;
  char why[256];
  CHECK(spillway_pool_create(config, &pool, why, sizeof why) == SPILLWAY_POOL_INVALID);
  CHECK(pool == NULL);
  if (strcmp(why, words) != 0) {
    fprintf(stderr, "'%s' instead of '%s'\n", why, words);
    ++failed_checks;
  }
}

static void test_create_refuses(void) {
  const struct spillway_pool_config nothing = {0};
  check_refused(&nothing, "struct_size 0: use spillway_pool_config_init()");
  struct spillway_pool_config config = config_of(SPILLWAY_POOL_DEFAULT);
  config.min_size = 5000;
  check_refused(&config, "min_size 5000 is not a power of two");
  config = config_of(SPILLWAY_POOL_DEFAULT);
  config.thread_cache_buffers = 65;
  check_refused(&config, "thread cache 65 is more than max_per_class 64");
  config = config_of(SPILLWAY_POOL_DEFAULT);
  config.class_count = 2;
  check_refused(&config, "class_sizes is null, but class_count is 2");
  const size_t sizes[] = {4096, 12288};
  const char* const names[] = {"page", NULL};
  config.class_sizes = sizes;
  config.class_names = names;
  check_refused(&config, "class_names[1] is null");

  struct spillway_pool* pool = NULL;
  char why[] = "?????????";
  CHECK(spillway_pool_create(&nothing, &pool, why, 8) == SPILLWAY_POOL_INVALID);
  CHECK(strcmp(why, "struct_") == 0 && why[8] == '?');
  CHECK(spillway_pool_create(&nothing, &pool, NULL, 0) == SPILLWAY_POOL_INVALID);
  config = config_of(SPILLWAY_POOL_DEFAULT);
  config.max_per_class = (size_t)1 << 40;
  check_refused(&config,
                "max_per_class 1099511627776 times the largest class, 1048576 bytes, is more than "
                "64 TiB");
  config.max_per_class = 1 << 22;
  check_refused(&config, "max_per_class 4194304 is too much for a smallest unit of 4096 bytes");
}

static void test_budget(void) {
  struct spillway_pool_config config = config_of(SPILLWAY_POOL_TIERED);
  const uint64_t one_of_each = (4 << 10) + (64 << 10) + (1 << 20) + (10 << 20);
  CHECK(spillway_pool_config_set_budget(&config, 3 * one_of_each + 1) == SPILLWAY_POOL_OK);
  CHECK(config.max_per_class == 4);
  CHECK(spillway_pool_config_set_budget(&config, 0) == SPILLWAY_POOL_OK);
  CHECK(config.max_per_class == 1);
  config = config_of(SPILLWAY_POOL_DEFAULT);
  config.min_size = 0;
  CHECK(spillway_pool_config_set_budget(&config, 1 << 20) == SPILLWAY_POOL_INVALID);
  config.struct_size = 0;
  CHECK(spillway_pool_config_set_budget(&config, 1 << 20) == SPILLWAY_POOL_INVALID);
  CHECK(config.max_per_class == 64);
}

static void test_names(void) {
  const char* const names[] = {"ok",        "oversized",        "exhausted",
                               "no memory", "invalid argument", "shared"};
  for (int error = SPILLWAY_POOL_OK; error <= SPILLWAY_POOL_SHARED; ++error) {
    CHECK(strcmp(spillway_pool_error_name((enum spillway_pool_error)error), names[error]) == 0);
  }
  CHECK(strcmp(spillway_pool_error_name((enum spillway_pool_error)6), "unknown") == 0);
  CHECK(spillway_pool_version() >= 100);
}

void test_config(void) {
  test_presets();
  test_init_refuses();
  test_later_header();
  test_create_refuses();
  test_budget();
  test_names();
}

// SPDX-License-Identifier: MIT
// The threads of this process, as the kernel lists them. Allocates.
#ifndef SPILLWAY_TEST_PRELOAD_TASKS_H_
#define SPILLWAY_TEST_PRELOAD_TASKS_H_

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

static inline void read_task_file(long task, const char* file, char* text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%ld/%s", task, file);
  memset(text, 0, size);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;  // gone meanwhile
  ssize_t length = read(fd, text, size - 1);
  text[length > 0 ? length : 0] = '\0';
  close(fd);
}

// The id of a thread of this name; 0: there is none.
static inline long find_task(const char* name) {
  long found = 0;
  DIR* tasks = opendir("/proc/self/task");
  CHECK(tasks != NULL);
  for (struct dirent* entry; found == 0 && (entry = readdir(tasks)) != NULL;) {
    char text[64];
    long task = atol(entry->d_name);
    if (task == 0) continue;
    read_task_file(task, "comm", text, sizeof text);
    text[strcspn(text, "\n")] = '\0';
    if (strcmp(text, name) == 0) found = task;
  }
  closedir(tasks);
  return found;
}

// The library's thread that gives memory back. It names itself: a new one has its program's name
// for a moment.
static inline long purge_task(void) { return find_task("spillway"); }

// The same for a process where there is one, or will be in a moment.
static inline long awaited_purge_task(void) {
  long task;
  while ((task = purge_task()) == 0) usleep(1000);
  return task;
}

#endif  // SPILLWAY_TEST_PRELOAD_TASKS_H_

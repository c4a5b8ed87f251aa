// SPDX-License-Identifier: MIT
// A library that guards its state with a mutex, which its fork handlers hold round each fork.
#include "lock_library.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void library_enter(void) { pthread_mutex_lock(&lock); }
void library_leave(void) { pthread_mutex_unlock(&lock); }
int library_watch_forks(void) {
  return pthread_atfork(library_enter, library_leave, library_leave);
}

#ifdef WATCH_FROM_THE_START
__attribute__((constructor)) static void start(void) { library_watch_forks(); }
#endif

// SPDX-License-Identifier: MIT
// The thread that a timer's signal goes to: the name that musl and newer versions of glibc have.
#ifndef SPILLWAY_TEST_PRELOAD_NOTIFY_THREAD_H_
#define SPILLWAY_TEST_PRELOAD_NOTIFY_THREAD_H_

#include <signal.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#endif  // SPILLWAY_TEST_PRELOAD_NOTIFY_THREAD_H_

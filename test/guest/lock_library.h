// SPDX-License-Identifier: MIT
#ifndef SPILLWAY_TEST_GUEST_LOCK_LIBRARY_H_
#define SPILLWAY_TEST_GUEST_LOCK_LIBRARY_H_

void library_enter(void);
void library_leave(void);
int library_watch_forks(void);

#endif  // SPILLWAY_TEST_GUEST_LOCK_LIBRARY_H_

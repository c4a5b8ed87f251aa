// SPDX-License-Identifier: MIT
__thread char much[100000];
char* touch(void);
char* touch(void) {
  much[5] = 1;
  return much;
}

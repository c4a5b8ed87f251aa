// SPDX-License-Identifier: MIT
// Prints whether this process has the library, and whether it is setuid.
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

int main(void) {
  char line[4096];
  const char* found = "without";
  FILE* maps = fopen("/proc/self/maps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    if (strstr(line, "/libspillway.so") != NULL) found = "with";
  }
  printf("%s%s\n", found, getauxval(AT_SECURE) != 0 ? " secure" : "");
  return maps == NULL;
}

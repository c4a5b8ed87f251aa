// SPDX-License-Identifier: MIT
// On whose behalf the process allocates: TENANTS.md's program. Runs without Spillway, too.
#define SPILLWAY_WEAK
#include <spillway/spillway.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void above(int tenant, uint64_t live, uint64_t limit) {
  fprintf(stderr, "tenant %d: %lu bytes, limit %lu\n", tenant, (unsigned long)live,
          (unsigned long)limit);
}

int main(void) {
  const int with_tenants = spillway_tenant_create != NULL;  // 0 without Spillway
  const int reports = with_tenants ? spillway_tenant_create("reports", 1 << 20) : -1;
  if (reports > 0) {
    spillway_on_tenant_limit(above);
  }
  const int outer = reports > 0 ? spillway_tenant_enter(reports) : 0;
  char* page = malloc(3 << 20);  // calls above()
  if (reports > 0) {
    spillway_tenant_enter(outer);
  }
  if (page != NULL) {
    strcpy(page, "a long report");
    puts(page);
  }
  free(page);  // off the account, in whatever thread
}

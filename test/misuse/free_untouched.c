// free of an address in the arena that no block ever had: PLACE 0 is the middle of a class's span,
// 1 its last block, 2 its last page. Neighbouring classes lie one span apart, a span's length is a
// power of two, and its start is aligned to 2 MiB.
#include "misuse.h"

enum { kStartAlignment = 2 << 20 };

int main(void) {
  uintptr_t p = (uintptr_t)malloc(16384), next = (uintptr_t)malloc(20480);
  CHECK_COMPARE(next, >, p);
  uintptr_t span = 4096;
  while (span * 3 / 2 < next - p) span *= 2;
  uintptr_t start = p & ~(uintptr_t)(kStartAlignment - 1);
  CHECK_COMPARE(next & ~(uintptr_t)(kStartAlignment - 1), ==, start + span);
  static const char* const kinds[] = {"never", "never", "invalid"};
  uintptr_t places[] = {start + span / 2, start + span - 16384, start + span - 4096};
  expect(kinds[PLACE], (void*)places[PLACE], 0, 16384);
  free(opaque((void*)places[PLACE]));
  return survived();
}

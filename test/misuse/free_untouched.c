// free of an address in the arena that no block ever had: PLACE 0 is the middle of a class's span,
// 1 and 2 are near its end, 2 is no block's start. Neighbouring classes lie one span apart, a
// span's length is a power of two, and a class's blocks begin within kMostStagger of its start.
#include "misuse.h"

enum { kMostStagger = 16 << 20 };

int main(void) {
  uintptr_t p = (uintptr_t)malloc(16384), next = (uintptr_t)malloc(20480);
  CHECK_COMPARE(next, >, p);
  uintptr_t span = 4096;
  while (span * 3 / 2 < next - p) span *= 2;
  CHECK_COMPARE(span, >, 4 * (uintptr_t)kMostStagger);
  uintptr_t end = next - kMostStagger;
  static const char* const kinds[] = {"never", "never", "invalid"};
  uintptr_t places[] = {p + span / 2, end - 16384, end - 4096};
  expect(kinds[PLACE], (void*)places[PLACE], 0, 16384);
  free(opaque((void*)places[PLACE]));
  return survived();
}

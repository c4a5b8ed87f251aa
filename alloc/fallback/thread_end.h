// Only with the system's mimalloc: brings the end of a thread, where mimalloc hands the thread's heap
// over under locks of its own, behind the fork gate. mimalloc asks for it by a pthread key, whose
// destructor nobody can wrap; so its key's value is cleared and a key of ours takes its place.
#pragma once

namespace spillway::fallback {

// Before a thread's first allocation; inside the gate. A load and a test from the second call on.
// Where mimalloc's key cannot be told, threads end as mimalloc has it, without the gate.
inline void adopt_thread();

void adopt_thread_slow();
extern __thread bool thread_is_adopted;

inline void adopt_thread() {
  if (__builtin_expect(!thread_is_adopted, 0)) {
    adopt_thread_slow();
  }
}

}  // namespace spillway::fallback

// SPDX-License-Identifier: MIT
// Noticing the end of threads, to give their caches back.
#pragma once

namespace spillway::heap {

// Once, before main; until then, and if the C library has no key left, ends go unnoticed: the
// blocks in such a thread's cache stay there.
void prepare_thread_ends();

// Has the end of the calling thread noticed; cheap when that is so already.
void notice_thread_end();

}  // namespace spillway::heap

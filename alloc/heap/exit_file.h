// SPDX-License-Identifier: MIT
// What statistics and profile at the end of a process share: which process the options are of,
// whether its stderr is still there, and the paths that options name.
#pragma once

#include <string_view>

#include "alloc/base/line.h"
#include "alloc/os/os.h"

namespace spillway::heap {

// In the process that read the options, when one of them wants something written. Two system calls
// the first time.
void note_process_for_exit();
// In a forked child.
void note_fork_for_exit();

// Not the process that was noted. The process id tells of children whose fork ran no handlers.
bool is_forked_child();

// Whether there was a stderr at the start.
bool had_stderr();
// A program may have closed it, and opened a file of its own in its place.
bool is_stderr_the_same();

// Whether this process may write to the path: a child's own file needs a name of its own, by %p.
bool may_write_at_exit(std::string_view pattern);

// The path, with the process id for each %p.
template <size_t kCapacity>
void put_path(std::string_view pattern, Line<kCapacity>& path) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && i + 1 < pattern.size() && pattern[i + 1] == 'p') {
      path.number(os::process_id());
      ++i;
    } else {
      path.put(pattern[i]);
    }
  }
}

}  // namespace spillway::heap

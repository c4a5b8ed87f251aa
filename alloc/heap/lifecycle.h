// The heap's part in the life of a process, for the constructors and destructors of its faces.
#pragma once

namespace spillway::heap {

// Before main: starts the heap if no request has, prepares for thread ends and forks. Once.
void on_process_start();

// After main: writes the statistics that the options ask for.
void on_process_end();

}  // namespace spillway::heap

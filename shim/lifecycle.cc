// Ties the heap to the life of the program it was linked or loaded into.
#include "alloc/heap/lifecycle.h"

namespace {

__attribute__((constructor)) void start() { spillway::heap::on_process_start(); }
__attribute__((destructor)) void end() { spillway::heap::on_process_end(); }

}  // namespace

// SPDX-License-Identifier: MIT
// The fork gate: no thread is inside mimalloc's shared state at the moment of a fork, so the child
// finds nothing half done: no lock held, no reader counted, no bit claimed by a thread it does not
// have.
//
// The three are to be the pthread_atfork handlers closest to the fork (heap/lifecycle.h). They
// allocate nothing and take no lock.
//
// Every wait is bounded in time and then goes on without the guarantee. The forking thread waits 1
// s for others to leave. They wait 4 s for the fork, then open the gate for all. When the forking
// thread is asleep, perhaps for a lock that one of them holds, they wait some milliseconds only.
// A child of such a fork then undoes what mimalloc 2.0.9 would wait for (after_fork_209.h).
// A fork that skips the handlers (vfork, _Fork, the bare system call) has no gate.
#pragma once

#include <cstdint>

namespace spillway::mimalloc {

// Closes the gate and waits until every other thread has left. A caller that is itself inside (fork
// in a signal handler that interrupted malloc) does not wait for itself. Cost: 16 loads when idle.
void fork_prepare();
void fork_parent();
void fork_child();

// For the entries of calls.h and the hooks in mimalloc: around whatever touches mimalloc's
// shared state. They nest; the outermost pair costs two atomic additions. errno after `leave` is
// what it was before `enter`, unless `report_no_memory` was called in between.
void enter_gate();
void leave_gate();
// Enters only from outside, and while no fork has the gate closed; false otherwise. Waits for
// nothing.
bool enter_open_gate();
// Makes errno ENOMEM, for now and after the outermost `leave_gate`.
void report_no_memory();

// A mark of the calling thread: the kernel has refused a commit, so mimalloc shall map nothing more
// until the outermost `leave_gate`.
void refuse_mappings();
bool mappings_are_refused();

// A mark of the calling thread: whether it called before, with another tick of some clock. Ticks
// are told apart in rows of 255.
bool begins_tick(uint64_t tick);

}  // namespace spillway::mimalloc

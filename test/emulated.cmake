# SPDX-License-Identifier: MIT
# What the preset aarch64 leaves out of the tests, which run in qemu's user mode there: these cases,
# most files of pool, and the tests of heap, mimalloc and whole programs but for some in preload/.

# Tells a program of Boost.Test to leave these out.
function(leave_out name)
  list(TRANSFORM ARGN PREPEND !)
  list(JOIN ARGN : cases)
  set(not_emulated_${name} --run_test=${cases} PARENT_SCOPE)
endfunction()

leave_out(base
  # Five seconds of arithmetic.
  */divider_is_exact_at_the_edges_of_every_quotient)
leave_out(os
  # The signals are more often than qemu returns from one.
  linux_descriptor/signals_that_interrupt_the_wait_do_not_prolong_it
  # Counts qemu's own memory.
  linux_memory/a_limit_on_address_space_is_seen
  # A forked child that starts a thread ends qemu 7.2.
  linux_thread/a_child_has_none_and_may_have_its_own_when_its_handler_has_run)
leave_out(core
  # Forks beside threads: qemu's own locks are not made for it, and each takes long.
  engine_fork
  */a_child_has_all_room_whatever_others_had_in_hand
  */a_child_gets_the_pages_that_a_lost_thread_was_purging
  */a_purge_that_a_fork_interrupted_keeps_its_pages
  */a_purge_that_a_fork_interrupted_keeps_its_slots
  # Ten seconds each.
  chunk_stress/a_dirty_grain_is_clean_at_no_moment
  */an_idle_bin_gives_its_blocks_and_its_capacity_back*)

# Suites that hold with pages of 64 KiB. Others expect that 4 KiB can go back, or read mincore(2)
# and /proc, where qemu answers by the machine's pages.
set(pages_64KiB_cases
  --run_test=chunk,engine,growth,page_heap,page_heap_large,page_heap_stress,slot_store,wide_slots
  --run_test=!page_heap/a_sealed_arena_serves_what_it_has
  --run_test=!slot_store/a_purge_that_a_fork_interrupted_keeps_its_slots
  --run_test=!wide_slots/what_a_block_shrank_by_goes_back_when_it_is_three_quarters)

# emulated_test(NAME OPTION... PROGRAM ARGUMENT...): with options of qemu's.
function(emulated_test name)
  add_test(NAME ${name} COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS unit)
endfunction()

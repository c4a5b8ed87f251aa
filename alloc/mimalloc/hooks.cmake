# SPDX-License-Identifier: MIT
# Which of mimalloc's functions stay without hooks (fork_gate.h), and how each compiler is told.
#
# A body may stand here only if a thread that vanishes anywhere inside it, calls of other functions
# aside, leaves nothing that another thread waits for: it writes what its own thread alone reads (its
# heap, its pages' lists and counts) or moves shared state by one complete atomic operation. What it
# calls is hooked on its own. A thread that vanishes here takes its heap with it, a leak at most.
#   malloc, zalloc, realloc and aligned entries   compose the functions below
#   _mi_malloc_generic, find_page, find_free_page look at the thread's own queues
#   free's local path, _mi_page_retire            thread's own page; freeing the page is hooked
#   _mi_page_free_collect and helpers             swap the page's shared list for an empty one
#   _mi_heap_delayed_free_partial                 swaps the heap's; freeing each block is hooked
#   _mi_deferred_free                             runs a handler that is never registered here
#   mi_free_generic_mt, version 3's mi_free_block_mt  one exchange; what follows it is hooked
#   inline functions of headers, page queues      single atomics, and the thread's own queues
# Never: whatever sets MI_DELAYED_FREEING, counts abandoned readers, takes a lock, claims bits.
# A name that a version does not know is ignored; what is not named is hooked. Both cost speed only.

# Functions that headers declare: exact names.
set(unhooked_functions
  mi_malloc mi_zalloc mi_calloc mi_free mi_usable_size mi_realloc
  mi_malloc_small mi_zalloc_small mi_malloc_aligned mi_zalloc_aligned
  mi_heap_malloc mi_heap_zalloc mi_heap_malloc_small mi_heap_realloc
  mi_heap_malloc_aligned mi_heap_zalloc_aligned mi_heap_malloc_aligned_at mi_heap_zalloc_aligned_at
  mi_theap_malloc mi_theap_zalloc mi_theap_malloc_small mi_theap_realloc
  _mi_heap_malloc_zero _mi_heap_malloc_zero_ex _mi_heap_realloc_zero
  _mi_theap_malloc_zero _mi_theap_malloc_zero_ex _mi_theap_realloc_zero
  _mi_page_malloc _mi_page_malloc_zero _mi_page_malloc_zeroed
  _mi_malloc_generic _mi_page_retire _mi_page_free_collect _mi_heap_delayed_free_partial
  _mi_deferred_free _mi_page_ptr_unalign)

# Static functions, for gcc, which hooks inlined bodies too. It takes parts of names: each must be
# too long to be part of a name that has to keep its hooks.
set(unhooked_statics
  mi_heap_malloc_small_zero mi_heap_malloc_zero_aligned_at
  mi_theap_malloc_small_zero mi_theap_malloc_zero_nonnull mi_theap_malloc_generic
  mi_theap_malloc_zero_aligned_at mi_page_malloc_zero mi_find_page mi_find_free_page
  mi_page_thread_free_collect mi_page_thread_collect_to_local mi_page_free_quick_collect
  mi_free_ex mi_free_block_local mi_free_generic_local mi_free_generic_mt mi_checked_ptr_segment mi_validate_ptr_page
  mi_validate_block_from_ptr mi_block_check_unguard mi_check_is_double_free mi_check_padding
  mi_stat_free mi_page_usable_size_of mi_page_usable_aligned_size_of)

# Files by parts of their paths: with their suffix, so that no folder's name can match. First
# headers and page queues, as above. Then the layers below pages and heaps: only functions with hooks
# call into them, and calls.cc, which passes the gate itself.
set(unhooked_files
  mimalloc.h mimalloc-internal.h mimalloc-atomic.h mimalloc-types.h mimalloc-track.h
  mimalloc/internal.h mimalloc/atomic.h mimalloc/types.h mimalloc/prim.h mimalloc/bits.h
  mimalloc/track.h src/page-queue.c
  src/arena.c src/arena-abandon.c src/arena-meta.c src/bitmap.c src/bitmap.h src/os.c src/random.c
  src/region.c src/segment.c src/segment-cache.c src/segment-map.c src/stats.c)

# Writes unhooked.h: those of unhooked_functions that the preprocessed headers declare.
# Sets mimalloc_version to MI_MALLOC_VERSION (209 is 2.0.9, 30401 is 3.4.1).
function(spillway_write_unhooked folder includes)
  list(TRANSFORM includes PREPEND -I OUTPUT_VARIABLE include_flags)
  set(probe ${folder}/probe.c)
  file(WRITE ${probe} "#include \"mimalloc.h\"\n#if __has_include(\"mimalloc/internal.h\")\n"
    "#include \"mimalloc/internal.h\"\n#else\n#include \"mimalloc-internal.h\"\n#endif\n"
    "int version_is = MI_MALLOC_VERSION;\n")
  execute_process(COMMAND ${CMAKE_C_COMPILER} -E -P -D_GNU_SOURCE -DNDEBUG ${include_flags} ${probe}
    OUTPUT_VARIABLE declarations RESULT_VARIABLE failed)
  if(failed OR NOT declarations MATCHES "version_is = ([0-9]+)")
    message(FATAL_ERROR "SPILLWAY_MIMALLOC_SOURCE holds no mimalloc whose headers compile")
  endif()
  set(mimalloc_version ${CMAKE_MATCH_1} PARENT_SCOPE)
  set(lines "")
  foreach(name IN LISTS unhooked_functions)
    if(declarations MATCHES "[^A-Za-z0-9_]${name} *\\(")
      string(APPEND lines "SPILLWAY_UNHOOKED(${name})\n")
    endif()
  endforeach()
  file(CONFIGURE OUTPUT ${folder}/unhooked.h CONTENT "${lines}" @ONLY)
endfunction()

# Sets `result` to the compiler options that put the hooks in, and mimalloc_version; writes unhooked.h
# into `folder`.
function(spillway_hook_options result folder includes)
  spillway_write_unhooked(${folder} "${includes}")
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    # Version 2 sets MI_DELAYED_FREEING under this name and waits for it elsewhere. In version 3 a
    # page whose new owner vanished is passed over by everyone.
    if(mimalloc_version GREATER_EQUAL 300)
      list(APPEND unhooked_statics mi_free_block_mt)
    endif()
    list(JOIN unhooked_statics "," statics)
    list(JOIN unhooked_files "," files)
    set(options -finstrument-functions
      -finstrument-functions-exclude-function-list=${statics}
      -finstrument-functions-exclude-file-list=${files})
  else()
    # clang has no lists: it hooks what it has not inlined, and inlines only what is marked inline,
    # so that nothing that must keep its hooks ends up inside a function without.
    # Static functions on the fast path keep theirs: about 10 ns a call.
    set(options -finstrument-functions-after-inlining -finline-hint-functions)
  endif()
  set(${result} "${options}" PARENT_SCOPE)
  set(mimalloc_version ${mimalloc_version} PARENT_SCOPE)
endfunction()

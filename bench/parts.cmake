# SPDX-License-Identifier: MIT
# What the benchmarks share with each other and with the tests of their logic, some of which the
# sanitizer presets have, too: bench/ and test/ both include this. Objects go only to what links them itself.
include_guard(GLOBAL)

find_path(SPILLWAY_ZSTD_INCLUDE_DIR zstd.h REQUIRED)
find_library(SPILLWAY_ZSTD_LIBRARY zstd REQUIRED)
find_path(SPILLWAY_CXXOPTS_INCLUDE_DIR cxxopts.hpp REQUIRED)
set(here ${CMAKE_CURRENT_LIST_DIR})

# In every program.
add_library(bench_common OBJECT
  ${here}/command_line.cc ${here}/json.cc ${here}/loaded_allocator.cc ${here}/machine.cc
  ${here}/pinning.cc ${here}/spread.cc)
target_include_directories(bench_common SYSTEM PUBLIC ${SPILLWAY_CXXOPTS_INCLUDE_DIR})
# cxxopts would make regular expressions before main, half a megabyte in every process measured.
target_compile_definitions(bench_common PUBLIC CXXOPTS_NO_REGEX)
# Without -fno-builtin the compiler may drop a malloc whose block is freed at once.
target_compile_options(bench_common PUBLIC -fno-builtin)
target_link_libraries(bench_common PUBLIC spillway_warnings Threads::Threads ${CMAKE_DL_LIBS})

# Threads that repeat a workload, and what they found.
add_library(bench_crew OBJECT
  ${here}/threads/crew.cc ${here}/threads/sequence.cc ${here}/threads/summary.cc)
target_link_libraries(bench_crew PUBLIC bench_common)

add_library(bench_latency_parts OBJECT
  ${here}/latency/histogram.cc ${here}/latency/report.cc ${here}/latency/timer.cc
  ${here}/latency/workload.cc)
target_link_libraries(bench_latency_parts PUBLIC bench_common)

add_library(bench_memory_parts OBJECT ${here}/memory/series.cc ${here}/memory/trace.cc)
target_link_libraries(bench_memory_parts PUBLIC bench_common)

add_library(bench_trace_file STATIC
  ${here}/trace/decode.cc ${here}/trace/encode.cc ${here}/trace/file.cc ${here}/trace/lanes.cc
  ${here}/trace/pack.cc ${here}/trace/summary.cc)
target_include_directories(bench_trace_file SYSTEM PRIVATE ${SPILLWAY_ZSTD_INCLUDE_DIR})
target_link_libraries(bench_trace_file PUBLIC spillway_warnings ${SPILLWAY_ZSTD_LIBRARY})

add_library(bench_trace_player STATIC
  ${here}/trace/replay/memory.cc ${here}/trace/replay/plan.cc ${here}/trace/replay/player.cc)
target_compile_options(bench_trace_player PRIVATE -fno-builtin)
target_link_libraries(bench_trace_player PUBLIC spillway_warnings Threads::Threads)

# Built where a program or a test uses them.
set_target_properties(bench_common bench_crew bench_latency_parts bench_memory_parts
  bench_trace_file bench_trace_player PROPERTIES EXCLUDE_FROM_ALL ON)

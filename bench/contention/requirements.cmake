# SPDX-License-Identifier: MIT
# Sets CONTENTION_MISSING to what bench_contention lacks here; empty if it can be built.
set(CONTENTION_MISSING "")
find_path(CAPSTONE_INCLUDE_DIR capstone/capstone.h)
find_library(CAPSTONE_LIBRARY capstone)
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$" OR NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  set(CONTENTION_MISSING "x86-64 Linux")
elseif(NOT CAPSTONE_INCLUDE_DIR OR NOT CAPSTONE_LIBRARY)
  set(CONTENTION_MISSING "capstone (Debian: libcapstone-dev)")
endif()

# SPDX-License-Identifier: MIT
# CMake toolchain of the preset musl: Debian's gcc with its musl-tools. Debian has no C++ run-time
# library for musl: of libstdc++ there are the headers alone, which is all that Spillway's libraries
# use. musl/libstdcxx.h says what these headers expect of glibc.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CMAKE_HOST_SYSTEM_PROCESSOR})
set(CMAKE_C_COMPILER gcc)
set(CMAKE_CXX_COMPILER g++)
set(specs /usr/lib/${CMAKE_SYSTEM_PROCESSOR}-linux-musl/musl-gcc.specs)
if(NOT EXISTS ${specs})
  message(FATAL_ERROR "${specs} is missing; scripts/setup musl installs musl-tools")
endif()

# Of the system's headers these only: the others are glibc's.
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-multiarch
  OUTPUT_VARIABLE machine OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -dumpversion
  OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
cmake_path(SET headers NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../build/deps/musl)
file(MAKE_DIRECTORY ${headers})
foreach(folder IN ITEMS asm-generic linux tl valgrind)
  file(CREATE_LINK /usr/include/${folder} ${headers}/${folder} SYMBOLIC)
endforeach()
file(CREATE_LINK /usr/include/${machine}/asm ${headers}/asm SYMBOLIC)

set(CMAKE_C_FLAGS_INIT "-specs ${specs} -idirafter ${headers}")
string(CONCAT CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT} -isystem /usr/include/c++/${version} "
  "-isystem /usr/include/${machine}/c++/${version} "
  "-include ${CMAKE_CURRENT_LIST_DIR}/musl/libstdcxx.h")
# No program of C++ links, nor a shared library that needs more than C's.
set(SPILLWAY_CXX_RUNTIME OFF)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH /usr/lib/${CMAKE_SYSTEM_PROCESSOR}-linux-musl)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

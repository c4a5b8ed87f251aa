# SPDX-License-Identifier: MIT
# Helpers for the whole-program tests.
#   spillway_program(NAME SOURCE... [LIBS lib...])    a small program that sees malloc as any program does
#   spillway_plugin(NAME SOURCE...)                   a library that a program opens or depends on
#   spillway_preload_test(NAME [SERIAL] [ENV var=value...] COMMAND...)   run with libspillway.so preloaded
#   spillway_program_test(NAME [SERIAL] [LABEL l] [ENV var=value...] COMMAND...)   run as it is
include_guard(GLOBAL)

function(spillway_program_settings name)
  target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_FUNCTION_LIST_DIR}
    ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../misuse ${PROJECT_SOURCE_DIR}/alloc/include)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
  # No built-in knowledge of malloc: the calls must reach the library, and misuse must compile.
  target_compile_options(${name} PRIVATE -O1 -g -fno-builtin -Wall -Wextra -Werror
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fsized-deallocation>)
  target_link_options(${name} PRIVATE -pthread)
  set_target_properties(${name} PROPERTIES C_STANDARD 11 CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
endfunction()

function(spillway_program name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  spillway_program_settings(${name})
  target_link_libraries(${name} PRIVATE ${arg_LIBS})
endfunction()

function(spillway_plugin name)
  add_library(${name} MODULE ${ARGN})
  spillway_program_settings(${name})
  set_target_properties(${name} PROPERTIES PREFIX "")
endfunction()

function(spillway_program_test name)
  cmake_parse_arguments(arg "SERIAL" "" "ENV;LABEL;COMMAND" ${ARGN})
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    LABELS "program;${arg_LABEL}"
    SKIP_RETURN_CODE 77
    ENVIRONMENT "${arg_ENV}"
    RUN_SERIAL "${arg_SERIAL}")
endfunction()

function(spillway_preload_test name)
  cmake_parse_arguments(arg "SERIAL" "" "ENV;COMMAND" ${ARGN})
  set(serial)
  if(arg_SERIAL)
    set(serial SERIAL)
  endif()
  set(preload "LD_PRELOAD=$<TARGET_FILE:spillway_preload>")
  if(CMAKE_CROSSCOMPILING_EMULATOR) # for the program, not for the emulator
    string(PREPEND preload QEMU_SET_ENV=)
  endif()
  spillway_program_test(preload.${name} ${serial} LABEL preload
    ENV "${preload}" ${arg_ENV}
    COMMAND ${arg_COMMAND})
endfunction()

# SPDX-License-Identifier: MIT
# Run at installation. Files that were installed lose their debug information, which for shared
# libraries goes where a debugger looks for it by build id: lib/debug/.build-id.
#   spillway_folder, spillway_archives, spillway_libraries: where they are, and their names
#   spillway_built: instead, the libraries of the build whose debug files are to be written
#   spillway_objcopy, spillway_readelf: the programs
function(spillway_run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "failed: ${command}")
  endif()
endfunction()

function(spillway_strip)
  set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
  if(NOT spillway_built)
    foreach(name IN LISTS spillway_archives)
      spillway_run(${spillway_objcopy} --strip-debug ${root}/${spillway_folder}/${name})
    endforeach()
    foreach(name IN LISTS spillway_libraries)
      spillway_run(${spillway_objcopy} --strip-unneeded ${root}/${spillway_folder}/${name})
    endforeach()
  else()
    foreach(library IN LISTS spillway_built)
      execute_process(COMMAND ${spillway_readelf} -n ${library} OUTPUT_VARIABLE notes)
      if(NOT notes MATCHES "Build ID: ([0-9a-f][0-9a-f])([0-9a-f]+)")
        continue()
      endif()
      set(file ${root}/lib/debug/.build-id/${CMAKE_MATCH_1}/${CMAKE_MATCH_2}.debug)
      get_filename_component(place ${file} DIRECTORY)
      file(MAKE_DIRECTORY ${place})
      spillway_run(${spillway_objcopy} --only-keep-debug --compress-debug-sections ${library} ${file})
      file(CHMOD ${file} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
      message(STATUS "Installing: ${file}")
    endforeach()
  endif()
endfunction()
spillway_strip()

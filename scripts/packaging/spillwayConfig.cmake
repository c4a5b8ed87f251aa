# SPDX-License-Identifier: MIT
# find_package(spillway [COMPONENTS preload override pool pool_shared]): the targets spillway::NAME.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/spillwayTargets.cmake)
foreach(component IN LISTS spillway_FIND_COMPONENTS)
  set(spillway_${component}_FOUND FALSE)
  if(TARGET spillway::${component})
    set(spillway_${component}_FOUND TRUE)
  elseif(spillway_FIND_REQUIRED_${component})
    set(spillway_FOUND FALSE)
    set(spillway_NOT_FOUND_MESSAGE "Spillway was installed without ${component}.")
  endif()
endforeach()

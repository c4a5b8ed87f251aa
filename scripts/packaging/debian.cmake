# SPDX-License-Identifier: MIT
# Debian packages: `cpack -G DEB` in the build folder. scripts/package makes and checks them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "The Spillway authors")
set(CPACK_PACKAGE_CONTACT "The Spillway authors <maintainers@spillway.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES OFF) # strip.cmake has done so
set(CPACK_COMPONENTS_ALL library dev debug tools)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS OFF)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(library libspillway${SPILLWAY_SOVERSION})
# /usr/share/doc/PACKAGE, and what the loader's cache needs. The changelog's date is that of its entry.
function(spillway_package_documents component name)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name})
  file(READ ${PROJECT_SOURCE_DIR}/LICENSE licence)
  file(READ ${PROJECT_SOURCE_DIR}/THIRD_PARTY_LICENSES others)
  file(WRITE ${folder}/copyright "${licence}\n${others}")
  file(WRITE ${folder}/changelog "spillway (${PROJECT_VERSION}) unstable; urgency=medium

  * See CHANGELOG.md in the source.

 -- ${CPACK_PACKAGE_CONTACT}  Thu, 01 Jan 2026 00:00:00 +0000
")
  find_program(SPILLWAY_GZIP gzip REQUIRED)
  execute_process(COMMAND ${SPILLWAY_GZIP} -9nf ${folder}/changelog COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${folder}/copyright ${folder}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${name} COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()

# spillway_package(COMPONENT NAME SECTION SUMMARY TEXT DEPENDS)
function(spillway_package component name section summary text depends)
  spillway_package_documents(${component} ${name})
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${text}" PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}\n${text}" PARENT_SCOPE)
endfunction()

set(what "Spillway serves blocks of 4 KiB to 64 MiB from one pool for all sizes
and gives idle memory back to the kernel. mimalloc, which is built in,
serves the others.")
set(mimalloc_dev "")
if(SPILLWAY_MIMALLOC_LIBRARY)
  set(mimalloc_dev ", libmimalloc-dev")
endif()
spillway_package(library ${library} libs "memory allocator for blocks of 4 KiB and more"
  "${what}\n.\nThese are the library to preload and the buffer pool's." "")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/shlibs
  "libspillway ${SPILLWAY_SOVERSION} ${library} (>= ${PROJECT_VERSION})
libspillway_pool ${SPILLWAY_SOVERSION} ${library} (>= ${PROJECT_VERSION})
")
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/triggers "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
  ${CMAKE_CURRENT_BINARY_DIR}/shlibs ${CMAKE_CURRENT_BINARY_DIR}/triggers)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_STRICT_PERMISSION ON)
spillway_package(dev libspillway-dev libdevel "memory allocator for blocks of 4 KiB and more (development)"
  "${what}\n.\nThese are the archives, the headers, and files for CMake and pkg-config."
  "${library} (= ${PROJECT_VERSION}), libexpected-dev${mimalloc_dev}")
spillway_package(debug libspillway-dbg debug "memory allocator for blocks of 4 KiB and more (debug information)"
  "${what}\n.\nThis is the debug information of the shared libraries." "${library} (= ${PROJECT_VERSION})")
spillway_package(tools spillway devel "memory allocator for blocks of 4 KiB and more (commands)"
  "${what}\n.\nThis is the command spillway, which runs programs under it, checks, records\nand compares."
  "${library} (= ${PROJECT_VERSION}), python3, python3-numpy")
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_PACKAGE_RECOMMENDS python3-matplotlib)

# Warnings of lintian's that are to stay: the link without a version is the name to preload, and CPack
# itself writes the script that calls ldconfig.
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/overrides/${library}
  "${library}: link-to-shared-library-in-wrong-package *\n${library}: maintscript-calls-ldconfig *\n")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/overrides/${library}
  DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides COMPONENT library EXCLUDE_FROM_ALL)
include(CPack)

# SPDX-License-Identifier: MIT
# The command `spillway`, its manual, and bash's completion of it. What it needs is laid out as in the
# checkout (scripts/spillway_cli/paths.py); links are relative, so that all may be moved.
set(tools_folder ${CMAKE_INSTALL_LIBDIR}/spillway)
set(root ${PROJECT_SOURCE_DIR})
set(programs spillway_info)
set(files spillway_info)

install(PROGRAMS ${root}/scripts/spillway DESTINATION ${tools_folder}/scripts COMPONENT tools)
install(DIRECTORY ${root}/scripts/spillway_cli DESTINATION ${tools_folder}/scripts COMPONENT tools
  PATTERN __pycache__ EXCLUDE)
install(DIRECTORY ${root}/bench/harness ${root}/bench/report DESTINATION ${tools_folder}/bench COMPONENT tools
  PATTERN __pycache__ EXCLUDE)
install(FILES ${root}/LICENSE ${root}/THIRD_PARTY_LICENSES DESTINATION ${tools_folder} COMPONENT tools)
install(PROGRAMS $<TARGET_FILE:spillway_info> DESTINATION ${tools_folder}/programs COMPONENT tools)
if(TARGET bench_trace)
  install(PROGRAMS $<TARGET_FILE:bench_trace> $<TARGET_FILE:bench_replay>
    DESTINATION ${tools_folder}/programs/bench COMPONENT tools)
  install(FILES $<TARGET_FILE:librecord> DESTINATION ${tools_folder}/programs COMPONENT tools)
  list(APPEND programs librecord bench_trace bench_replay)
  list(APPEND files librecord.so bench/bench_trace bench/bench_replay)
endif()
list(TRANSFORM files PREPEND spillway/programs/)
spillway_at_install(tools LIBRARIES ${files})

file(RELATIVE_PATH from_bin /prefix/${CMAKE_INSTALL_BINDIR} /prefix/${tools_folder})
install(CODE "set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
file(MAKE_DIRECTORY \"\${root}/${CMAKE_INSTALL_BINDIR}\")
file(CREATE_LINK ${from_bin}/scripts/spillway \"\${root}/${CMAKE_INSTALL_BINDIR}/spillway\" SYMBOLIC)
file(CREATE_LINK ../../libspillway.so \"\${root}/${tools_folder}/programs/libspillway.so\" SYMBOLIC)
" COMPONENT tools)

find_program(SPILLWAY_GZIP gzip REQUIRED)
set(manual ${CMAKE_CURRENT_BINARY_DIR}/manual)
file(GLOB_RECURSE modules CONFIGURE_DEPENDS ${root}/scripts/spillway_cli/*.py)
add_custom_command(
  OUTPUT ${manual}/spillway.1.gz ${manual}/spillway.3.gz ${manual}/spillway_pool.3.gz
    ${manual}/spillway.7.gz ${manual}/spillway.bash
  COMMAND ${CMAKE_COMMAND} -E env COLUMNS=1000 /usr/bin/python3 -B
    ${CMAKE_CURRENT_SOURCE_DIR}/manual.py ${PROJECT_VERSION} ${manual}
    ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:spillway_info>
  COMMAND ${SPILLWAY_GZIP} -9nf ${manual}/spillway.1 ${manual}/spillway.3
    ${manual}/spillway_pool.3 ${manual}/spillway.7
  DEPENDS ${modules} ${root}/alloc/include/spillway/spillway.h
    ${root}/alloc/include/spillway/pool_c.h manual.py spillway_info
  VERBATIM)
add_custom_target(spillway_manual ALL DEPENDS ${manual}/spillway.1.gz)
install(FILES ${manual}/spillway.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
install(FILES ${manual}/spillway.3.gz ${manual}/spillway_pool.3.gz
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man3 COMPONENT dev)
install(FILES ${manual}/spillway.7.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man7 COMPONENT tools)
install(FILES ${manual}/spillway.bash RENAME spillway
  DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions COMPONENT tools)
add_dependencies(spillway_libraries spillway_manual ${programs})

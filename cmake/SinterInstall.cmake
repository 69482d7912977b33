# cmake --install: headers, libsinter (shared and static), the plugin beside it, the sinter command, find_package(Sinter) and
# pkg-config files; the README with what it points to: docs and examples.
include(CMakePackageConfigHelpers)
set(SINTER_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Sinter)

install(DIRECTORY include/sinter DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
set(SINTER_INSTALL_TARGETS sinter)
if(BUILD_SHARED_LIBS)
  list(APPEND SINTER_INSTALL_TARGETS sinter_static)
endif()
foreach(component ${SINTER_COMPONENTS})
  list(APPEND SINTER_INSTALL_TARGETS sinter_${component})
  if(BUILD_SHARED_LIBS)
    list(APPEND SINTER_INSTALL_TARGETS sinter_${component}_static)
  endif()
endforeach()
install(TARGETS ${SINTER_INSTALL_TARGETS} EXPORT SinterTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT SinterTargets NAMESPACE Sinter:: DESTINATION ${SINTER_CMAKE_DIR})
if(TARGET sinter-llvm)
  install(TARGETS sinter-llvm LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
if(TARGET sinter_command)
  install(TARGETS sinter_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(DIRECTORY examples/embed examples/regression_mlp DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES examples/regression.c examples/control_flow.c examples/derivatives.c examples/host_calls.c
  examples/queues.c examples/ragged.c examples/sparse.c examples/strings.c examples/text.c examples/struct_parameters.c DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

string(REPLACE ";" ", " SINTER_COMPONENTS_SHOWN "${SINTER_COMPONENTS}")
configure_package_config_file(cmake/SinterConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/SinterConfig.cmake
  INSTALL_DESTINATION ${SINTER_CMAKE_DIR})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/SinterConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/SinterConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/SinterConfigVersion.cmake DESTINATION ${SINTER_CMAKE_DIR})

# The .pc file finds its prefix from its own place, so an installed tree can be moved.
file(RELATIVE_PATH SINTER_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" SINTER_PC_PREFIX "${SINTER_PC_PREFIX}")
configure_file(cmake/sinter.pc.in ${CMAKE_CURRENT_BINARY_DIR}/sinter.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sinter.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
foreach(component ${SINTER_COMPONENTS})
  set(SINTER_COMPONENT ${component})
  get_target_property(SINTER_COMPONENT_NEEDS sinter_${component} SINTER_NEEDS)
  get_target_property(SINTER_COMPONENT_LIBS sinter_${component} SINTER_LIBRARIES)
  list(TRANSFORM SINTER_COMPONENT_LIBS PREPEND "-l")
  list(JOIN SINTER_COMPONENT_LIBS " " SINTER_COMPONENT_LIBS)
  list(TRANSFORM SINTER_COMPONENT_NEEDS PREPEND "sinter-")
  list(PREPEND SINTER_COMPONENT_NEEDS sinter)
  list(JOIN SINTER_COMPONENT_NEEDS " " SINTER_COMPONENT_NEEDS)
  configure_file(cmake/sinter-component.pc.in ${CMAKE_CURRENT_BINARY_DIR}/sinter-${component}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sinter-${component}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

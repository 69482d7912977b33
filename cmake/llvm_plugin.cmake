# The target sinter-llvm: libsinter-llvm.so, the LLVM back end with LLVM's X86 code generator linked into it and nothing but
# sn_llvm_plugin visible, so that a second LLVM in the host cannot clash. No LLVM found: a message and no target.
#
# SINTER_LLVM_VERSION picks the major version; empty: 19, else the newest of 22..16.

if(SINTER_LLVM_VERSION)
  set(sinter_llvm_versions ${SINTER_LLVM_VERSION})
else()
  set(sinter_llvm_versions 19 22 21 20 18 17 16)
endif()
set(SINTER_LLVM_CONFIG "")
foreach(version ${sinter_llvm_versions})
  unset(sinter_llvm_config_${version} CACHE)
  find_program(sinter_llvm_config_${version} NAMES llvm-config-${version} HINTS /usr/lib/llvm-${version}/bin)
  mark_as_advanced(sinter_llvm_config_${version})
  if(sinter_llvm_config_${version})
    set(SINTER_LLVM_CONFIG ${sinter_llvm_config_${version}})
    set(sinter_llvm_found ${version})
    break()
  endif()
endforeach()
if(NOT SINTER_LLVM_CONFIG)
  message(STATUS "LLVM not found (llvm-config-<version> for one of ${sinter_llvm_versions}): "
                 "no libsinter-llvm, compiled functions run in the interpreter")
  return()
endif()

# Output of llvm-config as a list; empty when it fails.
function(sinter_llvm_query variable)
  execute_process(COMMAND ${SINTER_LLVM_CONFIG} ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE failed
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed)
    set(text "")
  endif()
  separate_arguments(text UNIX_COMMAND "${text}")
  set(${variable} ${text} PARENT_SCOPE)
endfunction()

sinter_llvm_query(sinter_llvm_include --includedir)
sinter_llvm_query(sinter_llvm_libdir --libdir)
sinter_llvm_query(sinter_llvm_static --link-static --libs x86codegen)
sinter_llvm_query(sinter_llvm_system --link-static --system-libs)
if(sinter_llvm_static AND NOT EXISTS ${sinter_llvm_libdir}/libLLVMX86CodeGen.a)
  set(sinter_llvm_static "")
endif()

# llvm-config names every system library that LLVM was built with, also those that only its tools need: absent ones are left out.
set(sinter_llvm_system_present)
foreach(library ${sinter_llvm_system})
  if(library MATCHES "^-l(.+)$")
    string(MAKE_C_IDENTIFIER "sinter_llvm_lib_${CMAKE_MATCH_1}" variable)
    find_library(${variable} NAMES ${CMAKE_MATCH_1})
    mark_as_advanced(${variable})
    if(${variable})
      list(APPEND sinter_llvm_system_present ${library})
    endif()
  elseif(EXISTS ${library})
    list(APPEND sinter_llvm_system_present ${library})
  endif()
endforeach()

file(GLOB sinter_llvm_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/codegen/llvm/*.c)
add_library(sinter-llvm MODULE ${sinter_llvm_sources} ${CMAKE_CURRENT_SOURCE_DIR}/codegen/kernel/contraction.c
  ${CMAKE_CURRENT_SOURCE_DIR}/codegen/kernel/facts.c ${CMAKE_CURRENT_SOURCE_DIR}/codegen/kernel/kops.c)
target_link_libraries(sinter-llvm PRIVATE sinter_flags)
# The core loads no plugin that is not whole: codegen/plugin_file.c.
add_executable(sinter_seal_plugin EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/cmake/seal_plugin.c
  ${CMAKE_CURRENT_SOURCE_DIR}/codegen/plugin_file.c)
target_link_libraries(sinter_seal_plugin PRIVATE sinter_flags)
add_dependencies(sinter-llvm sinter_seal_plugin)
add_custom_command(TARGET sinter-llvm POST_BUILD COMMAND sinter_seal_plugin $<TARGET_FILE:sinter-llvm>)
target_include_directories(sinter-llvm SYSTEM PRIVATE ${sinter_llvm_include})
set_target_properties(sinter-llvm PROPERTIES LINKER_LANGUAGE CXX)
target_link_options(sinter-llvm PRIVATE LINKER:--exclude-libs,ALL LINKER:--gc-sections LINKER:--as-needed
  LINKER:-z,nodelete
  $<$<CONFIG:Release>:LINKER:-s>)
if(NOT SINTER_SANITIZE AND NOT SINTER_FUZZ)  # clang's sanitizer runtime is in the program alone
  target_link_options(sinter-llvm PRIVATE LINKER:-z,defs)
endif()
target_link_directories(sinter-llvm PRIVATE ${sinter_llvm_libdir})
if(sinter_llvm_static)
  target_link_options(sinter-llvm PRIVATE -static-libstdc++ -static-libgcc)
  target_link_libraries(sinter-llvm PRIVATE ${sinter_llvm_static} ${sinter_llvm_system_present})
  message(STATUS "LLVM ${sinter_llvm_found} for libsinter-llvm: static, from ${sinter_llvm_libdir}")
else()
  sinter_llvm_query(sinter_llvm_shared --link-shared --libs)
  target_compile_definitions(sinter-llvm PRIVATE SINTER_LLVM_SHARED)
  target_link_libraries(sinter-llvm PRIVATE ${sinter_llvm_shared})
  message(STATUS "LLVM ${sinter_llvm_found} for libsinter-llvm: shared (no static libraries in ${sinter_llvm_libdir})")
endif()

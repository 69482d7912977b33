# The library itself. Sinter::sinter is what BUILD_SHARED_LIBS asks for; Sinter::sinter_static is always there.
# A program or library that links the static one does not export its symbols again: --exclude-libs hides them, so that
# two copies can live in one process.
function(sinter_library_properties target)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} PRIVATE c_std_11)  # PUBLIC would ask C of projects that have C++ alone
  set_target_properties(${target} PROPERTIES
    OUTPUT_NAME sinter LINKER_LANGUAGE C VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:sinter_flags> Threads::Threads ${CMAKE_DL_LIBS} m)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    target_link_options(${target} INTERFACE LINKER:--exclude-libs,libsinter.a)
  else()
    target_link_options(${target} PRIVATE LINKER:-Bsymbolic-functions)
    if(NOT SINTER_SANITIZE AND NOT SINTER_FUZZ)  # clang's sanitizer runtime is in the program alone
      target_link_options(${target} PRIVATE LINKER:--no-undefined)
    endif()
  endif()
endfunction()

add_library(sinter ${SINTER_OBJECTS})
sinter_library_properties(sinter)
if(BUILD_SHARED_LIBS)
  add_library(sinter_static STATIC ${SINTER_OBJECTS})
  sinter_library_properties(sinter_static)
else()
  add_library(sinter_static ALIAS sinter)
endif()
add_library(Sinter::sinter ALIAS sinter)
if(BUILD_SHARED_LIBS)
  add_library(Sinter::sinter_static ALIAS sinter_static)
else()
  add_library(Sinter::sinter_static ALIAS sinter)
endif()

# The library looks for its plugin beside the file that it is in, then where that file's rpath leads. In a program that links the
# static library the file is the program: it gets the plugin's folder as an rpath.
function(sinter_find_plugin_from_static)
  if(NOT TARGET sinter-llvm)
    return()
  endif()
  set(target sinter)
  if(BUILD_SHARED_LIBS)
    set(target sinter_static)
  endif()
  target_link_options(${target} INTERFACE
    $<BUILD_INTERFACE:-Wl,-rpath,$<TARGET_FILE_DIR:sinter-llvm>>
    $<INSTALL_INTERFACE:-Wl,-rpath,$<INSTALL_PREFIX>/${CMAKE_INSTALL_LIBDIR}>)
endfunction()

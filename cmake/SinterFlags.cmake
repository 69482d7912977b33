# Flags of every target of ours. Contraction is off: fma only where kernel IR says fma. -O2, but for the vector loops
# (SinterCopies): the library has no other loop that gains from more.
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
add_library(sinter_flags INTERFACE)
target_include_directories(sinter_flags INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
target_compile_options(sinter_flags INTERFACE
  $<$<STREQUAL:$<CONFIG>,>:-O2>  # a host project without a build type still gets a library that is fit for use
  -ffp-contract=off -fno-math-errno -fno-semantic-interposition
  $<$<COMPILE_LANGUAGE:C>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wstrict-prototypes;-Wmissing-prototypes>
  $<$<BOOL:${SINTER_WERROR}>:-Werror>)
target_compile_definitions(sinter_flags INTERFACE _GNU_SOURCE
  SINTER_VERSION="${PROJECT_VERSION}"
  $<$<OR:$<CONFIG:Debug>,$<BOOL:${SINTER_DEBUG_CHECKS}>>:SNI_DEBUG>)
target_link_libraries(sinter_flags INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)

if(SINTER_SANITIZE)
  target_compile_options(sinter_flags INTERFACE
    -fsanitize=${SINTER_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(sinter_flags INTERFACE -fsanitize=${SINTER_SANITIZE})
endif()
if(SINTER_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SINTER_FUZZ needs clang: cmake -DCMAKE_C_COMPILER=clang")
  endif()
  target_compile_options(sinter_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SINTER_COVERAGE)
  target_compile_options(sinter_flags INTERFACE --coverage)
  target_link_options(sinter_flags INTERFACE --coverage)
endif()

# Loops of the interpreter over whole MATH operations are printed by a program from their expansions (tools/print_math_blocks.c).
# A build for another machine has none, and its interpreter expands these operations.
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  return()
endif()
file(GLOB expansions CONFIGURE_DEPENDS codegen/expand/*.c codegen/kernel/*.c)
add_executable(sinter_print_math EXCLUDE_FROM_ALL tools/print_math_blocks.c ${expansions})
target_link_libraries(sinter_print_math PRIVATE sinter_flags sinter_layer_graph)
set(SINTER_MATH_BLOCKS ${PROJECT_BINARY_DIR}/generated/math_blocks.inc)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/generated)
add_custom_command(OUTPUT ${SINTER_MATH_BLOCKS}
  COMMAND sinter_print_math > ${SINTER_MATH_BLOCKS}
  DEPENDS sinter_print_math VERBATIM)
add_custom_target(sinter_math_blocks DEPENDS ${SINTER_MATH_BLOCKS})
# The flag changes no value: operations need not be behind branches, so loops become vectors.
set_source_files_properties(codegen/interp/blocks_math.c PROPERTIES
  COMPILE_OPTIONS -fno-trapping-math
  COMPILE_DEFINITIONS SNI_MATH_BLOCKS
  INCLUDE_DIRECTORIES ${PROJECT_BINARY_DIR}/generated
  OBJECT_DEPENDS ${SINTER_MATH_BLOCKS})

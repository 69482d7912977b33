# codegen/interp/blocks.c, the interpreter's vector loops, is compiled once per instruction set; dispatch is at run time.
# SNI_INTERP_SUFFIX names the table that each copy defines.
set(SINTER_BLOCKS_OBJECTS)
set(SINTER_BLOCKS_baseline "")
set(SINTER_BLOCKS_avx2 -mavx2 -mfma)
set(SINTER_BLOCKS_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(SINTER_BLOCKS_VARIANTS baseline avx2 avx512)
else()
  set(SINTER_BLOCKS_VARIANTS baseline)
endif()
foreach(variant ${SINTER_BLOCKS_VARIANTS})
  add_library(sinter_blocks_${variant} OBJECT codegen/interp/blocks.c)
  target_link_libraries(sinter_blocks_${variant} PRIVATE sinter_flags)
  target_compile_options(sinter_blocks_${variant} PRIVATE
    $<$<NOT:$<CONFIG:Debug>>:-O3> ${SINTER_BLOCKS_${variant}})
  target_compile_definitions(sinter_blocks_${variant} PRIVATE SNI_INTERP_SUFFIX=${variant})
  list(APPEND SINTER_BLOCKS_OBJECTS $<TARGET_OBJECTS:sinter_blocks_${variant}>)
endforeach()

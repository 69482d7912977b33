// The translation of a kernel into an interpreter program: state shared by analyze.c, steps.c,
// layout.c and prepare.c, in the order in which they run. Everything lives in an arena that dies
// with it.
#ifndef SNI_CODEGEN_INTERP_TRANSLATE_H
#define SNI_CODEGEN_INTERP_TRANSLATE_H

#include "codegen/interp/program.h"
#include "codegen/kernel/fields.h"

// What is known about an instruction.
typedef struct sni_translated {
  uint32_t axes;  // along which its value really varies
  uint32_t stage;
  uint8_t list;       // SNI_LIST_*
  bool vector;        // varies along the vector axis
  bool copied;        // a load whose memory is overwritten before its last use
  uint32_t root;      // the value itself, or what COPY and BITCAST pass on
  uint32_t last_use;  // number of the last instruction that uses the value or what passes it on
  uint32_t direct;  // number of the store whose memory the value is computed into, or SNI_NO_VALUE
  uint32_t slot;
} sni_translated;

typedef enum sni_home {
  SNI_HOME_NONE,
  SNI_HOME_REGISTER,
  SNI_HOME_CELL,
  SNI_HOME_LANES,
  SNI_HOME_CONSTANT,
  SNI_HOME_SIZE,
} sni_home;

// What is known about a pointer slot.
typedef struct sni_slot_info {
  uint8_t dtype;
  sni_home home;
  uint32_t first, last;  // steps between which a register is in use
  size_t offset;         // of the home: in scratch, or number of the constant or size
} sni_slot_info;

typedef struct sni_translator {
  const sni_kernel *kernel;
  const sni_blocks *blocks;
  sni_arena *arena;
  sni_diag *diag;
  sn_status status;
  int vector_axis;
  sni_translated *insts;

  // arrays that grow
  sni_step *steps;
  uint32_t n_steps, steps_capacity;
  sni_slot_info *slots;
  uint32_t n_slots, slots_capacity;
  uint64_t *constants;
  uint32_t n_constants, constants_capacity;
  sni_size_source *sizes;
  uint32_t n_sizes, sizes_capacity;
  sni_check_program *checks;
  uint32_t n_checks, checks_capacity;
  uint32_t *access_order;
  uint32_t n_access_order, access_order_capacity;
  sni_reduction *reductions;
  uint32_t n_reductions, reductions_capacity;

  sni_stage_program *stages;
  sni_access_program *accesses;
  size_t *row_slots;
  bool dynamic, streams;
  sni_contraction_program contraction;

  // by layout.c
  uint32_t block;
  size_t scratch_bytes, slot_table, address_table, size_table;
} sni_translator;

// Items are `element_size` each; false (status is set) when memory is exhausted.
bool sni_translate_grow(sni_translator *t, void **items, uint32_t *capacity, uint32_t wanted,
                        size_t element_size);
// ---- analyze.c: fills insts but for their slots
void sni_translate_analyze(sni_translator *t);
// ---- steps.c: fills stages, steps, slots, constants, sizes
void sni_translate_steps(sni_translator *t);
// ---- layout.c: homes of slots, block, scratch
void sni_translate_layout(sni_translator *t);

// Number of a size in the table, value (or parameter) times scale.
uint32_t sni_translate_size(sni_translator *t, sni_kernel_size size, int64_t scale);

#endif

// What the interpreter runs: flat lists of steps over pointer slots. Made by analyze.c (which
// values vary, how often they are computed), steps.c (the lists) and layout.c (where values live)
// under prepare.c; run by run.c (nests) and contraction.c.
//
//   slots  each value has a pointer slot: where its elements (or its one element) are now. A load
//          of neighbouring elements only sets the slot; other values have a fixed place: a
//          constant, a register of `block` elements, or a cell of one element.
//   lists  per stage, by how often a step must run:
//            RUN    once per call                          (depends on no axis)
//            UNIT   once per outer index without the vector axis
//            BLOCK  vector_inner: once per row of the inner domain;
//                   outer vector: once per block of the vector axis
//            LOOP   vector_inner: once per block of a row; outer vector: once per inner index
//   sizes  all integers that addresses need, resolved at the start of a call if the kernel has
//          parameters.
#ifndef SNI_CODEGEN_INTERP_PROGRAM_H
#define SNI_CODEGEN_INTERP_PROGRAM_H

#include "codegen/interp/blocks.h"
#include "codegen/interp/interp.h"

typedef enum sni_step_kind {
  SNI_STEP_CALL,           // function over the block
  SNI_STEP_CALL_ONE,       // function over one element
  SNI_STEP_POINT,          // slot dst = address of the access
  SNI_STEP_POINT_INDEXED,  // slot dst = address of the access + the one index in slot b
  SNI_STEP_LOAD,           // register dst = access, of any stride; b: SNI_NO_VALUE or an index
  SNI_STEP_STORE,          // access = a; b: SNI_NO_VALUE or an index
  SNI_STEP_STORE_ADD,      // access += a, in order; b: SNI_NO_VALUE or an index
  SNI_STEP_STREAM,         // access = a, around the caches
  SNI_STEP_SCRATCH_POINT,  // slot dst = row scratch at this inner index
  SNI_STEP_SCRATCH_STORE,  // row scratch = a
  SNI_STEP_COPY,           // register or cell dst = a
  SNI_STEP_SPLAT,          // register dst = the one element in slot a
  SNI_STEP_INDEX,          // register or cell dst = index along an axis
  SNI_STEP_CHECK,          // register or cell dst = a clamped
  SNI_STEP_REDUCE,         // lanes of a reduction: accumulate a
} sni_step_kind;

typedef struct sni_step {
  uint8_t kind, dtype;
  bool one;               // over one element instead of the block
  bool one_index;         // slot b holds one index for the whole block
  bool may_point;         // LOAD: neighbouring elements need no copy
  uint32_t dst, a, b, c;  // slots
  uint32_t number;        // of the access, scratch slot, axis, size or reduction
  sni_block_function function;
} sni_step;

enum { SNI_LIST_RUN, SNI_LIST_UNIT, SNI_LIST_BLOCK, SNI_LIST_LOOP, SNI_LISTS };

typedef struct sni_range {
  uint32_t first, count;
} sni_range;

typedef struct sni_reduction {
  uint8_t dtype, combiner;    // sni_combiner_number
  bool one;                   // outer vector: the same for all elements of the block
  uint32_t slot;              // result; vector_inner: the lanes, the first becomes the result
  uint32_t identity, zero;    // slots of one element each
  sni_block_function finish;  // outer vector: + 0.0 of float sums; NULL: nothing to do
} sni_reduction;

typedef struct sni_stage_program {
  bool inner;
  sni_range lists[SNI_LISTS];  // of steps
  sni_range reductions;
  sni_range accesses;  // of access_order: those that vary along inner axes in this stage
} sni_stage_program;

// Where a slot points from the start of a call.
typedef enum sni_place_kind {
  SNI_PLACE_CONSTANT,
  SNI_PLACE_SCRATCH,
  SNI_PLACE_SIZE
} sni_place_kind;
typedef struct sni_place {
  sni_place_kind kind;
  uint32_t slot;
  size_t offset;  // number of the constant or size; byte offset in scratch
} sni_place;

// value, or params[param] * value.
typedef struct sni_size_source {
  int64_t value;
  int32_t param;
} sni_size_source;

typedef struct sni_access_program {
  uint32_t buffer;
  uint32_t sizes;  // number of its offset in bytes, which its strides in bytes follow, one per axis
} sni_access_program;

// CHECK_INDEX against a size that turns out to be empty has nothing to clamp to.
typedef struct sni_check_program {
  uint32_t size;
  bool inner;
} sni_check_program;

typedef struct sni_contraction_program {
  bool present;
  uint8_t dtype;
  uint32_t lhs, rhs;       // accesses
  uint32_t sizes;          // number of: k extent, k stride of lhs, of rhs (bytes)
  uint32_t slot;           // of the row of products
  int64_t rows, columns;   // of the products kept in scratch
  int64_t depth;           // k of a packed panel of rhs
  size_t row_bytes;        // of products and panel: whole cache lines
  size_t products, panel;  // byte offsets in scratch
} sni_contraction_program;

typedef struct sni_nest_code {
  sni_interp_code head;
  const sni_blocks *blocks;
  int n_outer, n_inner, n_axes, vector_axis;
  bool vector_inner, dynamic, streams;
  uint32_t block;  // elements of a register
  uint32_t n_stages, n_accesses, n_places, n_sizes, n_checks;
  int64_t grain[SNI_MAX_AXES];
  sni_contraction_program contraction;
  const sni_stage_program *stages;
  const sni_step *steps;
  const sni_reduction *reductions;
  const uint32_t *access_order;
  const sni_access_program *accesses;
  const sni_place *places;
  const sni_size_source *size_sources;
  const int64_t *sizes;  // when nothing is dynamic. The first n_axes are the extents.
  const sni_check_program *checks;
  const uint64_t *constants;
  const size_t *row_slots;                       // byte offsets in scratch
  size_t slot_table, address_table, size_table;  // byte offsets in scratch
} sni_nest_code;

// sni_interp_prepare with loops of the caller's choice.
sn_status sni_interp_prepare_with(const sni_kernel *expanded, const sni_blocks *blocks,
                                  sni_allocator *allocator, sni_diag *diag,
                                  sni_interp_code **out_code);

// State of one call.
typedef struct sni_frame {
  const sni_nest_code *code;
  const int64_t *sizes;
  const void **slots;
  char **address;  // of each access at the current index, position 0 of the vector axis
  char *scratch;
  void *const *buffers;
  int64_t index[SNI_MAX_AXES];  // the vector axis apart
  int64_t position;             // along the vector axis
  int64_t unit_start;           // outer vector: position of the unit's first element
  int64_t inner;  // row-major number of the inner index; vector_inner: of the row's first
  int64_t inner_count;
  size_t lanes;  // that a reduction uses, a power of two
} sni_frame;

void sni_interp_steps(sni_frame *f, sni_range list, size_t n);
void sni_interp_lists(sni_frame *f, int list);  // RUN or UNIT, of all stages
void sni_interp_block(sni_frame *f, size_t n);  // outer vector: all stages, n elements at position
void sni_interp_addresses(sni_frame *f);        // from f->index
void sni_interp_contraction(sni_frame *f, int64_t begin, int64_t end);

#endif

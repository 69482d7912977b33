// What the files of the LLVM plugin share: the state of one kernel's emission and the steps of it.
//
//   plugin.c             request -> module -> object bytes
//   out_of_memory.c      where LLVM runs, and what becomes of it without memory
//   emit_walk.h          the walk over a kernel, with files of its own
//   emit_reduce.c        identities, combination of lanes
//   emit_memory.c        masks, gathers
//   emit_op.c            pure operations on scalars and vectors alike
//   emit_exact.c         those of them that take several instructions
//   emit_angle.c         large arguments of sine and cosine
//   ir.c                 constants, intrinsics, loops
//
// A value that doesn't vary along the lanes is a scalar; one that does is a vector of `lanes`
// elements for each vector of the group at hand. The instructions of a group are emitted one by one
// for all its vectors, so that their chains overlap.
#ifndef SNI_CODEGEN_LLVM_EMIT_H
#define SNI_CODEGEN_LLVM_EMIT_H

#include "codegen/kernel/facts.h"
#include "codegen/llvm/plugin.h"

#include <llvm-c/Core.h>
#include <llvm/Config/llvm-config.h>

enum {
  sni_max_group = 64,     // vectors in a group: 64 lanes of 1
  sni_max_carried = 256,  // values that a loop carries round
};

// What is known of the ranges of accesses where the walk stands.
typedef enum sni_ranges { SNI_RANGES_OPEN, SNI_RANGES_HOLD, SNI_RANGES_BORDER } sni_ranges;

// Vectors that are worked on together: vector u holds the elements index[u] .. index[u] + lanes - 1
// of the loop with lanes.
typedef struct sni_group {
  int first, count;  // vectors [first, first + count)
  LLVMValueRef index[sni_max_group];
  LLVMValueRef mask[sni_max_group];    // NULL: all lanes are in the domain
  LLVMValueRef active[sni_max_group];  // i64 number of lanes in the domain where there is a mask
} sni_group;

typedef struct sni_value {
  LLVMValueRef scalar;   // of a value that doesn't vary along the lanes
  LLVMValueRef splat;    // the same in all lanes; only where vector instructions use it
  LLVMValueRef *vector;  // sni_max_group entries; of a value that varies
} sni_value;

typedef struct sni_emitter {
  // of the module
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMBuilderRef builder;
  LLVMTypeRef type_i1, type_i8, type_i16, type_i32, type_i64, type_f32, type_f64, type_pointer,
      type_void;
  int vector_bits;
  bool avx512, avx512vl, f16c;
  char *error;  // of sizeof(sni_llvm_result.error); "" while all is well
  // of the kernel
  const char *name;
  bool is_inside;                 // part of a function that has its arguments as values
  LLVMValueRef *known, *stored;   // sni_arguments; NULL: none
  LLVMBasicBlockRef first_block;  // of the kernel
  LLVMValueRef function, begin, end, scratch;
  LLVMValueRef *buffers;   // addresses of element 0
  LLVMValueRef *params;    // i64
  LLVMValueRef *offsets;   // per access: elements at the indices of the open loops
  int64_t *displacements;  // per access: added to that
  sni_value *values;       // per instruction
  LLVMValueRef *vectors;   // memory of values[i].vector
  bool *is_vector, *needs_splat;
  bool *early;  // per instruction: it was emitted before the lanes loop that it stands in
  int lanes;
  bool non_temporal;  // some store bypasses the caches: a fence is due
  // of the walk (emit_walk.h)
  const sni_tree *tree;
  sni_inst_facts *inst_facts;
  sni_item_facts *item_facts;
  uint32_t *first_inst;   // per item, and one behind: number of the first instruction in it
  uint8_t *item_lanes;    // per item: lanes of a vector in a loop with lanes; else 0
  bool *straight;         // per item: a lanes loop of one group, without a branch
  bool *product;          // per item: the outer loop of a product
  LLVMValueRef **held;    // per buffer: its vectors where it lives in registers; else NULL
  uint8_t *access_depth;  // per access: loops whose strides it has
  struct sni_row_block *row_blocks;
  uint32_t n_row_blocks;
  uint32_t *row_block;     // per access: 1 + number of its block; 0: none
  bool *written_out;       // per item: a loop over the columns of rows whose turns are written out
  LLVMValueRef *aligned;   // per access: i1, a streamed store is aligned; NULL: not known
  LLVMValueRef *forms;     // per range, as offsets
  struct sni_span *spans;  // per item: the unit's piece of a grid loop
  struct sni_sum *sums;    // open ones, outermost first
  uint32_t n_sums;
  struct sni_undo *undo;  // what sni_leave restores
  uint32_t n_undo, undo_capacity;
  LLVMValueRef indices[SNI_TREE_DEPTH];  // of the open loops; not of one that runs in vectors
  int64_t turn_lanes;                    // of the turns of a grid loop in vectors; 0: others
  sni_ranges ranges;                     // BORDER: some do not hold, it is not worth asking
  int lanes_depth;                       // depth of the loop that runs in vectors; -1
  LLVMBasicBlockRef entry, exit;
  struct sni_area *areas;  // of the function's frame
  uint32_t n_areas, areas_capacity;
} sni_emitter;

// ---- ir.c
LLVMTypeRef sni_ir_type(const sni_emitter *e, sn_dtype dtype);         // of values: bool is i1
LLVMTypeRef sni_ir_memory_type(const sni_emitter *e, sn_dtype dtype);  // bool is i8
// element, or a vector of it as wide as shape
LLVMTypeRef sni_ir_like(LLVMTypeRef shape, LLVMTypeRef element);
LLVMTypeRef sni_ir_element(LLVMTypeRef type);
unsigned sni_ir_width(LLVMTypeRef type);  // lanes; 1 for a scalar
LLVMValueRef sni_ir_i64(const sni_emitter *e, int64_t value);
LLVMValueRef sni_ir_float(LLVMTypeRef type, double value);  // scalar or in all lanes
LLVMValueRef sni_ir_int(LLVMTypeRef type, int64_t value);
LLVMValueRef sni_ir_splat(sni_emitter *e, LLVMValueRef scalar, unsigned width);
// {0, step, 2 step, ...}
LLVMValueRef sni_ir_iota(LLVMTypeRef element, unsigned width, int64_t step);
LLVMValueRef sni_ir_shuffle(sni_emitter *e, LLVMValueRef a, LLVMValueRef b, const int *lanes,
                            unsigned width);
LLVMValueRef sni_ir_slice(sni_emitter *e, LLVMValueRef vector, unsigned first, unsigned width);
LLVMValueRef sni_ir_concat(sni_emitter *e, LLVMValueRef low, LLVMValueRef high);
LLVMValueRef sni_ir_intrinsic(sni_emitter *e, const char *name, LLVMTypeRef *overloads,
                              unsigned n_overloads, LLVMValueRef *arguments, unsigned n_arguments);
LLVMValueRef sni_ir_select(sni_emitter *e, LLVMValueRef condition, LLVMValueRef yes,
                           LLVMValueRef no);
LLVMValueRef sni_ir_any(sni_emitter *e, LLVMValueRef bits);  // i1: some lane is true
// i64 index arithmetic, folded
LLVMValueRef sni_ir_add(sni_emitter *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sni_ir_mul(sni_emitter *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sni_ir_min(sni_emitter *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sni_ir_element_address(sni_emitter *e, LLVMTypeRef element, LLVMValueRef base,
                                    LLVMValueRef index);
LLVMBasicBlockRef sni_ir_block(sni_emitter *e, const char *name);
bool sni_ir_is_constant(LLVMValueRef value, int64_t *out_value);
bool sni_fail_emission(sni_emitter *e, const char *format, ...) SNI_PRINTF(2, 3);  // false

// for (index = start; index < end; index += step), with values carried round.
typedef struct sni_loop {
  LLVMValueRef index, end, step;
  LLVMValueRef last_index;  // behind the loop: first index not done
  LLVMBasicBlockRef before, body, after;
  LLVMValueRef start;
  bool always;  // at least one turn
  int n_carried;
  LLVMValueRef carried[sni_max_carried];  // in the body: this turn's; behind the loop: final
  LLVMValueRef initial[sni_max_carried];
} sni_loop;
// loop->initial[0 .. n_carried) must be set. The builder is in the body afterwards.
void sni_loop_begin(sni_emitter *e, sni_loop *loop, LLVMValueRef start, LLVMValueRef end,
                    LLVMValueRef step, int n_carried);
// next: the carried values of the next turn. The builder is behind the loop afterwards.
void sni_loop_end(sni_emitter *e, sni_loop *loop, LLVMValueRef *next);

// ---- emit_op.c, emit_exact.c: all types as sni_ir_type or vectors of it
LLVMValueRef sni_emit_op(sni_emitter *e, const sni_tree_inst *inst, LLVMTypeRef type,
                         LLVMValueRef a, LLVMValueRef b, LLVMValueRef c);
LLVMValueRef sni_emit_max_min(sni_emitter *e, bool max, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sni_emit_int_divide(sni_emitter *e, bool remainder, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sni_emit_fmod(sni_emitter *e, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sni_emit_ldexp(sni_emitter *e, LLVMValueRef a, LLVMValueRef b);
// emit_angle.c. Of `count` pairs, all of one type; the results take the place of a.
void sni_emit_fold_angles(sni_emitter *e, LLVMValueRef *a, const LLVMValueRef *b, int count);
LLVMValueRef sni_emit_cast(sni_emitter *e, sn_dtype from, sn_dtype to, LLVMValueRef a);

// ---- emit_half.c
// f16 or bf16 to f32, or back.
LLVMValueRef sni_emit_half_cast(sni_emitter *e, sn_dtype from, sn_dtype to, LLVMValueRef a);
// From a storage dtype to the one that it computes in; u32 and u64 are bits.
LLVMValueRef sni_emit_widened(sni_emitter *e, sn_dtype from, sn_dtype to, LLVMValueRef a);

// ---- emit_memory.c
LLVMValueRef sni_emit_extent(sni_emitter *e, sni_extent extent);  // emit_kernel.c
// lanes below active (i64)
LLVMValueRef sni_emit_mask(sni_emitter *e, LLVMValueRef active, unsigned width);
LLVMValueRef sni_emit_vector_load(sni_emitter *e, LLVMTypeRef type, LLVMValueRef address,
                                  LLVMValueRef mask);
void sni_emit_vector_store(sni_emitter *e, LLVMValueRef value, LLVMValueRef address,
                           LLVMValueRef mask);
// The addresses of base[offsets], a lane each.
LLVMValueRef sni_lane_addresses(sni_emitter *e, LLVMTypeRef type, LLVMValueRef base,
                                LLVMValueRef offsets);
LLVMValueRef sni_emit_gather_from(sni_emitter *e, LLVMTypeRef type, LLVMValueRef addresses,
                                  LLVMValueRef mask);
LLVMValueRef sni_emit_gather(sni_emitter *e, LLVMTypeRef type, LLVMValueRef base,
                             LLVMValueRef offsets, LLVMValueRef mask);
void sni_emit_scatter(sni_emitter *e, LLVMValueRef value, LLVMValueRef base, LLVMValueRef offsets,
                      LLVMValueRef mask);
// base + stride * {0 .. width - 1} elements, as offsets for gathers
LLVMValueRef sni_emit_lane_offsets(sni_emitter *e, sni_extent stride, unsigned width);

// ---- emit_value.c
// vector -1: the scalar
LLVMValueRef sni_operand(const sni_emitter *e, uint32_t value, int vector);
void sni_set_vector(sni_emitter *e, uint32_t number, int vector, LLVMValueRef value);
void sni_set_scalar(sni_emitter *e, uint32_t number, LLVMValueRef value);
bool sni_is_known_group(const sni_group *group);  // how many lanes are in the domain

// ---- emit_reduce.c
LLVMValueRef sni_reduce_identity(sni_emitter *e, const sni_tree_inst *inst, LLVMTypeRef type);
LLVMValueRef sni_reduce_combine(sni_emitter *e, const sni_tree_inst *inst, LLVMValueRef a,
                                LLVMValueRef b);
LLVMValueRef sni_reduce_finish(sni_emitter *e, const sni_tree_inst *inst, LLVMValueRef total);
// Combines `count` vectors, together at most 64 lanes (the others hold the identity), into a
// scalar.
LLVMValueRef sni_reduce_lanes(sni_emitter *e, const sni_tree_inst *inst, LLVMValueRef *vectors,
                              int count);

#endif

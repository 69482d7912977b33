// Kernel IR (K): one kernel is a loop nest over buffers with a small SSA program inside, or a
// matrix contraction with such a program as its epilogue. The schedule (vector axis, grains) is
// data on the kernel. Backends are straight walkers of K.
//
//   axes    [0, n_outer) are independent (parallel); [n_outer, n_outer + n_inner) are reduced, in
//           this order.
//   units   the outer domain cut into pieces: axis i < n_outer is cut into
//           ceil(extent[i] / grain[i]) pieces. A kernel function runs units [begin, end); unit u
//           has piece index (row-major over the outer axes, last fastest). In a nest grain[i] is 1
//           for all axes but the vector axis.
//   vector  vector_inner: lanes run along the last inner axis; else along the last outer axis
//           (n_outer >= 1 then).
//   stages  run in order for each unit: an inner stage loops over the inner axes; an outer stage
//           runs once per outer index. An instruction may use values of its own stage, of earlier
//           outer stages, and reductions of earlier inner stages. It may not use another inner
//           stage's element values: those are recomputed or go through row scratch.
//   values  instruction number i defines value i. insts[i].axes has a bit per axis that the value
//           varies along.
//   lanes   REDUCE in a vector_inner nest: element i of the vector axis goes to lane i % 64, each
//           lane accumulates sequentially from the identity over the inner axes in order, then
//           lanes combine as a tree: lane[l] = combine(lane[l], lane[l + w]) for
//           w = 32, 16, ..., 1. Otherwise each outer index accumulates sequentially. The identity
//           of a float sum is -0.0, and the final result has +0.0 added. Same bits on every
//           backend, ISA and thread count.
//   NaN     any NaN is as good as any other: sign and payload of one that an operation gives are open.
//           Operations that move values (LOAD, STORE, COPY, SELECT, BITCAST, scratch) keep its bits.
//   faults  CHECK_INDEX sets sni_scratch_header.fault and clamps.
#ifndef SNI_CODEGEN_KERNEL_H
#define SNI_CODEGEN_KERNEL_H

#include "codegen/kernel/kops.h"
#include "runtime/arena.h"
#include "runtime/kernel_call.h"

#include <sinter/tensor.h>

#define SNI_MAX_AXES 10
#define SNI_REDUCE_LANES 64
#define SNI_NO_VALUE UINT32_MAX

// An integer known when the kernel is built (param < 0) or given at run time: params[param].
typedef struct sni_kernel_size {
  int64_t value;
  int32_t param;
} sni_kernel_size;
static inline sni_kernel_size sni_kernel_constant(int64_t value) {
  return (sni_kernel_size){value, -1};
}
static inline int64_t sni_kernel_size_value(sni_kernel_size size, const int64_t *params) {
  return size.param < 0 ? size.value : params[size.param];
}

// Element address: offset + sum over axes of index * stride, + the value `index` (i64, in elements)
// if there is one.
typedef struct sni_kernel_access {
  uint32_t buffer;  // number of the kernel's buffer argument
  uint32_t index;   // value or SNI_NO_VALUE
  sni_kernel_size offset;
  sni_kernel_size stride[SNI_MAX_AXES];  // in elements; may be 0 or negative
} sni_kernel_access;

typedef struct sni_kernel_inst {
  sni_kop op;
  sn_dtype dtype;   // of the value (of the stored value)
  sn_dtype source;  // of operand a where the formula says so
  uint16_t axes;    // bit per axis that the value varies along
  uint32_t operands[3];
  uint32_t access;  // LOAD, STORE, STORE_ADD: number of the access
  union {
    double f;              // CONST of a float dtype
    int64_t i;             // CONST of an integer or bool dtype
    sni_kernel_size size;  // PARAM, CHECK_INDEX
    int axis;              // INDEX
    int slot;              // SCRATCH_*
    sni_kop combiner;      // REDUCE
  } imm;
} sni_kernel_inst;

typedef struct sni_kernel_stage {
  bool inner;
  // Instructions [first, first + count); stages cover all instructions in order.
  uint32_t first, count;
} sni_kernel_stage;

typedef struct sni_kernel_buffer {
  sn_dtype dtype;
  bool written;  // some STORE goes there
  bool read;
  // May be the same memory as another buffer of this kernel, read and written at equal elements
  // (in place).
  bool shared;
  bool streamed;  // written once and larger than the cache: non-temporal stores pay
} sni_kernel_buffer;

// c[m, n] = sum_k a[m, k] b[k, n] inside a kernel whose last two outer axes are m and n (leading
// ones: batch).
typedef struct sni_kernel_contraction {
  bool present;
  // Accesses; their strides along m, n and batch axes; lhs does not vary along n, rhs not along m.
  uint32_t lhs, rhs;
  sni_kernel_size k_extent, lhs_k_stride, rhs_k_stride;
} sni_kernel_contraction;

typedef struct sni_kernel {
  const char *name;  // letters, digits, '_': of the user's ops; for people
  int n_outer, n_inner;
  sni_kernel_size extent[SNI_MAX_AXES];
  int64_t grain[SNI_MAX_AXES];
  bool vector_inner;
  bool serial;  // units must run in order, on one thread (STORE_ADD collisions)
  bool faults;  // has CHECK_INDEX
  sni_kernel_contraction contraction;
  uint32_t n_buffers, n_accesses, n_insts, n_stages, n_params;
  sni_kernel_buffer *buffers;
  sni_kernel_access *accesses;
  sni_kernel_inst *insts;
  sni_kernel_stage *stages;
  // Row scratch: slot s holds the inner domain (x grain of the vector axis in an outer-vector nest)
  // of one dtype, row-major, from byte scratch_offset[s] behind the scratch header. Only with
  // constant inner extents.
  uint32_t n_slots;
  size_t *slot_offset;
  sn_dtype *slot_dtype;
  size_t scratch_bytes;  // of all slots together
} sni_kernel;

int64_t sni_kernel_units(const sni_kernel *kernel, const int64_t *params);
// Every invariant above. Errors: SN_ERR_INTERNAL naming the instruction.
sn_status sni_kernel_verify(const sni_kernel *kernel, sni_diag *diag);
void sni_kernel_print(const sni_kernel *kernel, sni_text *text);
// Identity of the code: equal for kernels that differ only in name. Fit as a cache key together
// with sni_kernel_equal.
uint64_t sni_kernel_hash(const sni_kernel *kernel);
bool sni_kernel_equal(const sni_kernel *a, const sni_kernel *b);
// A copy in the arena in which MATH ops are replaced by CORE ones. No MATH op left.
sn_status sni_kernel_expand(const sni_kernel *kernel, sni_arena *arena, sni_diag *diag,
                            sni_kernel **out_kernel);

#endif

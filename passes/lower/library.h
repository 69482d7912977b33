// Ops that a function serves better than a kernel, or that no kernel expresses: one table of them. A
// row's node becomes one command beside those of kernels, of the same kind for whoever plans, schedules or
// runs it (docs/adr/007-library-calls-are-commands.md).
#ifndef SNI_PASSES_LIBRARY_H
#define SNI_PASSES_LIBRARY_H

#include "passes/lower/lower.h"
#include "runtime/blas.h"

struct sni_lowering;

typedef struct sni_library_op {
  const char *name;    // in the text of plans; the op's, where `takes` is NULL
  const char *symbol;  // in profiles
  // Whether the call is better than a kernel: by op, dtypes and shapes alone. The libraries need not be
  // loaded. NULL: the row is that of the op of its name, whose LOWERING is LIBRARY.
  bool (*takes)(const sni_graph *graph, const sni_node *node);
  // Fills in what the call is, its params and its units; operands and result are the command's slots
  // already, work space may become one more. Units are cut by the shapes alone, so that bits do not
  // depend on the number of threads.
  sn_status (*plan)(struct sni_lowering *l, const sni_node *node, sni_plan_command *command);
  // params: as planned; values <= 0 are not known.
  double (*unit_ns)(const void *call, const int64_t *params, int vector_bits);
  // What `run` gets as code: the planned call, and the library; in arena. NULL: no memory. No function: the
  // planned call itself, nothing has to be loaded.
  const void *(*code)(const void *call, const sni_blas *blas, sni_arena *arena);
  sni_kernel_function run;
} sni_library_op;

// The row that takes a node; NULL: none does.
const sni_library_op *sni_library_for(const sni_graph *graph, const sni_node *node);
// Whether that row calls into OpenBLAS.
static inline bool sni_library_is_blas(const sni_library_op *row) {
  return row && row->code;
}

// ---- for rows, library.c
// A number of the run, of a dim.
sn_status sni_library_size(struct sni_lowering *l, sni_dim dim, sni_size_ref *out_ref);
// Units of one row each: all dims of `type` but the last n. call is copied; params are those of the dims.
sn_status sni_library_rows(struct sni_lowering *l, sni_plan_command *command, const sni_type *type,
                           int n, const void *call, size_t call_bytes, const sni_dim *params,
                           int n_params);
// One more slot: `bytes` for each row. After sni_library_rows.
sn_status sni_library_work(struct sni_lowering *l, sni_plan_command *command, const sni_type *type,
                           int n, sni_dim bytes);
static inline double sni_library_known(int64_t param) {
  return param > 0 ? (double)param : 64;
}

// ---- build_control.c
// Number of the operand of a control command whose memory its slot `out` may take over where nobody needs the operand any more, and
// the command reads it once; UINT32_MAX: of none.
uint32_t sni_control_operand_of(const sni_plan_command *c, uint32_t out);
bool sni_control_reads_once(const sni_plan_command *c, uint32_t in);

// ---- library_gemm.c
extern const sni_library_op sni_library_gemm;
// ---- library_sort.c
extern const sni_library_op sni_library_sort, sni_library_argsort, sni_library_top_k,
    sni_library_search_sorted;
// ---- library_linalg.c
extern const sni_library_op sni_library_cholesky, sni_library_triangular_solve, sni_library_solve,
    sni_library_determinant, sni_library_qr, sni_library_eigh, sni_library_svd;
// ---- library_random.c
extern const sni_library_op sni_library_random_bits, sni_library_random_normal,
    sni_library_random_truncated_normal, sni_library_random_permutation,
    sni_library_random_integers, sni_library_random_gamma, sni_library_random_poisson;
// ---- library_elements.c
extern const sni_library_op sni_library_gcd, sni_library_random_gamma_gradient;
// ---- library_strings.c
extern const sni_library_op sni_library_string_compare, sni_library_string_rank;
// ---- library_fft.c
extern const sni_library_op sni_library_fft, sni_library_rfft, sni_library_irfft;

#endif

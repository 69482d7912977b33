// Factorisations by runtime/linalg.c and runtime/linalg: a unit is a matrix. Work space is doubles; how
// many a matrix takes is a polynomial of its sizes.
#include "passes/lower/group.h"
#include "passes/lower/library.h"
#include "runtime/linalg.h"
#include "runtime/linalg/eliminate.h"

#include <stdio.h>
#include <string.h>

static const double ns_of_product = 0.6, ns_of_call = 100;

static sni_dim rows_of(const sni_type *type) {
  return type->dims[type->rank - 2];
}
static sni_dim columns_of(const sni_type *type) {
  return type->dims[type->rank - 1];
}
static sni_dim times(sni_lowering *l, sni_dim a, sni_dim b) {
  return sni_dim_mul(l->dims, a, b);
}
static sni_dim plus(sni_lowering *l, sni_dim a, sni_dim b) {
  return sni_dim_add(l->dims, a, b);
}

// Units of a matrix of operand #0 each, which has `doubles` of work space.
static sn_status plan_matrices(sni_lowering *l, const sni_node *node, const sni_linalg_call *call,
                               sni_dim p, sni_dim q, sni_dim doubles, sni_plan_command *command) {
  const sni_type *type = sni_graph_type(l->graph, node->operands[0]);
  sni_linalg_call own = *call;
  own.dtype = type->dtype;
  SNI_TRY(sni_library_rows(l, command, type, 2, &own, sizeof own, (sni_dim[]){p, q}, 2));
  return sni_library_work(l, command, type, 2,
                          sni_dim_mul_constant(l->dims, doubles, (int64_t)sizeof(double)));
}

// Elimination of n rows, of which each takes `doubles` of work space: large matrices are cut into panels.
static sn_status plan_elimination(sni_lowering *l, const sni_node *node, sni_linalg_call call,
                                  sni_dim n, sni_dim m, sni_dim doubles,
                                  sni_plan_command *command) {
  int64_t size;
  if (!sni_dim_is_constant(l->dims, n, &size) || size > SNI_MATRIX_SMALL) {
    call.panel = SNI_PANEL_DOUBLES;
    command->scratch_bytes = sni_matrix_gemm_bytes();
  }
  return plan_matrices(l, node, &call, n, m,
                       times(l, n, sni_dim_add_constant(l->dims, doubles, call.panel)), command);
}

// What a run says of a matrix that it cannot take.
static sn_status describe_fault(sni_lowering *l, const sni_node *node, const char *what,
                                sni_plan_command *command) {
  char text[600], of[200];
  sni_type type = *sni_graph_type(l->graph, node->operands[0]);
  sni_size_ref *sizes = SNI_ARENA_ARRAY(l->arena, sni_size_ref, SN_MAX_RANK);
  int n = 0;
  if (!sizes) return sni_fail_memory(l->diag, sizeof *sizes, "a library call");
  SNI_TRY(sni_hide_dims(l, &type, sizes, &n));
  const char *op = node->location.op ? node->location.op : sni_op_infos[node->op].name;
  sni_type_format(NULL, &type, of, sizeof of);
  for (char *c = of; *c; c++)
    if (*c == '?') *c = SNI_FAULT_SIZE;
  snprintf(text, sizeof text, "%.300s: operand #0 %s %s%s", op, of, what,
           type.rank > 2 ? ": matrix \2 of the batch" : "");
  command->fault = sni_arena_strdup(l->arena, text);
  command->fault_sizes = sizes;
  command->fault_status = SN_ERR_ARGUMENT;
  return command->fault ? SN_OK : sni_fail_memory(l->diag, strlen(text), "a library call");
}

static sn_status plan_cholesky(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_dim n = columns_of(&node->type);
  SNI_TRY(describe_fault(l, node, "is not positive definite", command));
  return plan_elimination(l, node, (sni_linalg_call){.lower = true}, n, n, n, command);
}

static sn_status plan_triangle(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_dim n = rows_of(&node->type), m = columns_of(&node->type);
  const sni_linalg_call call = {
      .lower = node->attrs[0] != 0, .transpose = node->attrs[1] != 0, .unit = node->attrs[2] != 0};
  if (!call.unit) SNI_TRY(describe_fault(l, node, "is singular: a zero on the diagonal", command));
  return plan_elimination(l, node, call, n, m, plus(l, n, m), command);
}

static sn_status plan_solve(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_dim n = rows_of(&node->type), m = columns_of(&node->type);
  const sni_linalg_call call = {.quiet = node->attrs[0] != 0};
  if (!call.quiet) SNI_TRY(describe_fault(l, node, "is singular", command));
  return plan_elimination(l, node, call, n, m, plus(l, n, m), command);
}

static sn_status plan_determinant(sni_lowering *l, const sni_node *node,
                                  sni_plan_command *command) {
  const sni_dim n = columns_of(sni_graph_type(l->graph, node->operands[0]));
  const sni_linalg_call call = {.part = (sni_determinant_part)node->attrs[0]};
  return plan_elimination(l, node, call, n, n, n, command);
}

// ---- reflections: of known sizes work space is a thread's scratch, else a polynomial of the sizes that is no less
enum { most_scratch = 1 << 26 };

typedef int64_t (*doubles_function)(int64_t m, int64_t n);

static sn_status plan_reflections(sni_lowering *l, const sni_node *node, doubles_function doubles,
                                  sni_dim p, sni_dim q, sni_dim at_most,
                                  sni_plan_command *command) {
  int64_t m, n;
  sni_linalg_call call = {.gemm_bytes = (int64_t)sni_matrix_gemm_bytes()};
  if (sni_dim_is_constant(l->dims, p, &m) && sni_dim_is_constant(l->dims, q, &n) &&
      m < most_scratch && n < most_scratch) {
    const int64_t bytes = doubles(m, n) * (int64_t)sizeof(double);
    if (m * n <= SNI_REFLECT_SINGLY) call.gemm_bytes = 0;
    call.scratch_work = bytes <= most_scratch;
    if (call.scratch_work) {
      command->scratch_bytes = (size_t)bytes;
      at_most = 0;
    }
  }
  command->scratch_bytes += (size_t)call.gemm_bytes;
  return plan_matrices(l, node, &call, p, q, at_most, command);
}

static sni_dim sum_of(sni_lowering *l, sni_dim square, int64_t a, sni_dim x, int64_t b, sni_dim y,
                      int64_t constant) {
  const sni_dim linear =
      plus(l, sni_dim_mul_constant(l->dims, x, a), sni_dim_mul_constant(l->dims, y, b));
  return sni_dim_add_constant(l->dims, plus(l, square, linear), constant);
}

static sn_status plan_qr(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type *a = sni_graph_type(l->graph, node->operands[0]);
  const sni_dim m = rows_of(a), n = columns_of(a),
                square = sni_dim_mul_constant(l->dims, times(l, m, n), 3);
  return plan_reflections(l, node, sni_qr_doubles, m, n, sum_of(l, square, 95, m, 16, n, 3038),
                          command);
}

static int64_t eigh_doubles(int64_t m, int64_t n) {
  (void)m;
  return sni_eigh_doubles(n);
}

static sn_status plan_eigh(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_dim n = columns_of(&node->type),
                square = sni_dim_mul_constant(l->dims, times(l, n, n), 3);
  return plan_reflections(l, node, eigh_doubles, n, n, sum_of(l, square, 211, n, 0, n, 4090),
                          command);
}

static int64_t svd_doubles(int64_t m, int64_t n) {
  return m < n ? sni_svd_doubles(n, m) : sni_svd_doubles(m, n);
}

static sn_status plan_svd(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type *a = sni_graph_type(l->graph, node->operands[0]);
  const sni_dim m = rows_of(a), n = columns_of(a), k = columns_of(&node->type),
                both = plus(l, m, n),  // k and the greater one
      square = sni_dim_mul_constant(l->dims, times(l, k, plus(l, both, k)), 2);
  return plan_reflections(l, node, svd_doubles, m, n, sum_of(l, square, 144, both, 130, k, 6072),
                          command);
}

// ---- costs: p, q are the sizes of a matrix, or of its side and the columns
static double direct_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)call;
  (void)vector_bits;
  const double p = sni_library_known(params[0]), q = sni_library_known(params[1]);
  return ns_of_call + ns_of_product * p * p * (p / 3 + q);
}

static double iterated_ns(const void *call, const int64_t *params, int vector_bits) {
  return 6 * direct_ns(call, params, vector_bits);
}

#define SNI_ROW(op, plan_of, ns)            \
  const sni_library_op sni_library_##op = { \
      .name = #op, .symbol = #op, .plan = plan_of, .unit_ns = ns, .run = sni_##op##_run}
SNI_ROW(cholesky, plan_cholesky, direct_ns);
SNI_ROW(triangular_solve, plan_triangle, direct_ns);
SNI_ROW(solve, plan_solve, direct_ns);
SNI_ROW(determinant, plan_determinant, direct_ns);
SNI_ROW(qr, plan_qr, direct_ns);
SNI_ROW(eigh, plan_eigh, iterated_ns);
SNI_ROW(svd, plan_svd, iterated_ns);
#undef SNI_ROW

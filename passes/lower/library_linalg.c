// Factorisations by runtime/linalg.c and runtime/spectral.c: a unit is a matrix. Work space is doubles; how
// many a matrix takes is a polynomial of its sizes.
#include "passes/lower/group.h"
#include "passes/lower/library.h"
#include "runtime/linalg.h"

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
  return plan_matrices(l, node, &(sni_linalg_call){.lower = true}, n, n, times(l, n, n), command);
}

static sn_status plan_triangle(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_dim n = rows_of(&node->type), m = columns_of(&node->type);
  const sni_linalg_call call = {
      .lower = node->attrs[0] != 0, .transpose = node->attrs[1] != 0, .unit = node->attrs[2] != 0};
  if (!call.unit) SNI_TRY(describe_fault(l, node, "is singular: a zero on the diagonal", command));
  return plan_matrices(l, node, &call, n, m, times(l, n, plus(l, n, m)), command);
}

static sn_status plan_solve(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_dim n = rows_of(&node->type), m = columns_of(&node->type);
  const sni_linalg_call call = {.quiet = node->attrs[0] != 0};
  if (!call.quiet) SNI_TRY(describe_fault(l, node, "is singular", command));
  return plan_matrices(l, node, &call, n, m, times(l, n, plus(l, n, m)), command);
}

static sn_status plan_determinant(sni_lowering *l, const sni_node *node,
                                  sni_plan_command *command) {
  const sni_dim n = columns_of(sni_graph_type(l->graph, node->operands[0]));
  const sni_linalg_call call = {.part = (sni_determinant_part)node->attrs[0]};
  return plan_matrices(l, node, &call, n, n, times(l, n, n), command);
}

static sn_status plan_qr(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type *a = sni_graph_type(l->graph, node->operands[0]);
  const sni_dim m = rows_of(a), n = columns_of(a),
                width = sni_dim_add_constant(l->dims, plus(l, m, m), 1);
  return plan_matrices(l, node, &(sni_linalg_call){.part = 0}, m, n, times(l, width, n), command);
}

static sn_status plan_eigh(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_dim n = columns_of(&node->type),
                width = sni_dim_add_constant(l->dims, plus(l, n, n), 1);
  return plan_matrices(l, node, &(sni_linalg_call){.part = 0}, n, n, times(l, width, n), command);
}

static sn_status plan_svd(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type *a = sni_graph_type(l->graph, node->operands[0]);
  const sni_dim m = rows_of(a), n = columns_of(a), k = columns_of(&node->type);
  // k (k + max(m, n) + 3), and m + n = k + max(m, n)
  const sni_dim width = sni_dim_add_constant(l->dims, plus(l, m, n), 3);
  return plan_matrices(l, node, &(sni_linalg_call){.part = 0}, m, n, times(l, k, width), command);
}

// ---- costs: p, q are the sizes of a matrix, or of its side and the columns
static double direct_ns(const void *call, const int64_t *params, int vector_bits) {
  (void)call;
  (void)vector_bits;
  const double p = sni_library_known(params[0]), q = sni_library_known(params[1]);
  return ns_of_call + ns_of_product * p * p * (p / 3 + q);
}

static double iterated_ns(const void *call, const int64_t *params, int vector_bits) {
  return 20 * direct_ns(call, params, vector_bits);
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

// Large matmuls of floats by BLAS: both operands lie in buffers, row-major, and the transposition flags
// are the library's own.
#include "passes/lower/cost.h"
#include "passes/lower/group.h"
#include "passes/lower/library.h"

enum {
  least_dim = 768,      // from here on OpenBLAS is not slower than our own kernel
  rows_per_unit = 256,  // of the result
  assumed = 64,         // extent of unknown size
};

static sni_dim depth_of(const sni_graph *graph, const sni_node *node) {
  return sni_graph_type(graph, node->operands[0])->dims[node->attrs[0] ? 0 : 1];
}

// Operands of storage dtypes would have to be copied for the library.
static bool has_dtype(const sni_graph *graph, const sni_node *node, int i) {
  return sni_graph_type(graph, node->operands[i])->dtype == node->type.dtype;
}

static bool takes(const sni_graph *graph, const sni_node *node) {
  const sni_type *type = &node->type;
  return sni_is_matmul(node) && sni_is_float(type->dtype) && type->rank == 2 &&
         has_dtype(graph, node, 0) && has_dtype(graph, node, 1) && type->dims[0] >= least_dim &&
         type->dims[1] >= least_dim && depth_of(graph, node) >= least_dim;
}

static sn_status plan(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  sni_blas_gemm *call = SNI_ARENA_NEW(l->arena, sni_blas_gemm);
  sni_size_ref *params = SNI_ARENA_ARRAY(l->arena, sni_size_ref, 3);
  int64_t *grains = SNI_ARENA_ARRAY(l->arena, int64_t, 1);
  if (!call || !params || !grains) return sni_fail_memory(l->diag, sizeof *call, "a library call");
  *call = (sni_blas_gemm){.dtype = node->type.dtype,
                          .transpose_a = node->attrs[0] != 0,
                          .transpose_b = node->attrs[1] != 0,
                          .m_block = rows_per_unit};
  params[0] = node->type.dims[0];
  params[1] = node->type.dims[1];
  params[2] = depth_of(l->graph, node);
  grains[0] = rows_per_unit;
  command->call = call;
  command->params = params;
  command->n_params = 3;
  command->extents = params;
  command->grains = grains;
  command->n_extents = 1;
  return SN_OK;
}

static double unit_ns(const void *call, const int64_t *params, int vector_bits) {
  const sni_blas_gemm *gemm = call;
  double products = (double)gemm->m_block;
  for (int p = 1; p < 3; p++) products *= params[p] > 0 ? (double)params[p] : assumed;
  return sni_product_cost(gemm->dtype, products, vector_bits);
}

static const void *code(const void *call, const sni_blas *blas, sni_arena *arena) {
  sni_blas_gemm *gemm = sni_arena_copy(arena, call, sizeof *gemm);
  if (gemm) gemm->blas = blas;
  return gemm;
}

const sni_library_op sni_library_gemm = {.name = "blas matmul",
                                         .symbol = "gemm",
                                         .takes = takes,
                                         .plan = plan,
                                         .unit_ns = unit_ns,
                                         .code = code,
                                         .run = sni_blas_run_gemm};

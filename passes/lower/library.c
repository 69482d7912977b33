// The table of library ops, the command of a node that one of them takes, and what rows plan with.
#include "passes/lower/library.h"

#include "passes/lower/group.h"

#include <string.h>

static const sni_library_op *const library_ops[] = {
    &sni_library_gemm,
    &sni_library_sort,
    &sni_library_argsort,
    &sni_library_top_k,
    &sni_library_search_sorted,
    &sni_library_cholesky,
    &sni_library_triangular_solve,
    &sni_library_solve,
    &sni_library_determinant,
    &sni_library_qr,
    &sni_library_eigh,
    &sni_library_svd,
    &sni_library_random_bits,
    &sni_library_random_normal,
    &sni_library_random_truncated_normal,
    &sni_library_random_permutation,
    &sni_library_random_integers,
    &sni_library_random_gamma,
    &sni_library_random_poisson,
    &sni_library_random_gamma_gradient,
    &sni_library_gcd,
    &sni_library_string_compare,
    &sni_library_string_rank,
    &sni_library_fft,
    &sni_library_rfft,
    &sni_library_irfft,
};

const sni_library_op *sni_library_for(const sni_graph *graph, const sni_node *node) {
  const bool named = sni_lowering_of(node) == SNI_LOWERING_LIBRARY;
  for (size_t i = 0; i < SNI_COUNT_OF(library_ops); i++) {
    const sni_library_op *row = library_ops[i];
    if (row->takes ? !named && row->takes(graph, node)
                   : named && !strcmp(row->name, sni_op_infos[node->op].name))
      return row;
  }
  return NULL;
}

sn_status sni_library_size(sni_lowering *l, sni_dim dim, sni_size_ref *out_ref) {
  int64_t value;
  if (dim == SNI_DIM_FAILED)
    return sni_fail(l->diag, SN_ERR_MEMORY, "out of memory (a size exceeds 64 bits)");
  if (!sni_dim_is_constant(l->dims, dim, &value)) return sni_intern_size(l, dim, out_ref);
  return sni_intern_number(l, value, out_ref);
}

sn_status sni_library_rows(sni_lowering *l, sni_plan_command *command, const sni_type *type, int n,
                           const void *call, size_t call_bytes, const sni_dim *params,
                           int n_params) {
  const uint32_t n_extents = (uint32_t)(type->rank - n);
  sni_size_ref *sizes = SNI_ARENA_ARRAY(l->arena, sni_size_ref, (uint32_t)n_params + n_extents + 1);
  int64_t *grains = SNI_ARENA_ARRAY(l->arena, int64_t, n_extents + 1);
  command->call = sni_arena_copy(l->arena, call, call_bytes);
  if (!sizes || !grains || !command->call)
    return sni_fail_memory(l->diag, call_bytes, "a library call");
  for (int i = 0; i < n_params; i++) SNI_TRY(sni_library_size(l, params[i], &sizes[i]));
  for (uint32_t k = 0; k < n_extents; k++) {
    SNI_TRY(sni_library_size(l, type->dims[k], &sizes[(uint32_t)n_params + k]));
    grains[k] = 1;
  }
  command->params = sizes;
  command->n_params = (uint32_t)n_params;
  command->extents = sizes + n_params;
  command->grains = grains;
  command->n_extents = n_extents;
  return SN_OK;
}

sn_status sni_library_work(sni_lowering *l, sni_plan_command *command, const sni_type *type, int n,
                           sni_dim bytes) {
  sni_type work = *type;
  int32_t slot = 0;
  work.dtype = SN_U8;
  work.rank = type->rank - n + 1;
  work.dims[work.rank - 1] = bytes;
  if (bytes == SNI_DIM_FAILED)
    return sni_fail(l->diag, SN_ERR_MEMORY, "out of memory (a size exceeds 64 bits)");
  SNI_TRY(sni_add_temporary(l, &work, &slot));
  uint32_t *slots = SNI_ARENA_ARRAY(l->arena, uint32_t, command->n_slots + 1);
  if (!slots) return sni_fail_memory(l->diag, sizeof *slots, "a library call");
  memcpy(slots, command->slots, command->n_slots * sizeof *slots);
  slots[command->n_slots++] = (uint32_t)slot;
  command->slots = slots;
  command->n_written++;
  return SN_OK;
}

sn_status sni_build_library(sni_lowering *l, sni_node_id id) {
  const sni_node *node = sni_graph_node(l->graph, id);
  const uint32_t n_slots = (uint32_t)node->n_operands + 1;
  uint32_t *slots = SNI_ARENA_ARRAY(l->arena, uint32_t, n_slots);
  if (!slots) return sni_fail_memory(l->diag, n_slots * sizeof *slots, "a library call");
  for (int i = 0; i < node->n_operands; i++)
    slots[i] = (uint32_t)l->nodes[sni_view_base(l, node->operands[i])].slot;
  slots[n_slots - 1] = (uint32_t)l->nodes[id].slot;
  sni_plan_command c = {.library = sni_library_for(l->graph, node),
                        .slots = slots,
                        .n_slots = n_slots,
                        .n_written = 1,
                        .location = node->location,
                        .op_name = sni_op_infos[node->op].name};
  sni_assert(c.library);
  SNI_TRY(c.library->plan(l, node, &c));
  return sni_add_command(l, &c);
}

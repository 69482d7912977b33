// Fourier transforms by runtime/fft: a unit is a row. The plan of a transform, with all its factors, is made here, once:
// the length is a constant.
#include "passes/lower/group.h"
#include "passes/lower/library.h"
#include "runtime/fft/fft.h"

#include <math.h>

static double scale_of(sni_dim norm, int64_t n) {
  return norm == 0 ? 1 : norm == 1 ? 1 / sqrt((double)n) : 1 / (double)n;
}

// Rows of `points` numbers or pairs: all dims of the operand but the last, or the last two.
static sn_status plan_rows(sni_lowering *l, const sni_node *node, bool pairs, sni_fft_call *call,
                           sni_plan_command *command) {
  const sni_type *type = sni_graph_type(l->graph, node->operands[0]);
  call->dtype = type->dtype;
  if (!sni_fft_make(l->arena, call))
    return sni_fail(l->diag, SN_ERR_MEMORY, "out of memory (factors of a transform of %lld points)",
                    (long long)call->n);
  SNI_TRY(sni_library_rows(l, command, type, 1 + pairs, call, sizeof *call, NULL, 0));
  command->scratch_bytes = sni_fft_scratch_bytes(call);
  return sni_library_work(l, command, type, 1 + pairs, call->far ? (sni_dim)call->work_bytes : 0);
}

static sn_status plan_fft(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const int64_t n = node->type.dims[node->type.rank - 2];
  sni_fft_call call = {.kind = SNI_FFT_COMPLEX,
                       .inverse = node->attrs[0] != 0,
                       .n = n,
                       .scale = scale_of(node->attrs[1], n)};
  return plan_rows(l, node, true, &call, command);
}

static sn_status plan_rfft(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const sni_type *type = sni_graph_type(l->graph, node->operands[0]);
  const int64_t n = type->dims[type->rank - 1];
  sni_fft_call call = {.kind = SNI_FFT_FROM_REAL,
                       .twice = node->attrs[0] != 0,
                       .n = n,
                       .scale = scale_of(node->attrs[1], n)};
  return plan_rows(l, node, false, &call, command);
}

static sn_status plan_irfft(sni_lowering *l, const sni_node *node, sni_plan_command *command) {
  const int64_t n = node->attrs[0];
  sni_fft_call call = {.kind = SNI_FFT_TO_REAL,
                       .twice = node->attrs[1] != 0,
                       .n = n,
                       .scale = scale_of(node->attrs[2], n)};
  return plan_rows(l, node, true, &call, command);
}

static double unit_ns(const void *call, const int64_t *params, int vector_bits) {
  const sni_fft_call *c = call;
  (void)params;
  const double points = (double)(c->padded ? 3 * c->padded : c->points);
  return 20 + points * log2(points + 1) * (c->dtype == SN_F64 ? 2 : 1) * 80 / vector_bits;
}

#define SNI_ROW(op)                         \
  const sni_library_op sni_library_##op = { \
      .name = #op, .symbol = #op, .plan = plan_##op, .unit_ns = unit_ns, .run = sni_fft_run}
SNI_ROW(fft);
SNI_ROW(rfft);
SNI_ROW(irfft);
#undef SNI_ROW

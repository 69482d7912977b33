// Strings where other ops compare or sort: by their bytes. What sorts them sorts their ranks, which are numbers.
#include "frontend/ops/compose.h"

bool sni_are_strings(sn_tensor *a, sn_tensor *b) {
  return a->type.dtype == SN_STRING && b->type.dtype == SN_STRING;
}

sn_tensor *sni_compare_strings(sn_context *c, sni_op op, sn_tensor *a, sn_tensor *b) {
  const sni_type *types[] = {&a->type, &b->type};
  sni_type shape;
  // What a choice of one of them takes.
  if (!sni_check_pointwise(c, SNI_OP_IDENTITY, types, 2, &shape)) return &c->error_tensor;
  shape.dtype = SN_STRING;
  a = sni_broadcast_to(c, a, &shape);
  b = sni_broadcast_to(c, b, &shape);
  sn_tensor *order = sni_emit(c, SNI_OP_STRING_COMPARE, SNI_OPERANDS(a, b), NULL, 0, NULL);
  return sni_with_number(c, op, order, 0);
}

sn_tensor *sni_ranks(sn_context *c, sn_tensor *x) {
  if (sn_failed(x) || x->type.dtype != SN_STRING) return x;
  return sni_emit(c, SNI_OP_STRING_RANK, &x, 1, NULL, 0, NULL);
}

// The type rules of ops that no loop expresses: rows along the last axis, matrices along the last two.
// All dims before those are batch dims.
#include "graph/infer.h"

// Attribute i as a number in [0, most].
static sn_status read_number(const sni_inference *in, int i, const char *what, int64_t most,
                             int64_t *out) {
  if (!sni_dim_is_constant(in->dims, in->attrs[i], out))
    return sni_infer_fail(in, SN_ERR_SHAPE, "%s must be a constant", what);
  if (*out >= 0 && *out <= most) return SN_OK;
  return sni_infer_fail(in, SN_ERR_ARGUMENT, "%s is %lld, expected 0 to %lld", what,
                        (long long)*out, (long long)most);
}

static sn_status check_rows(const sni_inference *in, int least_rank) {
  for (int i = 0; i < in->n_operands; i++)
    if (in->operands[i]->rank < least_rank)
      return sni_infer_fail(in, SN_ERR_SHAPE, "operand #%d: expected rank >= %d, given %d", i,
                            least_rank, in->operands[i]->rank);
  return sni_infer_check_same_dtype(in, 1, 0);
}

// Operand #1 has operand #0's rank and dims, but for the last n.
static sn_status check_batch(const sni_inference *in, int n) {
  const sni_type *a = in->operands[0], *b = in->operands[1];
  if (a->rank != b->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "operand #1: expected rank %d as operand #0, given %d",
                          a->rank, b->rank);
  for (int k = 0; k < a->rank - n; k++)
    if (!sni_infer_agree(in, a->dims[k], b->dims[k]))
      return sni_infer_fail(in, SN_ERR_SHAPE, "operand #1: dim %d differs from operand #0's", k);
  return SN_OK;
}

// ---- rows
sn_status sni_infer_sort(const sni_inference *in, sni_type *out_type) {
  int64_t descending;
  SNI_TRY(check_rows(in, 1));
  SNI_TRY(read_number(in, 0, "descending", 1, &descending));
  *out_type = *in->operands[0];
  return SN_OK;
}

// Places in a row are i32.
static sn_status check_places(const sni_inference *in, int64_t *out_size) {
  const sni_type *a = in->operands[0];
  if (!sni_dim_is_constant(in->dims, a->dims[a->rank - 1], out_size)) *out_size = INT32_MAX;
  if (*out_size <= INT32_MAX) return SN_OK;
  return sni_infer_fail(in, SN_ERR_SHAPE, "rows of %lld elements, allowed are %d",
                        (long long)*out_size, INT32_MAX);
}

sn_status sni_infer_argsort(const sni_inference *in, sni_type *out_type) {
  int64_t size;
  SNI_TRY(sni_infer_sort(in, out_type));
  out_type->dtype = SN_I32;
  return check_places(in, &size);
}

sn_status sni_infer_top_k(const sni_inference *in, sni_type *out_type) {
  int64_t size, k;
  SNI_TRY(check_rows(in, 1));
  SNI_TRY(check_places(in, &size));
  SNI_TRY(read_number(in, 0, "k", size, &k));
  *out_type = *in->operands[0];
  out_type->dtype = SN_I32;
  out_type->dims[out_type->rank - 1] = k;
  return SN_OK;
}

sn_status sni_infer_search_sorted(const sni_inference *in, sni_type *out_type) {
  int64_t right, size;
  SNI_TRY(check_rows(in, 1));
  SNI_TRY(read_number(in, 0, "right", 1, &right));
  SNI_TRY(check_batch(in, 1));
  *out_type = *in->operands[1];
  out_type->dtype = SN_I32;
  return check_places(in, &size);
}

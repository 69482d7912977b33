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

// ---- strings
sn_status sni_infer_string_compare(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(sni_infer_same(in, out_type));
  out_type->dtype = SN_I32;
  return SN_OK;
}

sn_status sni_infer_string_rank(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_rows(in, 1));
  *out_type = *in->operands[0];
  out_type->dtype = SN_I64;
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

// ---- matrices
static sn_status check_square(const sni_inference *in) {
  const sni_type *a = in->operands[0];
  SNI_TRY(check_rows(in, 2));
  if (sni_infer_agree(in, a->dims[a->rank - 2], a->dims[a->rank - 1])) return SN_OK;
  return sni_infer_fail(in, SN_ERR_SHAPE, "operand #0: expected square matrices");
}

sn_status sni_infer_square(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_square(in));
  *out_type = *in->operands[0];
  return SN_OK;
}

// Columns of operand #1, each as long as operand #0 is high.
static sn_status infer_columns(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0], *b = in->operands[1];
  SNI_TRY(check_square(in));
  SNI_TRY(check_batch(in, 2));
  if (!sni_infer_agree(in, a->dims[a->rank - 1], b->dims[b->rank - 2]))
    return sni_infer_fail(in, SN_ERR_SHAPE,
                          "operand #1: its columns are not as long as operand #0's");
  *out_type = *b;
  return SN_OK;
}

sn_status sni_infer_triangular_solve(const sni_inference *in, sni_type *out_type) {
  static const char *const names[] = {"lower", "transpose", "unit"};
  int64_t flag;
  for (int i = 0; i < 3; i++) SNI_TRY(read_number(in, i, names[i], 1, &flag));
  return infer_columns(in, out_type);
}

sn_status sni_infer_solve(const sni_inference *in, sni_type *out_type) {
  int64_t quiet;
  SNI_TRY(read_number(in, 0, "quiet", 1, &quiet));
  return infer_columns(in, out_type);
}

sn_status sni_infer_determinant(const sni_inference *in, sni_type *out_type) {
  int64_t part;
  SNI_TRY(check_square(in));
  SNI_TRY(read_number(in, 0, "part", 2, &part));
  *out_type = *in->operands[0];
  out_type->rank -= 2;
  return SN_OK;
}

// Results that stand on each other: their rows are added up.
static sn_status infer_stack(const sni_inference *in, sni_dim rows, sni_dim columns,
                             sni_type *out_type) {
  *out_type = *in->operands[0];
  out_type->dims[out_type->rank - 2] = rows;
  out_type->dims[out_type->rank - 1] = columns;
  return SN_OK;
}

sn_status sni_infer_qr(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_rows(in, 2));
  const sni_type *a = in->operands[0];
  const sni_dim m = a->dims[a->rank - 2], n = a->dims[a->rank - 1];
  int64_t rows, columns;
  if (sni_dim_is_constant(in->dims, m, &rows) && sni_dim_is_constant(in->dims, n, &columns) &&
      rows < columns)
    return sni_infer_fail(in, SN_ERR_SHAPE, "operand #0: expected no more columns than rows");
  return infer_stack(in, sni_dim_add(in->dims, m, n), n, out_type);
}

sn_status sni_infer_eigh(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_square(in));
  const sni_dim n = in->operands[0]->dims[in->operands[0]->rank - 1];
  return infer_stack(in, sni_dim_add_constant(in->dims, n, 1), n, out_type);
}

sn_status sni_infer_svd(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_rows(in, 2));
  const sni_type *a = in->operands[0];
  const sni_dim m = a->dims[a->rank - 2], n = a->dims[a->rank - 1];
  const sni_dim rows = sni_dim_add_constant(in->dims, sni_dim_add(in->dims, m, n), 1);
  return infer_stack(in, rows, sni_dim_min(in->dims, m, n), out_type);
}

// ---- transforms: of complex rows, or of pairs in the last dim
enum { longest_row = 1 << 30 };

static sn_status read_norm(const sni_inference *in, int flag, int norm) {
  static const char *const names[] = {"a flag", "norm"};
  int64_t value;
  SNI_TRY(read_number(in, flag, names[0], 1, &value));
  return read_number(in, norm, names[1], 2, &value);
}

// The dims of rows and their length; *out_pairs: the last dim is that of pairs.
static sn_status check_points(const sni_inference *in, bool *out_pairs, int64_t *out_n) {
  const sni_type *a = in->operands[0];
  const bool pairs = !sni_is_complex(a->dtype);
  SNI_TRY(check_rows(in, 1 + pairs));
  if (pairs && !sni_infer_agree(in, a->dims[a->rank - 1], 2))
    return sni_infer_fail(in, SN_ERR_SHAPE, "operand #0: expected pairs in the last dim");
  *out_pairs = pairs;
  if (!sni_dim_is_constant(in->dims, a->dims[a->rank - 1 - pairs], out_n))
    return sni_infer_fail(in, SN_ERR_SHAPE,
                          "operand #0: the length of its rows must be a constant");
  return SN_OK;
}

static sn_status check_length(const sni_inference *in, int64_t n) {
  if (n >= 1 && n <= longest_row) return SN_OK;
  return sni_infer_fail(in, SN_ERR_SHAPE, "rows of %lld elements, expected 1 to %d", (long long)n,
                        longest_row);
}

sn_status sni_infer_fft(const sni_inference *in, sni_type *out_type) {
  bool pairs;
  int64_t n;
  SNI_TRY(read_norm(in, 0, 1));
  SNI_TRY(check_points(in, &pairs, &n));
  *out_type = *in->operands[0];
  return check_length(in, n);
}

sn_status sni_infer_rfft(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0];
  int64_t pairs, n;
  SNI_TRY(read_norm(in, 0, 1));
  SNI_TRY(read_number(in, 2, "pairs", 1, &pairs));
  SNI_TRY(check_rows(in, 1));
  if (!sni_dim_is_constant(in->dims, a->dims[a->rank - 1], &n))
    return sni_infer_fail(in, SN_ERR_SHAPE,
                          "operand #0: the length of its rows must be a constant");
  SNI_TRY(check_length(in, n));
  if (pairs && a->rank == SN_MAX_RANK)
    return sni_infer_fail(in, SN_ERR_SHAPE, "operand #0: expected rank < %d, given %d", SN_MAX_RANK,
                          a->rank);
  *out_type = *a;
  out_type->dims[a->rank - 1] = n / 2 + 1;
  if (pairs)
    out_type->dims[out_type->rank++] = 2;
  else
    out_type->dtype = a->dtype == SN_F64 ? SN_C128 : SN_C64;
  return SN_OK;
}

sn_status sni_infer_irfft(const sni_inference *in, sni_type *out_type) {
  bool pairs;
  int64_t m, n;
  SNI_TRY(read_number(in, 0, "n", longest_row, &n));
  SNI_TRY(read_norm(in, 1, 2));
  SNI_TRY(check_points(in, &pairs, &m));
  SNI_TRY(check_length(in, n));
  if (m != n / 2 + 1)
    return sni_infer_fail(in, SN_ERR_SHAPE, "operand #0: rows of %lld elements, expected %lld",
                          (long long)m, (long long)(n / 2 + 1));
  *out_type = *in->operands[0];
  out_type->rank -= pairs;
  out_type->dims[out_type->rank - 1] = n;
  if (!pairs) out_type->dtype = sni_part_dtype(out_type->dtype);
  return SN_OK;
}

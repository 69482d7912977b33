// The type rules of ops.def. Each computes the result's type from operands, attributes and, where
// the op's row needs one, the declared type, and refuses what the op does not define. Counts and
// operand #0's dtype have been checked.
#include "graph/infer.h"

static sn_status need_declared(const sni_inference *in) {
  if (in->declared) return SN_OK;
  return sni_infer_fail(in, SN_ERR_ARGUMENT, "the result's type must be given");
}

// Reads attribute i as a plain integer.
static sn_status read_attr(const sni_inference *in, int i, const char *what, int64_t *out_value) {
  if (sni_dim_is_constant(in->dims, in->attrs[i], out_value)) return SN_OK;
  return sni_infer_fail(in, SN_ERR_SHAPE, "%s must be a constant", what);
}

static sn_status check_shape_as(const sni_inference *in, int operand, int reference) {
  const sni_type *expected = in->operands[reference], *given = in->operands[operand];
  bool agree = expected->rank == given->rank;
  for (int i = 0; agree && i < expected->rank; i++)
    agree = sni_infer_agree(in, expected->dims[i], given->dims[i]);
  if (agree) return SN_OK;
  return sni_infer_fail(in, SN_ERR_SHAPE, "operand #%d: expected the shape of operand #%d", operand,
                        reference);
}

static sn_status check_rank(const sni_inference *in, int operand, int least) {
  if (in->operands[operand]->rank >= least) return SN_OK;
  return sni_infer_fail(in, SN_ERR_SHAPE, "operand #%d: expected rank >= %d, given %d", operand,
                        least, in->operands[operand]->rank);
}

// ---- leaves
static sn_status check_iota(const sni_inference *in) {
  int64_t axis;
  if (!(SNI_DTYPES_REAL >> in->declared->dtype & 1))
    return sni_infer_fail(in, SN_ERR_DTYPE, "result: expected a real number, given %s",
                          sn_dtype_name(in->declared->dtype));
  SNI_TRY(read_attr(in, 0, "axis", &axis));
  if (axis < 0 || axis >= in->declared->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "axis %lld is not in [0, %d)", (long long)axis,
                          in->declared->rank);
  int64_t size;
  if (sni_is_integer(in->declared->dtype) && sni_dtype_infos[in->declared->dtype].digits < 63 &&
      sni_dim_is_constant(in->dims, in->declared->dims[axis], &size) &&
      size > sni_integer_greatest(in->declared->dtype))
    return sni_infer_fail(in, SN_ERR_SHAPE, "%lld indices do not fit %s", (long long)size,
                          sn_dtype_name(in->declared->dtype));
  return SN_OK;
}

sn_status sni_infer_declared(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(need_declared(in));
  if (in->op == SNI_OP_IOTA) SNI_TRY(check_iota(in));
  if (in->op == SNI_OP_CONSTANT && !sni_type_is_static(in->declared))
    return sni_infer_fail(in, SN_ERR_SHAPE, "dims must be constants");
  *out_type = *in->declared;
  return SN_OK;
}

// Of control ops bodies say the rest (graph/control.c).
sn_status sni_infer_control(const sni_inference *in, sni_type *out_type) {
  int64_t value;
  for (int i = 0; i < in->n_attrs; i++)
    if (i != 2)
      SNI_TRY(read_attr(in, i, "an attribute", &value));  // the length of a scan may be symbolic
  *out_type = sni_type_make(SN_BOOL, 0, NULL);
  return SN_OK;
}

sn_status sni_infer_extent(const sni_inference *in, sni_type *out_type) {
  *out_type = *in->operands[0];
  if (out_type->dtype == SN_I64 && out_type->rank == 0) return SN_OK;
  return sni_infer_fail(in, SN_ERR_SHAPE, "operand #0: expected i64[]");
}

sn_status sni_infer_require(const sni_inference *in, sni_type *out_type) {
  int64_t least;
  *out_type = sni_type_make(SN_BOOL, 0, NULL);
  return read_attr(in, 2, "least", &least);
}

sn_status sni_infer_dim_size(const sni_inference *in, sni_type *out_type) {
  (void)in;
  *out_type = sni_type_make(SN_I64, 0, NULL);
  return SN_OK;
}

// ---- pointwise: operands of one shape
sn_status sni_infer_same(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(sni_infer_check_same_dtype(in, 1, 0));
  for (int i = 1; i < in->n_operands; i++) SNI_TRY(check_shape_as(in, i, 0));
  *out_type = *in->operands[0];
  return SN_OK;
}

sn_status sni_infer_barrier(const sni_inference *in, sni_type *out_type) {
  int64_t number;
  SNI_TRY(read_attr(in, 0, "number", &number));
  *out_type = *in->operands[0];
  return SN_OK;
}

sn_status sni_infer_compare(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(sni_infer_same(in, out_type));
  out_type->dtype = SN_BOOL;
  return SN_OK;
}

// Real, of complex operands too.
sn_status sni_infer_part(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(sni_infer_same(in, out_type));
  out_type->dtype = sni_part_dtype(out_type->dtype);
  return SN_OK;
}

sn_status sni_infer_complex(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(sni_infer_same(in, out_type));
  out_type->dtype = sni_complex_dtype(out_type->dtype);
  return SN_OK;
}

sn_status sni_infer_select(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(sni_infer_check_same_dtype(in, 2, 1));
  for (int i = 1; i < 3; i++) SNI_TRY(check_shape_as(in, i, 0));
  *out_type = *in->operands[0];
  out_type->dtype = in->operands[1]->dtype;
  return SN_OK;
}

static sn_status infer_conversion(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(need_declared(in));
  if (in->declared->dtype == SN_STRING)
    return sni_infer_fail(in, SN_ERR_DTYPE, "nothing converts to strings");
  *out_type = *in->operands[0];
  out_type->dtype = in->declared->dtype;
  return SN_OK;
}

sn_status sni_infer_cast(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(infer_conversion(in, out_type));
  const sn_dtype from = in->operands[0]->dtype, to = out_type->dtype;
  if (sni_is_complex(from) && !sni_is_complex(to) && to != SN_BOOL)
    return sni_infer_fail(in, SN_ERR_DTYPE, "%s has no cast to %s: real gives the real part",
                          sn_dtype_name(from), sn_dtype_name(to));
  return SN_OK;
}

sn_status sni_infer_bitcast(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(infer_conversion(in, out_type));
  sn_dtype from = in->operands[0]->dtype, to = out_type->dtype;
  if (sni_is_complex(from) || sni_is_complex(to))
    return sni_infer_fail(in, SN_ERR_DTYPE, "bits are of real numbers, given %s to %s",
                          sn_dtype_name(from), sn_dtype_name(to));
  if (sn_dtype_size(from) != sn_dtype_size(to))
    return sni_infer_fail(in, SN_ERR_DTYPE, "%s and %s have different sizes", sn_dtype_name(from),
                          sn_dtype_name(to));
  // Not every byte is a bool.
  if (to == SN_BOOL && from != SN_BOOL)
    return sni_infer_fail(in, SN_ERR_DTYPE, "bits cannot become bool");
  return SN_OK;
}

// ---- views
static sn_status check_declared_dtype(const sni_inference *in) {
  SNI_TRY(need_declared(in));
  if (in->declared->dtype == in->operands[0]->dtype) return SN_OK;
  return sni_infer_fail(in, SN_ERR_DTYPE, "result: expected %s as operand #0, given %s",
                        sn_dtype_name(in->operands[0]->dtype), sn_dtype_name(in->declared->dtype));
}

sn_status sni_infer_reshape(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_declared_dtype(in));
  sni_dim from = sni_type_size(in->dims, in->operands[0]);
  sni_dim to = sni_type_size(in->dims, in->declared);
  if (from == SNI_DIM_FAILED || to == SNI_DIM_FAILED) return sni_infer_fail_dim(in);
  if (!sni_infer_agree(in, from, to)) {
    char text_from[100], text_to[100];
    sni_dim_format(in->dims, from, text_from, sizeof(text_from));
    sni_dim_format(in->dims, to, text_to, sizeof(text_to));
    return sni_infer_fail(in, SN_ERR_SHAPE, "%s elements cannot become %s", text_from, text_to);
  }
  *out_type = *in->declared;
  return SN_OK;
}

sn_status sni_infer_transpose(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0];
  if (in->n_attrs != a->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "perm has %d axes, operand #0 has rank %d", in->n_attrs,
                          a->rank);
  *out_type = *a;
  uint32_t seen = 0;
  for (int i = 0; i < a->rank; i++) {
    int64_t axis;
    SNI_TRY(read_attr(in, i, "perm", &axis));
    if (axis < 0 || axis >= a->rank || seen >> axis & 1)
      return sni_infer_fail(in, SN_ERR_SHAPE, "perm is not a permutation of [0, %d): axis %lld",
                            a->rank, (long long)axis);
    seen |= 1u << axis;
    out_type->dims[i] = a->dims[axis];
  }
  return SN_OK;
}

sn_status sni_infer_broadcast(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_declared_dtype(in));
  const sni_type *a = in->operands[0], *y = in->declared;
  int added = y->rank - a->rank;
  int64_t value;
  if (added < 0)
    return sni_infer_fail(in, SN_ERR_SHAPE, "rank %d cannot become rank %d", a->rank, y->rank);
  for (int i = 0; i < a->rank; i++) {
    if (sni_dim_is_constant(in->dims, a->dims[i], &value) && value == 1) continue;
    if (!sni_infer_agree(in, a->dims[i], y->dims[added + i]))
      return sni_infer_fail(in, SN_ERR_SHAPE,
                            "dim %d of operand #0 is neither 1 nor dim %d of the result", i,
                            added + i);
  }
  *out_type = *y;
  return SN_OK;
}

// First and last index of one axis lie in [0, extent), as far as the numbers are known.
static sn_status check_range(const sni_inference *in, int axis) {
  int rank = in->declared->rank;
  int64_t start, step, size, extent, last;
  bool known_start = sni_dim_is_constant(in->dims, in->attrs[axis], &start);
  bool known_size = sni_dim_is_constant(in->dims, in->declared->dims[axis], &size);
  bool known_extent = sni_dim_is_constant(in->dims, in->operands[0]->dims[axis], &extent);
  SNI_TRY(read_attr(in, rank + axis, "step", &step));
  if (step == 0) return sni_infer_fail(in, SN_ERR_SHAPE, "step of axis %d is 0", axis);
  if (known_size && size == 0) return SN_OK;
  if (known_start && (start < 0 || (known_extent && start >= extent)))
    return sni_infer_fail(in, SN_ERR_INDEX, "start %lld is outside axis %d", (long long)start,
                          axis);
  if ((step < -SNI_STEP_MAX || step > SNI_STEP_MAX) && !(known_size && size > 1))
    return sni_infer_fail(in, SN_ERR_SHAPE, "step of axis %d is too large: %lld", axis,
                          (long long)step);
  if (!known_start || !known_size) return SN_OK;
  if (__builtin_mul_overflow(size - 1, step, &last) || __builtin_add_overflow(last, start, &last) ||
      last < 0 || (known_extent && last >= extent))
    return sni_infer_fail(in, SN_ERR_INDEX, "%lld elements from %lld by %lld leave axis %d",
                          (long long)size, (long long)start, (long long)step, axis);
  return SN_OK;
}

sn_status sni_infer_slice(const sni_inference *in, sni_type *out_type) {
  SNI_TRY(check_declared_dtype(in));
  int rank = in->operands[0]->rank;
  if (in->declared->rank != rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "result: expected rank %d as operand #0, given %d",
                          rank, in->declared->rank);
  if (in->n_attrs != 2 * rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "expected %d starts and steps, given %d integers", rank,
                          in->n_attrs);
  for (int i = 0; i < rank; i++) SNI_TRY(check_range(in, i));
  *out_type = *in->declared;
  return SN_OK;
}

// low + high + n + max(n - 1, 0) * interior
static sni_dim padded(sni_dim_table *dims, sni_dim n, sni_dim low, sni_dim high, int64_t interior) {
  sni_dim size = sni_dim_add(dims, sni_dim_add(dims, n, low), high);
  if (!interior) return size;
  sni_dim gaps = sni_dim_max(dims, sni_dim_add_constant(dims, n, -1), 0);
  return sni_dim_add(dims, size, sni_dim_mul_constant(dims, gaps, interior));
}

sn_status sni_infer_pad(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0];
  static const char *const names[3] = {"low", "high", "interior"};
  SNI_TRY(sni_infer_check_same_dtype(in, 1, 0));
  if (in->operands[1]->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "operand #1: expected a scalar");
  if (in->n_attrs != 3 * a->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "expected %d numbers each of {low,high,interior}",
                          a->rank);
  *out_type = *a;
  for (int i = 0; i < a->rank; i++) {
    int64_t value, interior;
    SNI_TRY(read_attr(in, 2 * a->rank + i, "interior", &interior));
    if (interior >= SNI_STEP_MAX)
      return sni_infer_fail(in, SN_ERR_SHAPE, "interior of axis %d is too large: %lld", i,
                            (long long)interior);
    for (int k = 0; k < 3; k++)
      if (sni_dim_is_constant(in->dims, in->attrs[k * a->rank + i], &value) && value < 0)
        return sni_infer_fail(in, SN_ERR_SHAPE, "%s of axis %d is negative: %lld", names[k], i,
                              (long long)value);
    out_type->dims[i] =
        padded(in->dims, a->dims[i], in->attrs[i], in->attrs[a->rank + i], interior);
  }
  return SN_OK;
}

sn_status sni_infer_concat(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0];
  int64_t axis;
  SNI_TRY(sni_infer_check_same_dtype(in, 1, 0));
  SNI_TRY(read_attr(in, 0, "axis", &axis));
  if (axis < 0 || axis >= a->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "axis %lld is not in [0, %d)", (long long)axis,
                          a->rank);
  *out_type = *a;
  for (int i = 1; i < in->n_operands; i++) {
    const sni_type *b = in->operands[i];
    if (b->rank != a->rank)
      return sni_infer_fail(in, SN_ERR_SHAPE,
                            "operand #%d: expected rank %d as operand #0, given %d", i, a->rank,
                            b->rank);
    for (int k = 0; k < a->rank; k++)
      if (k != axis && !sni_infer_agree(in, a->dims[k], b->dims[k]))
        return sni_infer_fail(in, SN_ERR_SHAPE, "operand #%d: dim %d differs from operand #0's", i,
                              k);
    out_type->dims[axis] = sni_dim_add(in->dims, out_type->dims[axis], b->dims[axis]);
  }
  return SN_OK;
}

// ---- reductions and contractions

// A float sum takes its elements in lanes where all that is kept behind an axis is one element, else
// in columns. A call's sizes decide, not what is known here: so what is not known is settled.
static void settle_order(const sni_inference *in, const sni_type *a) {
  int64_t value;
  int axis = in->n_attrs - 1;
  if (!in->unify || !sni_is_inexact(a->dtype) || !sni_op_accumulates(in->op)) return;
  for (int k = a->rank - 1; axis >= 0 && k >= 0; k--) {
    if (in->attrs[axis] == k) {
      axis--;
      continue;
    }
    sni_dim_settle(in->dims, a->dims[k]);
    if (sni_dim_is_at_least(in->dims, a->dims[k], 2)) return;
    if (sni_dim_is_constant(in->dims, a->dims[k], &value) && value == 0) return;
  }
}

sn_status sni_infer_reduce(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0];
  int64_t previous = -1, axis;
  *out_type = (sni_type){.dtype = a->dtype};
  for (int i = 0; i <= in->n_attrs; i++, previous = axis) {
    axis = a->rank;
    if (i < in->n_attrs) {
      SNI_TRY(read_attr(in, i, "an axis", &axis));
      if (axis < 0 || axis >= a->rank)
        return sni_infer_fail(in, SN_ERR_SHAPE, "axis %lld is not in [0, %d)", (long long)axis,
                              a->rank);
      if (axis <= previous)
        return sni_infer_fail(in, SN_ERR_SHAPE, "axes are not distinct and ascending: %lld, %lld",
                              (long long)previous, (long long)axis);
    }
    for (int64_t k = previous + 1; k < axis; k++) out_type->dims[out_type->rank++] = a->dims[k];
  }
  settle_order(in, a);
  return SN_OK;
}

sn_status sni_infer_partial_sum(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0];
  int64_t axis, chunk;
  SNI_TRY(read_attr(in, 0, "axis", &axis));
  SNI_TRY(read_attr(in, 1, "chunk", &chunk));
  if (axis < 0 || axis >= a->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "axis %lld is not in [0, %d)", (long long)axis,
                          a->rank);
  if (chunk < 1 || chunk > INT32_MAX)
    return sni_infer_fail(in, SN_ERR_SHAPE, "chunk %lld is not in [1, 2^31)", (long long)chunk);
  *out_type = *a;
  const sni_dim padded = sni_dim_add_constant(in->dims, a->dims[axis], chunk - 1);
  out_type->dims[axis] = sni_dim_floor_div(in->dims, padded, chunk);
  return SN_OK;
}

sn_status sni_infer_cumulate(const sni_inference *in, sni_type *out_type) {
  int64_t axis, exclusive, reverse;
  SNI_TRY(sni_infer_same(in, out_type));
  SNI_TRY(read_attr(in, 0, "axis", &axis));
  SNI_TRY(read_attr(in, 1, "exclusive", &exclusive));
  SNI_TRY(read_attr(in, 2, "reverse", &reverse));
  if (axis < 0 || axis >= out_type->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "axis %lld is not in [0, %d)", (long long)axis,
                          out_type->rank);
  if ((exclusive | reverse) & ~(int64_t)1)
    return sni_infer_fail(in, SN_ERR_ARGUMENT, "exclusive and reverse must be 0 or 1");
  return SN_OK;
}

sn_status sni_infer_product_dtype(const sni_inference *in, sn_dtype *out_dtype) {
  const sn_dtype a = in->operands[0]->dtype, b = in->operands[1]->dtype;
  const sn_dtype compute = sni_is_complex(a) ? a : sni_compute_dtype(a);
  const bool meet = !sni_is_complex(b) ? sni_compute_dtype(b) == compute : a == b;
  const bool declared = in->declared && in->declared->dtype == compute;
  *out_dtype = meet && (declared || a != b) ? compute : a;
  return meet ? SN_OK : sni_infer_check_same_dtype(in, 1, 0);
}

sn_status sni_infer_pair_cumulation(const sni_inference *in, sni_type *out_type) {
  int64_t part;
  if (in->n_operands != 2 && in->n_operands != 4)
    return sni_infer_fail(in, SN_ERR_ARGUMENT, "takes 2 or 4 operands, given %d", in->n_operands);
  SNI_TRY(sni_infer_cumulate(in, out_type));
  SNI_TRY(read_attr(in, 3, "part", &part));
  if (part & ~(int64_t)1) return sni_infer_fail(in, SN_ERR_ARGUMENT, "part must be 0 or 1");
  return SN_OK;
}

sn_status sni_infer_matmul(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0], *b = in->operands[1];
  sn_dtype dtype;
  int64_t ta, tb;
  SNI_TRY(sni_infer_product_dtype(in, &dtype));
  SNI_TRY(read_attr(in, 0, "ta", &ta));
  SNI_TRY(read_attr(in, 1, "tb", &tb));
  if ((ta | tb) & ~(int64_t)1)
    return sni_infer_fail(in, SN_ERR_ARGUMENT, "ta and tb must be 0 or 1");
  SNI_TRY(check_rank(in, 0, 2));
  if (b->rank != a->rank)
    return sni_infer_fail(in, SN_ERR_SHAPE, "operand #1: expected rank %d as operand #0, given %d",
                          a->rank, b->rank);
  int last = a->rank - 1;
  *out_type = *a;
  out_type->dtype = dtype;
  for (int i = 0; i < last - 1; i++)
    if (!sni_infer_agree(in, a->dims[i], b->dims[i]))
      return sni_infer_fail(in, SN_ERR_SHAPE, "operand #1: batch dim %d differs from operand #0's",
                            i);
  sni_dim k_a = a->dims[last - !!ta], k_b = b->dims[last - !tb];
  if (!sni_infer_agree(in, k_a, k_b)) {
    char text_a[100], text_b[100];
    sni_dim_format(in->dims, k_a, text_a, sizeof(text_a));
    sni_dim_format(in->dims, k_b, text_b, sizeof(text_b));
    return sni_infer_fail(in, SN_ERR_SHAPE,
                          "inner dims differ: operand #0 has %s, operand #1 has %s", text_a,
                          text_b);
  }
  out_type->dims[last - 1] = a->dims[last - !ta];
  out_type->dims[last] = b->dims[last - !!tb];
  if (in->unify && sni_is_inexact(a->dtype)) sni_dim_settle(in->dims, out_type->dims[last]);
  return SN_OK;
}

// ---- indices along axis 0
// *out_type: the shape [i..., rest...] of rows a[b[i...], rest...].
static sn_status infer_rows(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0], *b = in->operands[1];
  SNI_TRY(sni_infer_check_dtype(in, 1, SNI_DTYPES_INTEGER));
  SNI_TRY(check_rank(in, 0, 1));
  if (b->rank + a->rank - 1 > SN_MAX_RANK)
    return sni_infer_fail(in, SN_ERR_SHAPE, "the rows have rank %d, allowed are 0 to %d",
                          b->rank + a->rank - 1, SN_MAX_RANK);
  *out_type = *b;
  out_type->dtype = a->dtype;
  for (int i = 1; i < a->rank; i++) out_type->dims[out_type->rank++] = a->dims[i];
  return SN_OK;
}

sn_status sni_infer_gather(const sni_inference *in, sni_type *out_type) {
  return infer_rows(in, out_type);
}

sn_status sni_infer_scatter(const sni_inference *in, sni_type *out_type) {
  const sni_type *c = in->operands[2];
  sni_type rows = {.rank = 0};
  SNI_TRY(sni_infer_check_same_dtype(in, 2, 0));
  SNI_TRY(infer_rows(in, &rows));
  bool agree = rows.rank == c->rank;
  for (int i = 0; agree && i < c->rank; i++) agree = sni_infer_agree(in, rows.dims[i], c->dims[i]);
  if (!agree) {
    char text[200];
    sni_type_format(in->dims, &rows, text, sizeof(text));
    return sni_infer_fail(in, SN_ERR_SHAPE, "operand #2: expected %s", text);
  }
  *out_type = *in->operands[0];
  return SN_OK;
}

sn_status sni_infer_flat_index(const sni_inference *in, sni_type *out_type) {
  const sni_type *a = in->operands[0];
  const int n = in->n_attrs / 3;
  int64_t axis;
  SNI_TRY(check_rank(in, 0, 1));
  if (n > SN_MAX_RANK)
    return sni_infer_fail(in, SN_ERR_ARGUMENT, "%d axes, allowed are 0 to %d", n, SN_MAX_RANK);
  if (!sni_infer_agree(in, a->dims[a->rank - 1], n))
    return sni_infer_fail(in, SN_ERR_SHAPE, "the last dim of operand #0 must be %d", n);
  for (int k = 0; k < n; k++) SNI_TRY(read_attr(in, k, "axis", &axis));
  *out_type = *a;
  out_type->dtype = SN_I64;
  out_type->dims[--out_type->rank] = 0;
  return SN_OK;
}

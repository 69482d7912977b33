// Type inference, the frame around the rules: counts, dtypes of operands, messages, NumPy's
// broadcast.
//
// Messages are part of the product: they name the op, the operand, what was expected and given, and
// all operand types. Called for every node that is built, by the verifier for every node again, and
// by eager mode for single ops.
#include "graph/infer.h"

#include "graph/dims_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const sni_infer_rule rules[SNI_OP_COUNT] = {
#define SNI_X(id, name, operands, class, dtypes, attributes, infer, vjp, vmap, kop, lowering, \
              flags, cost, formula)                                                           \
  [SNI_OP_##id] = sni_infer_##infer,
    SNI_OPS(SNI_X)
#undef SNI_X
};

// ---- failures
// Types of up to 8 operands as ", "-separated text.
static void list_operands(const sni_inference *in, char *buffer, size_t capacity) {
  size_t length = 0;
  buffer[0] = 0;
  for (int i = 0; i < in->n_operands && length + 1 < capacity; i++) {
    if (i == 8) {
      snprintf(buffer + length, capacity - length, ", ... (%d)", in->n_operands);
      return;
    }
    if (i) length += (size_t)snprintf(buffer + length, capacity - length, ", ");
    if (length + 1 < capacity)
      length += sni_type_format(in->dims, in->operands[i], buffer + length, capacity - length);
  }
}

sn_status sni_infer_fail(const sni_inference *in, sn_status status, const char *format, ...) {
  if (in->dims && in->dims->failure == SN_ERR_MEMORY)  // what looks like a mismatch was no memory
    return sni_fail_memory(in->diag, sizeof(sni_dim_entry), "a symbolic dim");
  if (!in->diag) return status;
  char detail[512], types[512], result[128] = "";
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(detail, sizeof(detail), format, arguments);
  va_end(arguments);
  list_operands(in, types, sizeof(types));
  if (in->declared) sni_type_format(in->dims, in->declared, result, sizeof(result));
  return sni_fail(in->diag, status, "%s: %s%s%s%s%s", sni_op_infos[in->op].name, detail,
                  in->n_operands ? "; operands: " : "", types, *result ? "; result: " : "", result);
}

sn_status sni_infer_fail_dim(const sni_inference *in) {
  return sni_infer_fail(in, SN_ERR_SHAPE, "the result has too many elements for 64-bit sizes");
}

// ---- checks that rules share
bool sni_infer_agree(const sni_inference *in, sni_dim a, sni_dim b) {
  if (sni_dim_equal(in->dims, a, b)) return true;
  return in->unify && in->dims && sni_dim_unify(in->dims, a, b);
}

sn_status sni_infer_check_dtype(const sni_inference *in, int operand, uint32_t dtypes) {
  sn_dtype given = in->operands[operand]->dtype;
  if (dtypes >> given & 1) return SN_OK;
  char expected[64];
  sni_dtypes_format(dtypes, expected, sizeof(expected));
  return sni_infer_fail(in, SN_ERR_DTYPE, "operand #%d: expected %s, given %s", operand, expected,
                        sn_dtype_name(given));
}

sn_status sni_infer_check_same_dtype(const sni_inference *in, int first, int reference) {
  sn_dtype expected = in->operands[reference]->dtype;
  for (int i = first; i < in->n_operands; i++)
    if (in->operands[i]->dtype != expected)
      return sni_infer_fail(in, SN_ERR_DTYPE, "operand #%d: expected %s as operand #%d, given %s",
                            i, sn_dtype_name(expected), reference,
                            sn_dtype_name(in->operands[i]->dtype));
  return SN_OK;
}

sn_status sni_infer_check_type(const sni_inference *in, const sni_type *type, const char *what) {
  if (!sni_is_dtype(type->dtype))
    return sni_infer_fail(in, SN_ERR_DTYPE, "%s has no valid dtype", what);
  if (type->rank < 0 || type->rank > SN_MAX_RANK)
    return sni_infer_fail(in, SN_ERR_SHAPE, "%s has rank %d, allowed are 0 to %d", what, type->rank,
                          SN_MAX_RANK);
  // Dims of 0 are left out, so that strides of an empty tensor fit too.
  int64_t bytes = (int64_t)sn_dtype_size(type->dtype), value;
  for (int i = 0; i < type->rank; i++) {
    if (type->dims[i] == SNI_DIM_FAILED) return sni_infer_fail_dim(in);
    if (!sni_dim_valid(in->dims, type->dims[i]))
      return sni_infer_fail(in, SN_ERR_INTERNAL, "dim %d of %s is unknown", i, what);
    if (!sni_dim_is_constant(in->dims, type->dims[i], &value)) continue;
    if (value < 0) return sni_infer_fail(in, SN_ERR_SHAPE, "dim %d of %s is negative", i, what);
    if (value && __builtin_mul_overflow(bytes, value, &bytes))
      return sni_infer_fail(in, SN_ERR_SHAPE, "%s has too many elements for 64-bit sizes", what);
  }
  return SN_OK;
}

// ---- attributes
int sni_schema_fields(const char *schema, sni_schema_field fields[sni_schema_max]) {
  int n = 0;
  while (*schema) {
    size_t length = strcspn(schema, "[,");
    sni_assert(n < sni_schema_max);
    fields[n] = (sni_schema_field){schema, (int)length, schema[length] == '['};
    schema += length + (fields[n].list ? 2 : 0);
    schema += *schema == ',';
    n++;
  }
  return n;
}

static sn_status check_counts(const sni_inference *in) {
  const sni_op_info *info = &sni_op_infos[in->op];
  int wanted = info->operands < 0 ? 1 : info->operands;
  if (info->op_class == SNI_CLASS_CONTROL && info->operands < 0) wanted = 0;
  if (info->operands < 0 ? in->n_operands < wanted : in->n_operands != wanted)
    return sni_infer_fail(in, SN_ERR_ARGUMENT, "takes %s%d operand%s, given %d",
                          info->operands < 0 ? "at least " : "", wanted, wanted == 1 ? "" : "s",
                          in->n_operands);
  if (!*info->attributes && !in->n_attrs) return SN_OK;
  sni_schema_field fields[sni_schema_max];
  int n = sni_schema_fields(info->attributes, fields), lists = 0;
  for (int i = 0; i < n; i++) lists += fields[i].list;
  int rest = in->n_attrs - (n - lists);
  if (rest < 0 || (lists ? rest % lists : rest) != 0)
    return sni_infer_fail(in, SN_ERR_ARGUMENT, "takes the attributes {%s}, given %d integers",
                          info->attributes, in->n_attrs);
  for (int i = 0; i < in->n_attrs; i++)
    if (!sni_dim_valid(in->dims, in->attrs[i]))
      return in->attrs[i] == SNI_DIM_FAILED
                 ? sni_infer_fail_dim(in)
                 : sni_infer_fail(in, SN_ERR_INTERNAL, "attribute %d is an unknown dim", i);
  return SN_OK;
}

// ---- the frame
static sn_status check_declared(const sni_inference *in, const sni_type *type) {
  if (sni_type_equal(in->dims, type, in->declared)) return SN_OK;
  char text[256];
  sni_type_format(in->dims, type, text, sizeof(text));
  return sni_infer_fail(in, type->dtype == in->declared->dtype ? SN_ERR_SHAPE : SN_ERR_DTYPE,
                        "the result is %s", text);
}

sn_status sni_infer_node(const sni_inference *in, sni_type *out_type) {
  if ((unsigned)in->op >= SNI_OP_COUNT) return sni_fail(in->diag, SN_ERR_INTERNAL, "unknown op");
  if (in->dims) in->dims->failure = SN_OK;
  SNI_TRY(check_counts(in));
  if (in->n_operands) SNI_TRY(sni_infer_check_dtype(in, 0, sni_op_infos[in->op].dtypes));
  if (in->declared) SNI_TRY(sni_infer_check_type(in, in->declared, "the declared result"));
  SNI_TRY(rules[in->op](in, out_type));
  SNI_TRY(sni_infer_check_type(in, out_type, "the result"));
  return in->declared ? check_declared(in, out_type) : SN_OK;
}

sn_status sni_infer(sni_diag *diag, sni_dim_table *dims, sni_op op, const sni_type *const *operands,
                    int n_operands, const sni_dim *attrs, int n_attrs, const sni_type *declared,
                    sni_type *out_type) {
  sni_inference in = {diag, dims, true, op, operands, n_operands, attrs, n_attrs, declared};
  return sni_infer_node(&in, out_type);
}

// ---- broadcasting
static sn_status fail_broadcast(sni_diag *diag, const sni_dim_table *dims, const char *op_name,
                                const sni_type *a, const sni_type *b, int axis) {
  if (!diag) return SN_ERR_SHAPE;
  char text_a[200], text_b[200];
  sni_type_format(dims, a, text_a, sizeof(text_a));
  sni_type_format(dims, b, text_b, sizeof(text_b));
  return sni_fail(diag, SN_ERR_SHAPE,
                  "%s: shapes of operands #0 %s and #1 %s do not broadcast (dim %d from the right)",
                  op_name, text_a, text_b, axis);
}

// The broadcast of two different dims. A symbol against a constant or another symbol follows its
// hint: 1 stretches. Against a 1 it counts whether it is 1 itself: then eager mode broadcasts nothing,
// and a broadcast would change the order in which cotangents are added.
static bool broadcast_dims(sni_dim_table *dims, sni_dim a, sni_dim b, sni_dim *out_dim) {
  int64_t value_a, value_b;
  bool constant_a = sni_dim_is_constant(dims, a, &value_a);
  bool constant_b = sni_dim_is_constant(dims, b, &value_b);
  const bool one_a = constant_a && value_a == 1, one_b = constant_b && value_b == 1;
  if (dims && (one_a || one_b)) sni_dim_settle(dims, one_a ? b : a);
  if (one_a) return (*out_dim = b, true);
  if (one_b) return (*out_dim = a, true);
  if (!dims || (constant_a && constant_b)) return false;
  int64_t hint_a = sni_dim_hint(dims, a), hint_b = sni_dim_hint(dims, b);
  if (hint_a == 1 && hint_b > -1 && hint_b != 1) return (*out_dim = b, sni_dim_unify(dims, a, 1));
  if (hint_b == 1 && hint_a > -1 && hint_a != 1) return (*out_dim = a, sni_dim_unify(dims, b, 1));
  *out_dim = constant_b ? b : a;
  return sni_dim_unify(dims, a, b);
}

sn_status sni_broadcast_shapes(sni_diag *diag, sni_dim_table *dims, const char *op_name,
                               const sni_type *a, const sni_type *b, sni_type *out) {
  sni_type result = {.dtype = a->dtype, .rank = a->rank > b->rank ? a->rank : b->rank};
  for (int i = 0; i < result.rank; i++) {
    int axis_a = i - (result.rank - a->rank), axis_b = i - (result.rank - b->rank);
    sni_dim *dim = &result.dims[i];
    if (axis_a < 0)
      *dim = b->dims[axis_b];
    else if (axis_b < 0 || sni_dim_equal(dims, a->dims[axis_a], b->dims[axis_b]))
      *dim = a->dims[axis_a];
    else if (!broadcast_dims(dims, a->dims[axis_a], b->dims[axis_b], dim))
      return fail_broadcast(diag, dims, op_name, a, b, result.rank - i);
  }
  *out = result;
  return SN_OK;
}

// Measuring values: NaN, infinities, and the range of the rest.
#include "frontend/program/nonfinite.h"

#include "graph/control.h"
#include "runtime/scalar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- looking
// The greatest magnitude as bits, which order numbers as they are: infinities above all, NaN above those.
static uint16_t greatest_16(const uint16_t *bits, int64_t n) {
  uint16_t greatest = 0;
  for (int64_t i = 0; i < n; i++) {
    const uint16_t magnitude = bits[i] & 0x7fff;
    greatest = magnitude > greatest ? magnitude : greatest;
  }
  return greatest;
}

static uint32_t greatest_32(const uint32_t *bits, int64_t n) {
  uint32_t greatest = 0;
  for (int64_t i = 0; i < n; i++) {
    const uint32_t magnitude = bits[i] & UINT32_MAX >> 1;
    greatest = magnitude > greatest ? magnitude : greatest;
  }
  return greatest;
}

static uint64_t greatest_64(const uint64_t *bits, int64_t n) {
  uint64_t greatest = 0;
  for (int64_t i = 0; i < n; i++) {
    const uint64_t magnitude = bits[i] & UINT64_MAX >> 1;
    greatest = magnitude > greatest ? magnitude : greatest;
  }
  return greatest;
}

static sni_finiteness finiteness(uint64_t greatest, uint64_t infinity) {
  return greatest > infinity ? SNI_HOLDS_NAN : greatest == infinity ? SNI_HOLDS_INF : SNI_FINITE;
}

sni_finiteness sni_finiteness_of(const sni_elements *e) {
  const sn_dtype dtype = sni_part_dtype(e->type->dtype);
  int64_t n = sni_type_size(NULL, e->type);
  if (!sni_is_inexact(e->type->dtype) || n <= 0) return SNI_FINITE;
  if (sni_is_complex(e->type->dtype)) n *= 2;
  if (dtype == SN_F64) return finiteness(greatest_64(e->data, n), UINT64_C(0x7ff) << 52);
  if (dtype == SN_F32) return finiteness(greatest_32(e->data, n), UINT32_C(0xff) << 23);
  return finiteness(greatest_16(e->data, n), dtype == SN_F16 ? 0x7c00 : 0x7f80);
}

// ---- words
typedef struct measure {
  int64_t nan, inf, finite;
  double min, max;
} measure;

static measure measure_of(const sni_elements *e) {
  measure m = {.min = HUGE_VAL, .max = -HUGE_VAL};
  const sn_dtype dtype = sni_part_dtype(e->type->dtype);
  const int64_t n = sni_type_size(NULL, e->type) * (sni_is_complex(e->type->dtype) ? 2 : 1);
  for (int64_t i = 0; i < n; i++) {
    const double x = sni_scalar_cast(sni_scalar_load(dtype, e->data, i), SN_F64).f;
    m.nan += isnan(x) != 0;
    m.inf += isinf(x) != 0;
    if (!isfinite(x)) continue;
    m.finite++;
    m.min = x < m.min ? x : m.min;
    m.max = x > m.max ? x : m.max;
  }
  return m;
}

static size_t add_counts(const measure *m, char *text, size_t capacity) {
  size_t n = 0;
  if (m->nan) n += (size_t)snprintf(text, capacity, "%lld NaN", (long long)m->nan);
  if (m->inf)
    n += (size_t)snprintf(text + n, capacity - n, "%s%lld Inf", m->nan ? " and " : "",
                          (long long)m->inf);
  return n;
}

static size_t describe_operand(const sni_elements *e, int i, char *text, size_t capacity) {
  char type[SNI_TENSOR_NAME];
  const measure m = measure_of(e);
  sni_type_format(NULL, e->type, type, sizeof(type));
  size_t n = (size_t)snprintf(text, capacity, "; operand #%d %s", i, type);
  if (m.finite) n += (size_t)snprintf(text + n, capacity - n, " is within [%g, %g]", m.min, m.max);
  if (m.nan || m.inf) {
    n += (size_t)snprintf(text + n, capacity - n, m.finite ? " and holds " : " holds ");
    n += add_counts(&m, text + n, capacity - n);
  }
  return n;
}

void sni_nonfinite_format(const sni_elements *result, const sni_elements *operands, int n,
                          char *text, size_t capacity) {
  enum { room = 256, most_operands = 4 };
  char type[SNI_TENSOR_NAME];
  const measure m = measure_of(result);
  sni_type_format(NULL, result->type, type, sizeof(type));
  size_t at = (size_t)snprintf(text, capacity, "the result %s holds ", type);
  at += add_counts(&m, text + at, capacity - at);
  for (int i = 0; i < n && i < most_operands && at + room < capacity; i++)
    at += describe_operand(&operands[i], i, text + at, capacity - at);
}

// ---- ops of eager mode
sn_status sni_check_result(const sni_elements *result, const sni_elements *operands, int n,
                           sni_diag *diag) {
  char text[800];
  if (!sni_finiteness_of(result)) return SN_OK;
  for (int i = 0; i < n; i++)
    if (sni_finiteness_of(&operands[i])) return SN_OK;  // theirs
  sni_nonfinite_format(result, operands, n, text, sizeof(text));
  return sni_fail(diag, SN_ERR_NONFINITE, "%s", text);
}

sn_status sni_check_node(const sni_node *node, const sni_elements *result,
                         const sni_elements *operands, int n, sni_diag *diag) {
  char text[900];
  sni_diag what = {.status = SN_OK};
  if (!n || !sni_check_result(result, operands, n, &what)) return SN_OK;
  const sni_location *l = &node->location;
  const char *op = sni_node_op_name(node);
  if (l->gradient_of)
    snprintf(text, sizeof(text), "gradient of %s (%s): %.700s", l->gradient_of, op, what.text);
  else
    snprintf(text, sizeof(text), "%s: %.700s", op, what.text);
  diag->file = l->file;
  diag->line = l->line;
  return sni_fail(diag, SN_ERR_NONFINITE, "%s", text);
}

sn_tensor *sni_checked_tensor(sn_context *context, sn_tensor *const *operands, int n,
                              sn_tensor *result) {
  enum { most = 8 };  // the operands of a concat beyond have no say in the message
  sni_elements of[most];
  if (!n || result->kind != SNI_TENSOR_EAGER) return result;
  for (int i = 0; i < n; i++) {
    const sni_elements e = {&operands[i]->type, operands[i]->data};
    if (i < most) of[i] = e;
    if (i >= most && sni_finiteness_of(&e)) return result;
  }
  const sni_elements made = {&result->type, result->data};
  const sn_status status = sni_check_result(&made, of, n < most ? n : most, &context->diag);
  if (!status) return result;
  sni_scope_drop_newest(context);
  return sni_error_from(context, status, NULL);
}

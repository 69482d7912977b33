// cross CASES [COUNT]: runs the cases that torch_ops.py has written, op by op and compiled, and counts where values or gradients differ from
// PyTorch's. Exit status 0: at most one in 200 does (COUNT given: as many cases as that, and none).
//
// A case: a line "id dtype n_k k.. n_d d.. n_arrays", then each array: its role (i: operand, y: result, w: weights of the sum that
// is differentiated, g: gradient by the next operand that has one), its kind (f: f64, c: pairs of f64, b: bool, i: i64), rank, dims[8], elements.
#include <sinter/sinter.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most_arrays = 10, most_numbers = 8, most_shown = 400 };

typedef struct array {
  char role, kind;
  signed char rank, unused[5];
  int64_t dims[SN_MAX_RANK];
} array_head;

typedef struct test_case {
  const struct op_row *row;
  sn_dtype dtype;
  int64_t k[most_numbers];
  double d[most_numbers];
  int n_arrays, n_in;
  array_head heads[most_arrays];
  const char *data[most_arrays];
} test_case;

typedef struct op_row {
  const char *id, *op;
  sn_tensor *(*make)(sn_tensor *const *in, const int64_t *k, const double *d);
  int cases, bad;
} op_row;

static sn_tensor *pieces[8];
#define ROW(id, op, expression)                                                          \
  static sn_tensor *make_##id(sn_tensor *const *in, const int64_t *k, const double *d) { \
    (void)in, (void)k, (void)d;                                                          \
    return expression;                                                                   \
  }
#include "torch_ops.inc"
#undef ROW
static op_row rows[] = {
#define ROW(id, op, expression) {#id, #op, make_##id, 0, 0},
#include "torch_ops.inc"
#undef ROW
};
enum { n_rows = sizeof(rows) / sizeof(rows[0]) };

static sn_context *context;
static int shown;

// ---- reading
static bool read_numbers(const char **at, int *out_n, int64_t *k, double *d) {
  char *end;
  *out_n = (int)strtol(*at, &end, 10);
  for (int i = 0; i < *out_n && i < most_numbers; i++) {
    if (k)
      k[i] = strtoll(end, &end, 10);
    else
      d[i] = strtod(end, &end);
  }
  *at = end;
  return *out_n >= 0 && *out_n <= most_numbers;
}

static size_t bytes_of(const array_head *a) {
  size_t bytes = a->kind == 'b' ? 1 : a->kind == 'c' ? 16 : 8;
  for (int i = 0; i < a->rank; i++) bytes *= (size_t)a->dims[i];
  return bytes;
}

static bool read_head(const char **at, test_case *out) {
  char id[64], dtype[8];
  int used, n;
  if (sscanf(*at, "%63s %7s%n", id, dtype, &used) != 2) return false;
  *at += used;
  *out = (test_case){0};
  for (int i = 0; i < n_rows; i++)
    if (!strcmp(rows[i].id, id)) out->row = &rows[i];
  while (out->dtype < SN_DTYPE_COUNT && strcmp(sn_dtype_name(out->dtype), dtype) != 0) out->dtype++;
  if (!out->row || out->dtype == SN_DTYPE_COUNT || !sn_op_find(out->row->op)) return false;
  if (!read_numbers(at, &n, out->k, NULL) || !read_numbers(at, &n, NULL, out->d)) return false;
  char *end;
  out->n_arrays = (int)strtol(*at, &end, 10);
  *at = end + 1;
  return out->n_arrays > 0 && out->n_arrays <= most_arrays;
}

static bool read_case(const char **at, const char *end, test_case *out) {
  if (!read_head(at, out)) return false;
  for (int i = 0; i < out->n_arrays; i++) {
    if ((size_t)(end - *at) < sizeof(array_head)) return false;
    memcpy(&out->heads[i], *at, sizeof(array_head));
    out->data[i] = *at + sizeof(array_head);
    if ((size_t)(end - out->data[i]) < bytes_of(&out->heads[i])) return false;
    *at = out->data[i] + bytes_of(&out->heads[i]);
    out->n_in += out->heads[i].role == 'i';
  }
  return true;
}

// ---- running
static bool is_complex_dtype(sn_dtype dtype) {
  return dtype == SN_C64 || dtype == SN_C128;
}

static sn_tensor *tensor_of(const test_case *t, int i) {
  const array_head *a = &t->heads[i];
  sn_shape shape = {.rank = a->rank};
  memcpy(shape.dims, a->dims, sizeof(shape.dims));
  const sn_dtype dtype = a->kind == 'f'   ? SN_F64
                         : a->kind == 'c' ? SN_C128
                         : a->kind == 'b' ? SN_BOOL
                                          : SN_I64;
  sn_tensor *x = sn_constant(context, dtype, shape, t->data[i]);
  const bool is_complex = is_complex_dtype(t->dtype);
  return (a->kind == 'f' && !is_complex) || (a->kind == 'c' && is_complex) ? sn_cast(x, t->dtype)
                                                                           : x;
}

static bool is_float(const array_head *a) {
  return a->kind == 'f' || a->kind == 'c';
}

static bool has_gradients(const test_case *t) {
  return t->n_arrays > t->n_in + 1;
}

// The result, then the gradients of sum(y w), of complex numbers of its real part, by the operands that are floats. in: the operands, then w.
static sn_status run(sn_context *c, sn_tensor *const *in, sn_tensor **out, void *user) {
  const test_case *t = user;
  sn_tensor *x[most_arrays], *dx[most_arrays];
  int n = 0;
  out[0] = t->row->make(in, t->k, t->d);
  if (!has_gradients(t)) return sn_pending_error(c);
  for (int i = 0; i < t->n_in; i++)
    if (is_float(&t->heads[i])) x[n++] = in[i];
  sn_tensor *product = sn_mul(out[0], sn_cast(in[t->n_in], sn_dtype_of(out[0])));
  if (is_complex_dtype(sn_dtype_of(product))) product = sn_real(product);
  sn_tensor *loss = sn_sum(product);
  sn_gradients(loss, x, n, dx, .unconnected = SN_ZEROS);
  for (int i = 0; i < n; i++) out[1 + i] = dx[i];
  return sn_pending_error(c);
}

// ---- comparing
// Relative to an element, and to the mean of all where it cancels: rounding errors of a whole computation in dtype.
static double tolerance_of(sn_dtype dtype) {
  switch (dtype) {
    case SN_F64:
    case SN_C128:
      return 1e-10;
    case SN_F32:
    case SN_C64:
      return 1e-4;
    case SN_F16:
      return 0x1p-6;
    case SN_BF16:
      return 0x1p-3;
    default:
      return 0;
  }
}

static bool near(double got, double want, double scale, double tolerance) {
  if (isnan(want)) return isnan(got);
  if (got == want) return true;
  if (isinf(want) || isinf(got)) return false;
  return fabs(got - want) <= tolerance * fmax(fabs(want), scale);
}

static double mean_size(const double *want, int64_t n) {
  double sum = 0;
  int64_t finite = 0;
  for (int64_t i = 0; i < n; i++)
    if (isfinite(want[i])) sum += fabs(want[i]), finite++;
  return finite ? sum / (double)finite : 0;
}

static bool differ(const test_case *t, const char *mode, const char *what, int64_t at, double got,
                   double want) {
  if (shown++ < most_shown)
    printf("%s, %s, %s: %s #%lld is %.9g, expected %.9g\n", t->row->id, sn_dtype_name(t->dtype),
           mode, what, (long long)at, got, want);
  return false;
}

static double wanted(const test_case *t, int array, int64_t i) {
  double value;
  int64_t whole;
  if (t->heads[array].kind == 'b') return t->data[array][i];
  memcpy(&value, t->data[array] + 8 * i, sizeof(value));
  memcpy(&whole, &value, sizeof(whole));
  return t->heads[array].kind == 'i' ? (double)whole : value;
}

static bool agree(const test_case *t, const char *mode, const char *what, sn_tensor *got,
                  int array) {
  const array_head *a = &t->heads[array];
  const int64_t n = (int64_t)(bytes_of(a) / (a->kind == 'b' ? 1 : 8));  // of parts
  bool same_shape = sn_rank(got) == a->rank;
  for (int i = 0; same_shape && i < a->rank; i++) same_shape = sn_dim(got, i) == a->dims[i];
  if (!same_shape) return differ(t, mode, "the shape", 0, (double)sn_size(got), (double)n);
  double *values = malloc((size_t)n * 16 + 1), *want = values + n;
  bool ok = values && !sn_read(sn_cast(got, a->kind == 'c' ? SN_C128 : SN_F64), values,
                               (size_t)n * sizeof(double));
  for (int64_t i = 0; ok && i < n; i++) want[i] = wanted(t, array, i);
  const double scale = ok ? mean_size(want, n) : 0;
  for (int64_t i = 0; ok && i < n; i++)
    if (!near(values[i], want[i], scale, tolerance_of(t->dtype)))
      ok = differ(t, mode, what, i, values[i], want[i]);
  free(values);
  return ok;
}

static bool try_mode(const test_case *t, sn_function *f, bool compiled) {
  const char *mode = compiled ? "compiled" : "eager";
  sn_tensor *in[most_arrays], *out[most_arrays];
  const int n_extra = has_gradients(t) ? 1 : 0;
  int n_out = 1;
  for (int i = 0; i < t->n_in; i++) in[i] = tensor_of(t, i);
  if (n_extra) in[t->n_in] = tensor_of(t, t->n_in + 1);
  for (int i = 0; n_extra && i < t->n_in; i++) n_out += is_float(&t->heads[i]);
  const sn_status status = compiled ? sn_call(f, in, t->n_in + n_extra, out, n_out)
                                    : sn_call_eager(f, in, t->n_in + n_extra, out, n_out);
  if (status) {
    printf("%s, %s, %s: %s\n", t->row->id, sn_dtype_name(t->dtype), mode,
           sn_error_message(context));
    return false;
  }
  bool ok = agree(t, mode, "result", out[0], t->n_in);
  for (int i = 1; i < n_out; i++) ok = agree(t, mode, "gradient", out[i], t->n_in + 1 + i) && ok;
  return ok;
}

static bool try_case(const test_case *t) {
  SN_SCOPE(context);
  int n_out = 1;
  for (int i = 0; has_gradients(t) && i < t->n_in; i++) n_out += is_float(&t->heads[i]);
  sn_function *f = sn_function_create(context, run, .user = (void *)(uintptr_t)t,
                                      .inputs = t->n_in + has_gradients(t), .outputs = n_out);
  const bool eager = try_mode(t, f, false), compiled = try_mode(t, f, true);
  sn_function_destroy(f);
  return eager && compiled;
}

// ---- all
static char *read_file(const char *path, size_t *out_length) {
  FILE *file = fopen(path, "rb");
  char *data = NULL;
  if (!file) return NULL;
  if (!fseek(file, 0, SEEK_END)) {
    const long length = ftell(file);
    rewind(file);
    data = length >= 0 ? malloc((size_t)length + 1) : NULL;
    if (data) {
      *out_length = fread(data, 1, (size_t)length, file);
      data[*out_length] = 0;
    }
  }
  (void)fclose(file);
  return data;
}

static int report(int cases, int bad, int expected) {
  int fewest = cases, ops = 0;
  for (int i = 0; i < n_rows; i++) {
    bool first = true;
    if (rows[i].cases < fewest) fewest = rows[i].cases;
    for (int k = 0; k < i; k++) first = first && strcmp(rows[k].op, rows[i].op) != 0;
    ops += first;
    if (rows[i].bad)
      printf("%-32s %d of %d cases differ\n", rows[i].id, rows[i].bad, rows[i].cases);
  }
  printf(
      "%d ops, %d rows of at least %d cases; %d cases, op by op and compiled: %d differ (%.2f "
      "%%)\n",
      ops, n_rows, fewest, cases, bad, cases ? 100.0 * bad / cases : 0);
  if (expected) return cases != expected || bad;
  return !cases || bad * 200 > cases;
}

int main(int argc, char **argv) {
  size_t length = 0;
  char *data = argc > 1 ? read_file(argv[1], &length) : NULL;
  if (!data || sn_context_create(&context, .threads = 1, .plugin_path = SINTER_PLUGIN_PATH)) {
    printf("usage: cross CASES [COUNT]\n");
    return 2;
  }
  int cases = 0, bad = 0;
  test_case t;
  const char *at = data, *end = data + length;
  while (at < end && read_case(&at, end, &t)) {
    const int index = (int)(t.row - rows);
    const bool ok = try_case(&t);
    cases++, rows[index].cases++;
    bad += !ok, rows[index].bad += !ok;
  }
  if (at < end) printf("case %d is malformed\n", cases);
  const int result = at < end ? 2 : report(cases, bad, argc > 2 ? atoi(argv[2]) : 0);
  sn_context_destroy(context);
  free(data);
  return result;
}

// Features crossed: all combinations of what the same rows of several ragged tensors have.
#include "frontend/text/calls.h"

#include <inttypes.h>
#include <stdio.h>

enum { MOST_CROSSED = 12 };

// Row `row` of each input: in[2k]: its values, strings or i64; in[2k + 1]: its splits.
typedef struct crossed {
  int n;
  int64_t first[MOST_CROSSED], length[MOST_CROSSED], at[MOST_CROSSED];
} crossed;

static const int64_t *splits_of(const sn_host_args *args, int k) {
  return (const int64_t *)args->in[2 * k + 1].data;
}

// How many combinations there are; -1: more than can be counted.
static int64_t begin_row(crossed *x, const sn_host_args *args, int64_t row) {
  int64_t count = 1;
  x->n = args->n_in / 2;
  for (int k = 0; k < x->n; k++) {
    x->first[k] = splits_of(args, k)[row];
    x->length[k] = splits_of(args, k)[row + 1] - x->first[k];
    x->at[k] = 0;
    if (__builtin_mul_overflow(count, x->length[k], &count)) return -1;
  }
  return count;
}

// The last input's elements change first.
static void next_combination(crossed *x) {
  for (int k = x->n - 1; k >= 0; k--) {
    if (++x->at[k] < x->length[k]) return;
    x->at[k] = 0;
  }
}

static sn_status count_crossed(const sn_host_args *args) {
  int64_t *out = (int64_t *)args->out[0].data;
  const int64_t rows = snt_size(args->out), most = INT64_MAX / (rows > 0 ? rows : 1);
  for (int k = 0; k < args->n_in / 2; k++) {
    const int64_t has = snt_size(&args->in[2 * k + 1]) - 1;
    if (has != rows)
      return snt_refuse(args, SN_ERR_SHAPE, "rs[%d] has %" PRId64 " rows, rs[0] %" PRId64, k, has,
                        rows);
  }
  for (int64_t i = 0; i < rows; i++) {
    crossed x;
    out[i] = begin_row(&x, args, i);
    if (out[i] < 0 || out[i] > most)
      return snt_refuse(args, SN_ERR_SHAPE, "row %" PRId64 " has too many combinations", i);
  }
  return SN_OK;
}

static void add_element(snt_buffer *b, const sn_view *values, int64_t i) {
  char digits[24];
  if (values->dtype == SN_STRING) {
    snt_buffer_add(b, sn_view_string(values, i));
    return;
  }
  const int n = snprintf(digits, sizeof(digits), "%" PRId64, ((const int64_t *)values->data)[i]);
  snt_buffer_add(b, snt_text(digits, (size_t)n));
}

static sn_status fill_crossed(const sn_host_args *args) {
  snt_buffer b = {NULL, 0, 0, false};
  sn_status status = SN_OK;
  int64_t made = 0;
  const int64_t rows = snt_size(&args->in[1]) - 1;
  for (int64_t row = 0; row < rows && !status; row++) {
    crossed x;
    for (int64_t count = begin_row(&x, args, row); count > 0 && !status; count--) {
      for (int k = 0; k < x.n; k++) {
        if (k) snt_buffer_add(&b, snt_text("_X_", 3));
        add_element(&b, &args->in[2 * k], x.first[k] + x.at[k]);
      }
      status = snt_buffer_flush(&b, args, made++);
      next_combination(&x);
    }
  }
  snt_buffer_end(&b);
  return status;
}

// ---- hashed: FingerprintCat64 of TensorFlow, by the mixing of MurmurHash64A
static uint64_t mix(uint64_t x) {
  return x ^ x >> 47;
}

static uint64_t cat(uint64_t a, uint64_t b) {
  const uint64_t m = 0xc6a4a7935bd1e995;
  const uint64_t x = (a ^ m ^ mix(b * m) * m) * m;
  return mix(mix(x) * m);
}

static uint64_t hash_element(const sn_view *values, int64_t i) {
  return values->dtype == SN_STRING ? snt_fingerprint(sn_view_string(values, i))
                                    : (uint64_t)((const int64_t *)values->data)[i];
}

static sn_status fill_hashed(const sn_host_args *args) {
  const uint64_t buckets = (uint64_t)snt_number(args, 0), key = (uint64_t)snt_number(args, 1);
  int64_t *out = (int64_t *)args->out[0].data;
  const int64_t rows = snt_size(&args->in[1]) - 1;
  for (int64_t row = 0; row < rows; row++) {
    crossed x;
    for (int64_t count = begin_row(&x, args, row); count > 0; count--) {
      uint64_t hash = key;
      for (int k = 0; k < x.n; k++)
        hash = cat(hash, hash_element(&args->in[2 * k], x.first[k] + x.at[k]));
      *out++ = (int64_t)(hash % (buckets ? buckets : INT64_MAX));
      next_combination(&x);
    }
  }
  return SN_OK;
}

// ---- calls
// Values and splits of rs[k]; false: an error is pending.
static bool operands_of(sn_context *c, sn_ragged *r, int k, sn_tensor **in) {
  if (sn_failed(r)) {
    sn_fail(c, SN_ERR_ARGUMENT, "rs[%d] is NULL or the error object", k);
    return false;
  }
  sn_tensor *values = sn_ragged_flat_values(r);
  if (sn_ragged_rank(r) == 0 && sn_rank(values) == 2) {
    r = sn_ragged_from_tensor(values);
    values = sn_ragged_flat_values(r);
  }
  const sn_dtype dtype = sn_dtype_of(values);
  if (sn_ragged_rank(r) != 1 || sn_rank(values) != 1)
    sn_fail(c, SN_ERR_SHAPE, "rs[%d] has %d dims, expected rows of elements", k,
            sn_ragged_rank(r) + sn_rank(values));
  else if (dtype != SN_STRING && dtype != SN_I32 && dtype != SN_I64)
    sn_fail(c, SN_ERR_DTYPE, "rs[%d] is %s, expected strings, i32 or i64", k, sn_dtype_name(dtype));
  if (sn_pending_error(c)) return false;
  in[0] = dtype == SN_I32 ? sn_cast(values, SN_I64) : values;
  in[1] = sn_ragged_row_splits(r, 0);
  return true;
}

static sn_ragged *cross(sn_context *c, sn_ragged *const *rs, int n, const snt_call *fill) {
  sn_tensor *in[2 * MOST_CROSSED];
  SN_SCOPE(c);
  if (!rs || n < 1 || n > MOST_CROSSED) {
    sn_fail(c, SN_ERR_ARGUMENT, "%d ragged tensors, expected 1 to %d", rs ? n : 0, MOST_CROSSED);
    return snt_no_ragged(c);
  }
  for (int k = 0; k < n; k++)
    if (!operands_of(c, rs[k], k, in + 2 * k)) return snt_no_ragged(c);
  sn_tensor *rows = sn_sub(sn_axis_size(in[1], 0, SN_I64), 1);
  sn_tensor *lengths =
      SNT_RUN(c, in, 2 * n, .name = "ragged_cross_lengths", .callback = count_crossed,
              .dtype = SN_I64, .shape = SN_SHAPE(sn_late_dim(rows)));
  snt_call call = *fill;
  call.shape = SN_SHAPE(snt_total(lengths));
  return sn_escape(sn_ragged_from_row_lengths(snt_run(c, &call, in, 2 * n), lengths));
}

static sn_context *context_of(sn_ragged *const *rs, int n) {
  return rs && n > 0 ? sn_context_of(rs[0]) : NULL;
}

sn_ragged *(sn_ragged_cross)(sn_ragged *const *rs, int n) {
  sn_context *c = context_of(rs, n);
  SN_FRAME(c, "sn_ragged_cross");
  const snt_call fill = {"ragged_cross", fill_crossed, SN_STRING, .shape = {.rank = 0}};
  return cross(c, rs, n, &fill);
}

sn_ragged *(sn_ragged_cross_hashed_opts)(sn_ragged *const *rs, int n,
                                         const sn_ragged_cross_hashed_options *options) {
  sn_context *c = context_of(rs, n);
  SN_FRAME(c, "sn_ragged_cross_hashed");
  if (!options || options->buckets < 0) {
    sn_fail(c, SN_ERR_ARGUMENT, "options is NULL, or buckets negative");
    return snt_no_ragged(c);
  }
  const uint64_t key = options->key ? *options->key : 0xDECAFCAFFE;
  const snt_call fill = {"ragged_cross_hashed", fill_hashed, SN_I64,
                         .numbers = {options->buckets, (int64_t)key}};
  return cross(c, rs, n, &fill);
}

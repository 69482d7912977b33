// The n-grams of rows of strings.
#include "frontend/text/calls.h"

enum { MOST_WIDTHS = 16, KEEP_SHORT = 0, PADDING = 1, LEFT = 2, RIGHT = 3 };

// in: values, splits, widths, then the texts between, left, right. A row with its padding, for n-grams of one width.
typedef struct row {
  int64_t first, length, left, right;  // values; padding that takes part
} row;

static const int64_t *i64s(const sn_view *view) {
  return (const int64_t *)view->data;
}

static row row_of(const sn_host_args *args, int64_t i, int64_t width) {
  const int64_t *splits = i64s(&args->in[1]);
  const int64_t most = snt_number(args, PADDING);
  const int64_t pad = most && most < width - 1 ? most : width - 1;
  return (row){splits[i], splits[i + 1] - splits[i], snt_number(args, LEFT) ? pad : 0,
               snt_number(args, RIGHT) ? pad : 0};
}

static int64_t count_of(const row *r, int64_t width) {
  const int64_t n = r->left + r->length + r->right - width + 1;
  return n > 0 ? n : 0;
}

// The width of the one n-gram of a short row that has no other one; 0: none. Its padding is that of the row as it is.
static int64_t short_width(const sn_host_args *args, int64_t i, int64_t found) {
  const row r = row_of(args, i, i64s(&args->in[2])[0]);
  if (found || !snt_number(args, KEEP_SHORT) || !r.length) return 0;
  return r.left + r.length + r.right;
}

static sn_status count_ngrams(const sn_host_args *args) {
  int64_t *out = (int64_t *)args->out[0].data;
  const int64_t n_splits = snt_size(&args->in[1]), n_widths = snt_size(&args->in[2]);
  for (int64_t i = 0; i + 1 < n_splits; i++) {
    out[i] = 0;
    for (int64_t k = 0; k < n_widths; k++) {
      const int64_t width = i64s(&args->in[2])[k];
      const row r = row_of(args, i, width);
      out[i] += count_of(&r, width);
    }
    if (short_width(args, i, out[i])) out[i] = 1;
  }
  return SN_OK;
}

// Item k of a row with its padding.
static sn_text item_of(const sn_host_args *args, const row *r, int64_t k) {
  if (k < r->left) return snt_scalar(&args->in[4]);
  if (k >= r->left + r->length) return snt_scalar(&args->in[5]);
  return sn_view_string(&args->in[0], r->first + k - r->left);
}

static sn_status write_one(const sn_host_args *args, const row *r, int64_t first, int64_t width,
                           int64_t to) {
  const sn_text between = snt_scalar(&args->in[3]);
  size_t length = (size_t)(width - 1) * between.length;
  for (int64_t k = 0; k < width; k++) length += item_of(args, r, first + k).length;
  char *at = sn_host_new_string(args, 0, to, length);
  if (!at) return SN_ERR_MEMORY;
  for (int64_t k = 0; k < width; k++) {
    const sn_text item = item_of(args, r, first + k);
    if (k && between.length) memcpy(at, between.data, between.length);
    if (k) at += between.length;
    if (item.length) memcpy(at, item.data, item.length);
    at += item.length;
  }
  return SN_OK;
}

static sn_status write_row(const sn_host_args *args, int64_t i, int64_t *to) {
  const int64_t begin = *to;
  for (int64_t k = 0; k < snt_size(&args->in[2]); k++) {
    const int64_t width = i64s(&args->in[2])[k];
    const row r = row_of(args, i, width);
    for (int64_t at = 0, n = count_of(&r, width); at < n; at++) {
      const sn_status status = write_one(args, &r, at, width, (*to)++);
      if (status != SN_OK) return status;
    }
  }
  const int64_t width = short_width(args, i, *to - begin);
  const row r = row_of(args, i, i64s(&args->in[2])[0]);
  return width ? write_one(args, &r, 0, width, (*to)++) : SN_OK;
}

static sn_status fill_ngrams(const sn_host_args *args) {
  int64_t to = 0;
  for (int64_t i = 0; i + 1 < snt_size(&args->in[1]); i++) {
    const sn_status status = write_row(args, i, &to);
    if (status != SN_OK) return status;
  }
  return SN_OK;
}

static sn_tensor *widths_of(sn_context *c, const int *widths, int n) {
  int64_t wide[MOST_WIDTHS];
  if (!widths || n < 1 || n > MOST_WIDTHS) {
    sn_fail(c, SN_ERR_ARGUMENT, "%d widths, expected 1 to %d", widths ? n : 0, MOST_WIDTHS);
    return NULL;
  }
  for (int i = 0; i < n; i++) {
    wide[i] = widths[i];
    if (widths[i] < 1 || widths[i] > 1000000) {
      sn_fail(c, SN_ERR_ARGUMENT, "widths[%d] = %d, expected at least 1", i, widths[i]);
      return NULL;
    }
  }
  return sn_constant(c, SN_I64, SN_SHAPE(n), wide);
}

static bool rows_ok(sn_context *c, sn_ragged *r, const sn_string_ngrams_options *options) {
  if (!options || options->padding < 0) {
    sn_fail(c, SN_ERR_ARGUMENT, "options is NULL, or padding negative");
    return false;
  }
  if (sn_failed(r) || !snt_strings_ok(c, sn_ragged_flat_values(r), "r's values")) return false;
  if (sn_ragged_rank(r) == 1 && sn_rank(sn_ragged_flat_values(r)) == 1) return true;
  sn_fail(c, SN_ERR_SHAPE, "r has %d ragged levels, expected rows of strings", sn_ragged_rank(r));
  return false;
}

sn_ragged *(sn_string_ngrams_opts)(sn_ragged *r, const int *widths, int n_widths,
                                   const sn_string_ngrams_options *options) {
  sn_context *c = sn_context_of(r);
  SN_FRAME(c, "sn_string_ngrams");
  SN_SCOPE(c);
  sn_tensor *wide = rows_ok(c, r, options) ? widths_of(c, widths, n_widths) : NULL;
  if (!wide) return snt_no_ragged(c);
  const char *texts[] = {options->separator ? options->separator : " ",
                         options->left ? options->left : "", options->right ? options->right : ""};
  sn_tensor *in[6] = {sn_ragged_flat_values(r), sn_ragged_row_splits(r, 0), wide};
  for (int k = 0; k < 3; k++) in[3 + k] = sn_scalar_string(c, texts[k]);
  const snt_call count = {"string_ngrams_lengths", count_ngrams, SN_I64,
                          .shape = snt_shape_of(sn_ragged_row_lengths(r, 0)),
                          .numbers = {options->keep_short, options->padding, options->left != NULL,
                                      options->right != NULL}};
  sn_tensor *lengths = snt_run(c, &count, in, 6);
  snt_call fill = count;
  fill.name = "string_ngrams";
  fill.callback = fill_ngrams;
  fill.dtype = SN_STRING;
  fill.shape = SN_SHAPE(snt_total(lengths));
  return sn_escape(sn_ragged_from_row_lengths(snt_run(c, &fill, in, 6), lengths));
}

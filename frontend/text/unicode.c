// Strings decoded into code points and back: what is not valid goes by the policy of the call.
#include "frontend/text/codes.h"

enum { IN = 0, OUT = 1, POLICY = 2, REPLACEMENT = 3 };  // a call's own numbers
enum { CONTROL = 16 };                                  // a flag beside the policy

// ---- code points, one after the other
typedef struct reader {
  sn_encoding encoding;
  int policy;
  int32_t replacement;
  sn_text text;
  size_t at, begin;  // of the next code point, and of the last one
  bool failed;       // strictly read, and not valid at `begin`
} reader;

static reader read_from(const sn_host_args *args, int64_t i) {
  reader r = {(sn_encoding)snt_number(args, IN),
              (int)snt_number(args, POLICY),
              (int32_t)snt_number(args, REPLACEMENT),
              sn_view_string(args->in, i),
              0,
              0,
              false};
  return r;
}

// What a code point becomes by the policy: -1: nothing.
static int32_t by_policy(int policy, int32_t replacement, int32_t code) {
  const bool is_control = (policy & CONTROL) && code >= 0 && code < 0x20;
  if (code >= 0 && !is_control) return code;
  return (policy & ~CONTROL) == SN_TEXT_IGNORE ? -1 : replacement;
}

static bool next(reader *r, int32_t *code) {
  while (r->at < r->text.length) {
    r->begin = r->at;
    const int32_t found = snt_decode(r->encoding, r->text, &r->at);
    r->failed = found < 0 && (r->policy & ~CONTROL) == SN_TEXT_STRICT;
    if (r->failed) return false;
    *code = by_policy(r->policy, r->replacement, found);
    if (*code >= 0) return true;
  }
  return false;
}

static sn_status refuse(const sn_host_args *args, const reader *r, int64_t i) {
  static const char *const names[] = {"UTF-8", "UTF-16", "UTF-32"};
  return snt_refuse_element(args, SN_ERR_ARGUMENT, args->in, i, "is no %s: byte %zu",
                            names[r->encoding], r->begin);
}

static sn_status count_codes(const sn_host_args *args) {
  int64_t *out = (int64_t *)args->out[0].data;
  for (int64_t i = 0, n = snt_size(args->in); i < n; i++) {
    reader r = read_from(args, i);
    int32_t code;
    for (out[i] = 0; next(&r, &code);) out[i]++;
    if (r.failed) return refuse(args, &r, i);
  }
  return SN_OK;
}

// out: what each code point becomes, by put; the bytes they begin at.
static sn_status fill(const sn_host_args *args,
                      sn_status (*put)(const sn_host_args *args, int64_t to, int32_t code)) {
  int64_t *offsets = (int64_t *)args->out[1].data, to = 0;
  for (int64_t i = 0, n = snt_size(args->in); i < n; i++) {
    reader r = read_from(args, i);
    for (int32_t code; next(&r, &code); to++) {
      offsets[to] = (int64_t)r.begin;
      const sn_status status = put(args, to, code);
      if (status != SN_OK) return status;
    }
  }
  return SN_OK;
}

static sn_status put_code(const sn_host_args *args, int64_t to, int32_t code) {
  ((int32_t *)args->out[0].data)[to] = code;
  return SN_OK;
}

static sn_status put_character(const sn_host_args *args, int64_t to, int32_t code) {
  char bytes[4];
  const size_t length = snt_encode((sn_encoding)snt_number(args, IN), code, bytes);
  return sn_host_set_string(args, 0, to, snt_text(bytes, length));
}

static sn_status fill_codes(const sn_host_args *args) {
  return fill(args, put_code);
}

static sn_status fill_characters(const sn_host_args *args) {
  return fill(args, put_character);
}

// ---- options
static bool options_ok(sn_context *c, const sn_unicode_options *o) {
  if (!o) {
    sn_fail(c, SN_ERR_ARGUMENT, "options is NULL");
    return false;
  }
  if (!snt_in_range(c, (int)o->errors, SN_TEXT_IGNORE, "errors")) return false;
  if (snt_is_code(o->replacement)) return true;
  sn_fail(c, SN_ERR_ARGUMENT, "replacement 0x%x is no code point", (unsigned)o->replacement);
  return false;
}

static snt_call call_of(const char *name, sn_host_callback callback, sn_dtype dtype, sn_encoding in,
                        sn_encoding out, const sn_unicode_options *o) {
  const int64_t policy = (int64_t)o->errors | (o->replace_control ? CONTROL : 0);
  const int64_t replacement = o->replacement ? o->replacement : SNT_REPLACEMENT;
  return (snt_call){name, callback, dtype, .numbers = {in, out, policy, replacement}};
}

// ---- decode and split
static sn_ragged *decoded(sn_context *c, sn_tensor *t, sn_encoding encoding,
                          const sn_unicode_options *options, bool split, sn_ragged **out_offsets) {
  if (out_offsets) *out_offsets = NULL;
  if (!snt_strings_ok(c, t, "t") || !snt_in_range(c, (int)encoding, SN_UTF32_BE, "encoding") ||
      !options_ok(c, options)) {
    if (out_offsets) *out_offsets = snt_no_ragged(c);
    return snt_no_ragged(c);
  }
  snt_call call = call_of("unicode_lengths", count_codes, SN_I64, encoding, encoding, options);
  call.shape = snt_shape_of(t);
  sn_tensor *lengths = snt_run(c, &call, &t, 1), *out[2] = {NULL, NULL};
  call.name = split ? "unicode_split" : "unicode_decode";
  call.callback = split ? fill_characters : fill_codes;
  call.dtype = split ? SN_STRING : SN_I32;
  call.two = true;
  call.second = SN_I64;
  call.shape = SN_SHAPE(snt_total(lengths));
  snt_run_two(c, &call, &t, 1, out);
  if (out_offsets) *out_offsets = sn_escape(snt_rows(c, t, lengths, out[1]));
  return sn_escape(snt_rows(c, t, lengths, out[0]));
}

sn_ragged *(sn_unicode_decode_opts)(sn_tensor *t, sn_encoding encoding,
                                    const sn_unicode_options *options) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_unicode_decode");
  SN_SCOPE(c);
  return decoded(c, t, encoding, options, false, NULL);
}

sn_ragged *(sn_unicode_decode_with_offsets_opts)(sn_tensor *t, sn_encoding encoding,
                                                 sn_ragged **out_offsets,
                                                 const sn_unicode_options *options) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_unicode_decode_with_offsets");
  SN_SCOPE(c);
  return decoded(c, t, encoding, options, false, out_offsets);
}

sn_ragged *(sn_unicode_split_opts)(sn_tensor *t, sn_encoding encoding,
                                   const sn_unicode_options *options) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_unicode_split");
  SN_SCOPE(c);
  return decoded(c, t, encoding, options, true, NULL);
}

sn_ragged *(sn_unicode_split_with_offsets_opts)(sn_tensor *t, sn_encoding encoding,
                                                sn_ragged **out_offsets,
                                                const sn_unicode_options *options) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_unicode_split_with_offsets");
  SN_SCOPE(c);
  return decoded(c, t, encoding, options, true, out_offsets);
}

// ---- encode: in: the codes, and the splits of their rows where they are ragged
static sn_status encode_row(const sn_host_args *args, int64_t first, int64_t end, snt_buffer *b) {
  const sn_encoding encoding = (sn_encoding)snt_number(args, OUT);
  const int policy = (int)snt_number(args, POLICY);
  for (int64_t k = first; k < end; k++) {
    const int32_t given = ((const int32_t *)args->in[0].data)[k];
    const bool is_code = snt_is_code(given);
    if (!is_code && (policy & ~CONTROL) == SN_TEXT_STRICT)
      return snt_refuse_element(args, SN_ERR_ARGUMENT, args->in, k, "= 0x%x is no code point",
                                (unsigned)given);
    const int32_t code =
        by_policy(policy, (int32_t)snt_number(args, REPLACEMENT), is_code ? given : -1);
    char *to = snt_buffer_room(b, 4);
    if (to && code >= 0) b->length += snt_encode(encoding, code, to);
  }
  return SN_OK;
}

static sn_status fill_encoded(const sn_host_args *args) {
  const int64_t n = snt_size(args->out);
  const int64_t row = args->in[0].shape.dims[args->in[0].shape.rank - 1];
  const int64_t *splits = args->n_in > 1 ? (const int64_t *)args->in[1].data : NULL;
  snt_buffer b = {NULL, 0, 0, false};
  sn_status status = SN_OK;
  for (int64_t i = 0; i < n && status == SN_OK; i++) {
    status = splits ? encode_row(args, splits[i], splits[i + 1], &b)
                    : encode_row(args, i * row, (i + 1) * row, &b);
    if (status == SN_OK) status = snt_buffer_flush(&b, args, i);
  }
  snt_buffer_end(&b);
  return status;
}

static bool codes_ok(sn_context *c, sn_tensor *codes, sn_encoding encoding,
                     const sn_unicode_options *options) {
  if (!snt_integers_ok(c, codes, "codes")) return false;
  if (sn_dtype_of(codes) != SN_I32)
    sn_fail(c, SN_ERR_DTYPE, "codes: %s, expected i32", sn_dtype_name(sn_dtype_of(codes)));
  else if (sn_rank(codes) < 1)
    sn_fail(c, SN_ERR_SHAPE, "codes is a scalar, expected rows of code points");
  else
    return snt_in_range(c, (int)encoding, SN_UTF32_BE, "encoding") && options_ok(c, options);
  return false;
}

sn_tensor *(sn_unicode_encode_opts)(sn_tensor *codes, sn_encoding encoding,
                                    const sn_unicode_options *options) {
  sn_context *c = sn_context_of(codes);
  SN_FRAME(c, "sn_unicode_encode");
  if (!codes_ok(c, codes, encoding, options)) return sn_error_tensor(c);
  snt_call call = call_of("unicode_encode", fill_encoded, SN_STRING, encoding, encoding, options);
  call.shape = snt_shape_of(codes);
  call.shape.rank--;
  return snt_run(c, &call, &codes, 1);
}

sn_tensor *(sn_unicode_encode_rows_opts)(sn_ragged *codes, sn_encoding encoding,
                                         const sn_unicode_options *options) {
  sn_context *c = sn_context_of(codes);
  SN_FRAME(c, "sn_unicode_encode_rows");
  SN_SCOPE(c);
  sn_tensor *values = sn_ragged_flat_values(codes);
  if (sn_failed(codes) || !codes_ok(c, values, encoding, options)) return sn_error_tensor(c);
  if (sn_ragged_rank(codes) != 1 || sn_rank(values) != 1) {
    sn_fail(c, SN_ERR_SHAPE, "codes has %d ragged levels, expected rows of code points",
            sn_ragged_rank(codes));
    return sn_error_tensor(c);
  }
  sn_tensor *const in[] = {values, sn_ragged_row_splits(codes, 0)};
  snt_call call = call_of("unicode_encode", fill_encoded, SN_STRING, encoding, encoding, options);
  call.shape = snt_shape_of(sn_ragged_row_lengths(codes, 0));
  return sn_escape(snt_run(c, &call, in, 2));
}

// ---- transcode
static sn_status fill_transcoded(const sn_host_args *args) {
  snt_buffer b = {NULL, 0, 0, false};
  sn_status status = SN_OK;
  for (int64_t i = 0, n = snt_size(args->in); i < n && status == SN_OK; i++) {
    reader r = read_from(args, i);
    for (int32_t code; next(&r, &code);) {
      char *to = snt_buffer_room(&b, 4);
      if (to) b.length += snt_encode((sn_encoding)snt_number(args, OUT), code, to);
    }
    status = r.failed ? refuse(args, &r, i) : snt_buffer_flush(&b, args, i);
  }
  snt_buffer_end(&b);
  return status;
}

sn_tensor *(sn_unicode_transcode_opts)(sn_tensor *t, sn_encoding from, sn_encoding to,
                                       const sn_unicode_options *options) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_unicode_transcode");
  if (!snt_strings_ok(c, t, "t") || !snt_in_range(c, (int)from, SN_UTF32_BE, "from") ||
      !snt_in_range(c, (int)to, SN_UTF32_BE, "to") || !options_ok(c, options))
    return sn_error_tensor(c);
  snt_call call = call_of("unicode_transcode", fill_transcoded, SN_STRING, from, to, options);
  call.shape = snt_shape_of(t);
  return snt_run(c, &call, &t, 1);
}

// ---- scripts
static sn_status fill_scripts(const sn_host_args *args) {
  const int32_t *codes = (const int32_t *)args->in[0].data;
  int32_t *out = (int32_t *)args->out[0].data;
  for (int64_t i = 0, n = snt_size(args->in); i < n; i++) out[i] = snt_script(codes[i]);
  return SN_OK;
}

sn_tensor *(sn_unicode_script)(sn_tensor *codes) {
  sn_context *c = sn_context_of(codes);
  SN_FRAME(c, "sn_unicode_script");
  if (!snt_integers_ok(c, codes, "codes")) return sn_error_tensor(c);
  if (sn_dtype_of(codes) != SN_I32) {
    sn_fail(c, SN_ERR_DTYPE, "codes: %s, expected i32", sn_dtype_name(sn_dtype_of(codes)));
    return sn_error_tensor(c);
  }
  return SNT_RUN(c, &codes, 1, .name = "unicode_script", .callback = fill_scripts, .dtype = SN_I32,
                 .shape = snt_shape_of(codes));
}

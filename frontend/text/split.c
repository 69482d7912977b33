// Strings apart: split and bytes_split. Pieces are counted first, then made: without copies, over the bytes of the strings that
// they are of.
#include "frontend/text/calls.h"

// ---- pieces, one after the other
typedef struct pieces {
  sn_text rest, separator;  // rest.data NULL: there is none left
  int64_t most;             // splits that are left; -1: all
} pieces;

static void skip_blanks(sn_text *text) {
  while (text->length && snt_is_space(*text->data)) text->data++, text->length--;
}

static pieces begin(sn_text text, sn_text separator, int64_t most) {
  pieces p = {text, separator, most > 0 ? most : -1};
  if (separator.length) return p;
  skip_blanks(&p.rest);
  if (!p.rest.length) p.rest.data = NULL;
  return p;
}

// Where byte stands in the n bytes from at on. Pieces are short as a rule: a call for each costs more than it finds.
static const char *find_byte(const char *at, size_t n, char byte) {
  enum { near = 16 };
  for (size_t k = 0; k < n; k++) {
    if (at[k] == byte) return at + k;
    if (k == near) return memchr(at + k, byte, n - k);
  }
  return NULL;
}

// Where the separator stands next; NULL: nowhere.
static const char *find(const pieces *p) {
  const size_t length = p->separator.length;
  const char *at = p->rest.data, *end = at + p->rest.length;
  if (length == 1) return find_byte(at, p->rest.length, *p->separator.data);
  if (!length) {
    while (at < end && !snt_is_space(*at)) at++;
    return at < end ? at : NULL;
  }
  for (; (size_t)(end - at) >= length; at++) {
    at = find_byte(at, (size_t)(end - at) - length + 1, *p->separator.data);
    if (!at || !memcmp(at, p->separator.data, length)) return at;
  }
  return NULL;
}

static bool next(pieces *p, sn_text *piece) {
  if (!p->rest.data) return false;
  *piece = p->rest;
  const char *at = p->most ? find(p) : NULL;
  if (!at) {
    p->rest.data = NULL;
    return true;
  }
  piece->length = (size_t)(at - p->rest.data);
  const size_t behind = piece->length + p->separator.length;
  p->rest = snt_text(p->rest.data + behind, p->rest.length - behind);
  if (p->most > 0) p->most--;
  if (!p->separator.length) {
    skip_blanks(&p->rest);
    if (!p->rest.length) p->rest.data = NULL;
  }
  return true;
}

static int64_t times_of(sn_text text, char byte) {
  int64_t n = 0;
  for (size_t k = 0; k < text.length; k++) n += text.data[k] == byte;
  return n;
}

static sn_status count_pieces(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  int64_t *out = (int64_t *)args->out[0].data;
  const sn_text separator = snt_scalar(&args->in[1]);
  if (separator.length == 1 && snt_number(args, 0) <= 0) {
    for (int64_t i = 0; i < texts.size; i++)
      out[i] = 1 + times_of(snt_stream_next(&texts), *separator.data);
    return SN_OK;
  }
  for (int64_t i = 0, n = texts.size; i < n; i++) {
    pieces p = begin(snt_stream_next(&texts), separator, snt_number(args, 0));
    sn_text piece;
    for (out[i] = 0; next(&p, &piece);) out[i]++;
  }
  return SN_OK;
}

static sn_status fill_pieces(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  const sn_text separator = snt_scalar(&args->in[1]);
  sn_text made[SNT_BLOCK];
  int64_t at = 0, n = 0;  // pieces that are given, made
  for (int64_t i = 0; i < texts.size; i++) {
    pieces p = begin(snt_stream_next(&texts), separator, snt_number(args, 0));
    while (next(&p, &made[n])) {
      if (++n < SNT_BLOCK) continue;
      const sn_status status = sn_host_share_strings(args, 0, at, n, made);
      if (status) return status;
      at += n;
      n = 0;
    }
  }
  return sn_host_share_strings(args, 0, at, n, made);
}

sn_ragged *(sn_string_split_opts)(sn_tensor *t, const sn_string_split_options *options) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_split");
  SN_SCOPE(c);
  if (!options) sn_fail(c, SN_ERR_ARGUMENT, "options is NULL");
  if (!options || !snt_strings_ok(c, t, "t")) return snt_no_ragged(c);
  sn_tensor *const in[] = {t, sn_scalar_string(c, options->separator ? options->separator : "")};
  sn_tensor *lengths =
      SNT_RUN(c, in, 2, .name = "string_split_lengths", .callback = count_pieces, .dtype = SN_I64,
              .shape = snt_shape_of(t), .numbers = {options->most});
  const int64_t total = snt_total(lengths);
  sn_tensor *values =
      SNT_RUN(c, in, 2, .name = "string_split", .callback = fill_pieces, .dtype = SN_STRING,
              .shape = SN_SHAPE(total), .numbers = {options->most});
  return sn_escape(snt_rows(c, t, lengths, values));
}

// ---- bytes
static sn_status fill_bytes(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  int64_t at = 0;
  for (int64_t i = 0, n = texts.size; i < n; i++) {
    const sn_text text = snt_stream_next(&texts);
    for (size_t k = 0; k < text.length; k++) {
      const sn_status status = sn_host_share_string(args, 0, at++, snt_text(text.data + k, 1));
      if (status != SN_OK) return status;
    }
  }
  return SN_OK;
}

sn_ragged *(sn_string_bytes_split)(sn_tensor *t) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_bytes_split");
  SN_SCOPE(c);
  if (!snt_strings_ok(c, t, "t")) return snt_no_ragged(c);
  sn_tensor *lengths = sn_cast((sn_string_length)(t, SN_TEXT_BYTES), SN_I64);
  const int64_t total = snt_total(lengths);
  sn_tensor *values = SNT_RUN(c, &t, 1, .name = "string_bytes_split", .callback = fill_bytes,
                              .dtype = SN_STRING, .shape = SN_SHAPE(total));
  return sn_escape(snt_rows(c, t, lengths, values));
}

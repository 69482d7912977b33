// Pieces of strings: substr and strip, and what strings contain.
#include "frontend/text/calls.h"

// ---- substr
static int64_t integer_at(const sn_view *view, int64_t i) {
  return view->dtype == SN_I64 ? ((const int64_t *)view->data)[i]
                               : ((const int32_t *)view->data)[i];
}

// The byte at which character i begins, i >= 0 from byte `at` on; text.length: at its end; -1: there are fewer. A character is a byte that begins one
// and those that follow; what comes before the first one is one too.
static int64_t character_at(sn_text text, int64_t at, int64_t i) {
  const int64_t length = (int64_t)text.length;
  for (; i > 0 && at < length; i--)
    for (at++; at < length && !snt_begins(text.data[at]);) at++;
  return i > 0 ? -1 : at;
}

// The same i characters before the end.
static int64_t character_from_end(sn_text text, int64_t i) {
  int64_t at = (int64_t)text.length;
  for (; i > 0 && at > 0; i--)
    for (at--; at > 0 && !snt_begins(text.data[at]);) at--;
  return i > 0 ? -1 : at;
}

static sn_text piece_of_bytes(sn_text text, int64_t from, int64_t length) {
  const int64_t all = (int64_t)text.length;
  const int64_t at = from < 0 ? from + all : from;
  if (at < 0 || at > all) return snt_text(NULL, 0);
  const int64_t rest = all - at;
  return snt_text(text.data + at, (size_t)(length < 0 || length > rest ? rest : length));
}

static sn_text piece_of_characters(sn_text text, int64_t from, int64_t length) {
  const int64_t at = from < 0 && from > INT64_MIN ? character_from_end(text, -from)
                     : from < 0                   ? -1
                                                  : character_at(text, 0, from);
  if (at < 0) return snt_text(NULL, 0);
  const int64_t end = length < 0 ? -1 : character_at(text, at, length);
  return snt_text(text.data + at, (size_t)((end < 0 ? (int64_t)text.length : end) - at));
}

static sn_status fill_substr(const sn_host_args *args) {
  const bool bytes = snt_number(args, 0) == SN_TEXT_BYTES;
  snt_places p;
  snt_places_begin(&p, args);
  for (int64_t i = 0; i < p.size; i++, snt_places_next(&p)) {
    const sn_text text = sn_view_string(&args->in[0], p.at[0]);
    const int64_t from = integer_at(&args->in[1], p.at[1]);
    const int64_t length = integer_at(&args->in[2], p.at[2]);
    const sn_text piece =
        bytes ? piece_of_bytes(text, from, length) : piece_of_characters(text, from, length);
    if (!piece.data)
      return snt_refuse_element(args, SN_ERR_INDEX, &args->in[0], p.at[0], "has no position %lld",
                                (long long)from);
    const sn_status status = sn_host_share_string(args, 0, i, piece);
    if (status != SN_OK) return status;
  }
  return SN_OK;
}

sn_tensor *(sn_substr)(sn_tensor *t, sn_tensor *from, sn_tensor *length, sn_text_unit unit) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_substr");
  sn_tensor *const in[] = {t, from, length};
  if (!snt_strings_ok(c, t, "t") || !snt_integers_ok(c, from, "from") ||
      !snt_integers_ok(c, length, "length") || !snt_in_range(c, (int)unit, SN_TEXT_UTF8, "unit"))
    return sn_error_tensor(c);
  return SNT_RUN(c, in, 3, .name = "substr", .callback = fill_substr, .dtype = SN_STRING,
                 .shape = snt_broadcast(c, in, 3), .numbers = {unit});
}

// ---- strip
static sn_text strip(sn_text text) {
  while (text.length && snt_is_space(text.data[text.length - 1])) text.length--;
  while (text.length && snt_is_space(*text.data)) text.data++, text.length--;
  return text;
}

static sn_status fill_strip(const sn_host_args *args) {
  snt_stream texts;
  snt_stream_begin(&texts, args->in);
  for (int64_t i = 0, n = texts.size; i < n; i++) {
    const sn_status status = sn_host_share_string(args, 0, i, strip(snt_stream_next(&texts)));
    if (status != SN_OK) return status;
  }
  return SN_OK;
}

sn_tensor *(sn_string_strip)(sn_tensor *t) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_strip");
  if (!snt_strings_ok(c, t, "t")) return sn_error_tensor(c);
  return SNT_RUN(c, &t, 1, .name = "string_strip", .callback = fill_strip, .dtype = SN_STRING,
                 .shape = snt_shape_of(t));
}

// ---- contains
enum { SOMEWHERE, AT_BEGIN, AT_END };

static bool has(sn_text text, sn_text part, int64_t where) {
  if (part.length > text.length) return false;
  if (!part.length) return true;
  const size_t rest = text.length - part.length;
  if (where == AT_BEGIN) return !memcmp(text.data, part.data, part.length);
  if (where == AT_END) return !memcmp(text.data + rest, part.data, part.length);
  for (const char *at = text.data, *last = at + rest; at <= last; at++) {
    at = memchr(at, *part.data, (size_t)(last - at) + 1);
    if (!at) return false;
    if (!memcmp(at, part.data, part.length)) return true;
  }
  return false;
}

static sn_status fill_has(const sn_host_args *args) {
  bool *out = (bool *)args->out[0].data;
  const int64_t where = snt_number(args, 0);
  snt_places p;
  snt_places_begin(&p, args);
  for (int64_t i = 0; i < p.size; i++, snt_places_next(&p))
    out[i] =
        has(sn_view_string(&args->in[0], p.at[0]), sn_view_string(&args->in[1], p.at[1]), where);
  return SN_OK;
}

static sn_tensor *whether(sn_context *c, sn_tensor *t, sn_tensor *part, int where) {
  static const char *const names[] = {"string_contains", "string_starts_with", "string_ends_with"};
  sn_tensor *const in[] = {t, part};
  if (!snt_strings_ok(c, t, "t") || !snt_strings_ok(c, part, "part")) return sn_error_tensor(c);
  return SNT_RUN(c, in, 2, .name = names[where], .callback = fill_has, .dtype = SN_BOOL,
                 .shape = snt_broadcast(c, in, 2), .numbers = {where});
}

sn_tensor *(sn_string_contains)(sn_tensor *t, sn_tensor *part) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_contains");
  return whether(c, t, part, SOMEWHERE);
}

sn_tensor *(sn_string_starts_with)(sn_tensor *t, sn_tensor *part) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_starts_with");
  return whether(c, t, part, AT_BEGIN);
}

sn_tensor *(sn_string_ends_with)(sn_tensor *t, sn_tensor *part) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_string_ends_with");
  return whether(c, t, part, AT_END);
}

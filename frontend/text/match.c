// Functions of regular expressions. The pattern is an operand, so that a graph has all that it needs; what it compiles to lives as long as a
// call.
#include "frontend/text/calls.h"
#include "frontend/text/regex.h"

#include <stdio.h>
#include <stdlib.h>

enum {
  MOST_SHOWN = 60,
  LOOK_EVERY = 1024
};  // bytes of a pattern in messages; strings between two looks

// A call at work.
typedef struct work {
  const sn_host_args *args;
  snt_regex *regex;
  snt_matcher *matcher;
  sn_text rewrite;  // operand 2, where there is one
  snt_bytes bytes;
  snt_stream texts;
  int64_t made;  // strings of output 0, where there are rows of them
} work;

static void format_error(sn_text pattern, const char *what, const snt_regex_error *error, char *to,
                         size_t size) {
  const int shown = pattern.length < MOST_SHOWN ? (int)pattern.length : MOST_SHOWN;
  (void)snprintf(to, size, "%s \"%.*s\"%s, byte %zu: %s", what, shown, pattern.data,
                 (size_t)shown < pattern.length ? ".." : "", error->at, error->text);
}

static sn_status compile(sn_text pattern, const sn_text *rewrite, snt_regex **out, char *message,
                         size_t size) {
  snt_regex_error error;
  sn_status status = snt_regex_compile(pattern, out, &error);
  if (status == SN_ERR_SYNTAX) format_error(pattern, "pattern", &error, message, size);
  if (status || !rewrite) return status;
  status = snt_rewrite_check(*out, *rewrite, &error);
  if (status) {
    format_error(*rewrite, "rewrite", &error, message, size);
    snt_regex_destroy(*out);
  }
  return status;
}

// ---- callbacks
static void end(work *w) {
  snt_matcher_destroy(w->matcher);
  snt_regex_destroy(w->regex);
  free(w->bytes.data);
}

static sn_status begin(work *w, const sn_host_args *args) {
  *w = (work){.args = args};
  if (args->n_in > 2) w->rewrite = snt_scalar(&args->in[2]);
  sn_status status = compile(snt_scalar(&args->in[1]), args->n_in > 2 ? &w->rewrite : NULL,
                             &w->regex, args->message, args->message_size);
  if (status) return status;
  status = snt_matcher_create(w->regex, SNT_AUTOMATIC, &w->matcher);
  if (status) end(w);
  snt_stream_begin(&w->texts, args->in);
  return status;
}

// Each string in turn: one(w, i, text).
static sn_status each(const sn_host_args *args,
                      sn_status (*one)(work *w, int64_t i, sn_text text)) {
  work w;
  sn_status status = begin(&w, args);
  if (status) return status;
  for (int64_t i = 0, n = w.texts.size; i < n && !status; i++) {
    if (i % LOOK_EVERY == LOOK_EVERY - 1) status = sn_host_interrupted(args);
    if (!status) status = one(&w, i, snt_stream_next(&w.texts));
  }
  end(&w);
  return status;
}

static sn_status match_one(work *w, int64_t i, sn_text text) {
  return snt_match_whole(w->matcher, text, (bool *)w->args->out[0].data + i);
}
static sn_status fill_match(const sn_host_args *args) {
  return each(args, match_one);
}

static sn_status search_one(work *w, int64_t i, sn_text text) {
  return snt_search(w->matcher, text, 0, NULL, 0, (bool *)w->args->out[0].data + i);
}
static sn_status fill_search(const sn_host_args *args) {
  return each(args, search_one);
}

static sn_status replace_one(work *w, int64_t i, sn_text text) {
  int64_t count = 0;
  w->bytes.length = 0;
  const sn_status status =
      snt_replace(w->matcher, text, w->rewrite, !snt_number(w->args, 0), &w->bytes, &count);
  if (status) return status;
  if (!count) return sn_host_share_string(w->args, 0, i, text);
  return sn_host_set_string(w->args, 0, i, snt_text(w->bytes.data, w->bytes.length));
}
static sn_status fill_replaced(const sn_host_args *args) {
  return each(args, replace_one);
}

static sn_status extract_one(work *w, int64_t i, sn_text text) {
  bool found = false;
  w->bytes.length = 0;
  const sn_status status = snt_extract(w->matcher, text, w->rewrite, &w->bytes, &found);
  if (status || !found) return status;
  return sn_host_set_string(w->args, 0, i, snt_text(w->bytes.data, w->bytes.length));
}
static sn_status fill_extracted(const sn_host_args *args) {
  return each(args, extract_one);
}

// ---- all matches
static sn_status count_one(work *w, int64_t i, sn_text text) {
  int64_t *count = (int64_t *)w->args->out[0].data + i;
  snt_matches m;
  snt_matches_begin(&m, text, snt_text("", 0));
  sn_status status = SN_OK;
  *count = 0;
  for (bool found = true; found && !status; *count += found)
    status = snt_matches_next(&m, w->matcher, &found);
  return status;
}
static sn_status count_matches(const sn_host_args *args) {
  return each(args, count_one);
}

static sn_status extract_all_of(work *w, int64_t i, sn_text text) {
  snt_matches m;
  snt_matches_begin(&m, text, w->rewrite);
  (void)i;
  for (;;) {
    bool found;
    sn_status status = snt_matches_next(&m, w->matcher, &found);
    if (status || !found) return status;
    w->bytes.length = 0;
    status = snt_append_rewrite(&w->bytes, w->rewrite, text, m.spans);
    if (!status)
      status = sn_host_set_string(w->args, 0, w->made++, snt_text(w->bytes.data, w->bytes.length));
    if (status) return status;
  }
}
static sn_status fill_all(const sn_host_args *args) {
  return each(args, extract_all_of);
}

// ---- what is between
// The next match that is not empty, from m->at on.
static sn_status next_separator(snt_matches *m, snt_matcher *matcher, bool *found) {
  sn_status status;
  do status = snt_matches_next(m, matcher, found);
  while (!status && *found && m->spans[0].begin == m->spans[0].end);
  return status;
}

static sn_status count_between(work *w, int64_t i, sn_text text) {
  int64_t *count = (int64_t *)w->args->out[0].data + i;
  snt_matches m;
  snt_matches_begin(&m, text, snt_text("", 0));
  sn_status status = SN_OK;
  *count = 1;
  for (bool found = true; found && !status; *count += found)
    status = next_separator(&m, w->matcher, &found);
  return status;
}
static sn_status count_pieces(const sn_host_args *args) {
  return each(args, count_between);
}

static sn_status between(work *w, int64_t i, sn_text text) {
  snt_matches m;
  snt_matches_begin(&m, text, snt_text("", 0));
  (void)i;
  size_t from = 0;
  for (bool found = true; found;) {
    sn_status status = next_separator(&m, w->matcher, &found);
    const size_t to = found ? m.spans[0].begin : text.length;
    if (!status)
      status = sn_host_share_string(w->args, 0, w->made++, snt_text(text.data + from, to - from));
    if (status) return status;
    if (found) from = m.spans[0].end;
  }
  return SN_OK;
}
static sn_status fill_pieces(const sn_host_args *args) {
  return each(args, between);
}

// ---- calls
// The operands of a call: t, pattern and rewrite (NULL: none), checked in a trace, where no callback would do so; how many, 0: refused.
static int operands(sn_context *c, sn_tensor *t, const char *pattern, const char *rewrite,
                    bool rewrites, sn_tensor **in) {
  if (!pattern || (rewrites && !rewrite))
    sn_fail(c, SN_ERR_ARGUMENT, "%s is NULL", pattern ? "rewrite" : "pattern");
  if (!snt_strings_ok(c, t, "t") || !pattern || (rewrites && !rewrite)) return 0;
  if (sn_is_tracing(c)) {
    char message[256] = "";
    snt_regex *regex = NULL;
    const sn_text text = snt_text(rewrite, rewrite ? strlen(rewrite) : 0);
    const sn_status status = compile(snt_text(pattern, strlen(pattern)), rewrite ? &text : NULL,
                                     &regex, message, sizeof(message));
    if (status) sn_fail(c, status, "%s", message);
    if (status) return 0;
    snt_regex_destroy(regex);
  }
  in[0] = t;
  in[1] = sn_scalar_string(c, pattern);
  if (rewrite) in[2] = sn_scalar_string(c, rewrite);
  return rewrite ? 3 : 2;
}

static sn_tensor *run(sn_tensor *t, const char *pattern, const char *rewrite, bool rewrites,
                      const snt_call *call) {
  sn_context *c = sn_context_of(t);
  sn_tensor *in[3];
  SN_SCOPE(c);
  const int n = operands(c, t, pattern, rewrite, rewrites, in);
  if (!n) return sn_error_tensor(c);
  snt_call given = *call;
  given.shape = snt_shape_of(t);
  return sn_escape(snt_run(c, &given, in, n));
}

sn_tensor *(sn_regex_full_match)(sn_tensor *t, const char *pattern) {
  SN_FRAME(sn_context_of(t), "sn_regex_full_match");
  const snt_call call = {.name = "regex_full_match", .callback = fill_match, .dtype = SN_BOOL};
  return run(t, pattern, NULL, false, &call);
}

sn_tensor *(sn_regex_search)(sn_tensor *t, const char *pattern) {
  SN_FRAME(sn_context_of(t), "sn_regex_search");
  const snt_call call = {.name = "regex_search", .callback = fill_search, .dtype = SN_BOOL};
  return run(t, pattern, NULL, false, &call);
}

sn_tensor *(sn_regex_replace_opts)(sn_tensor *t, const char *pattern, const char *rewrite,
                                   const sn_regex_replace_options *options) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_regex_replace");
  if (!options) {
    sn_fail(c, SN_ERR_ARGUMENT, "options is NULL");
    return sn_error_tensor(c);
  }
  const snt_call call = {.name = "regex_replace",
                         .callback = fill_replaced,
                         .dtype = SN_STRING,
                         .numbers = {options->only_first}};
  return run(t, pattern, rewrite, true, &call);
}

sn_tensor *(sn_regex_extract)(sn_tensor *t, const char *pattern, const char *rewrite) {
  SN_FRAME(sn_context_of(t), "sn_regex_extract");
  const snt_call call = {.name = "regex_extract", .callback = fill_extracted, .dtype = SN_STRING};
  return run(t, pattern, rewrite, true, &call);
}

static sn_ragged *rows(sn_tensor *t, const char *pattern, const char *rewrite, bool rewrites,
                       const snt_call *lengths_of, const snt_call *values_of) {
  sn_context *c = sn_context_of(t);
  sn_tensor *in[3];
  SN_SCOPE(c);
  const int n = operands(c, t, pattern, rewrite, rewrites, in);
  if (!n) return snt_no_ragged(c);
  snt_call call = *lengths_of;
  call.shape = snt_shape_of(t);
  sn_tensor *lengths = snt_run(c, &call, in, n);
  call = *values_of;
  call.shape = SN_SHAPE(snt_total(lengths));
  return sn_escape(snt_rows(c, t, lengths, snt_run(c, &call, in, n)));
}

sn_ragged *(sn_regex_extract_all)(sn_tensor *t, const char *pattern, const char *rewrite) {
  SN_FRAME(sn_context_of(t), "sn_regex_extract_all");
  const snt_call lengths = {
      .name = "regex_extract_all_lengths", .callback = count_matches, .dtype = SN_I64};
  const snt_call values = {.name = "regex_extract_all", .callback = fill_all, .dtype = SN_STRING};
  return rows(t, pattern, rewrite, true, &lengths, &values);
}

sn_ragged *(sn_regex_split)(sn_tensor *t, const char *pattern) {
  SN_FRAME(sn_context_of(t), "sn_regex_split");
  const snt_call lengths = {
      .name = "regex_split_lengths", .callback = count_pieces, .dtype = SN_I64};
  const snt_call values = {.name = "regex_split", .callback = fill_pieces, .dtype = SN_STRING};
  return rows(t, pattern, NULL, false, &lengths, &values);
}

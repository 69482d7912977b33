// Normal forms of Unicode, by utf8proc.
#include "frontend/text/codes.h"

#ifdef SINTER_HAS_UTF8PROC
#include <stdlib.h>
#include <utf8proc.h>

static utf8proc_option_t options_of(int64_t form) {
  const int compose = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
  const int decompose = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
  const int all[] = {compose, decompose, compose | UTF8PROC_COMPAT, decompose | UTF8PROC_COMPAT,
                     compose | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE};
  return (utf8proc_option_t)all[form];
}

// The text, valid, in b.
static void make_valid(snt_buffer *b, sn_text text) {
  for (size_t at = 0; at < text.length;) {
    const int32_t code = snt_decode(SN_UTF8, text, &at);
    char *to = snt_buffer_room(b, 4);
    if (to) b->length += snt_encode(SN_UTF8, code < 0 ? SNT_REPLACEMENT : code, to);
  }
}

static sn_status normalize(const sn_host_args *args, int64_t i, snt_buffer *b) {
  make_valid(b, sn_view_string(args->in, i));
  if (b->failed) return SN_ERR_MEMORY;
  if (!b->length) return sn_host_set_string(args, 0, i, snt_text("", 0));
  utf8proc_uint8_t *made = NULL;
  const utf8proc_ssize_t n =
      utf8proc_map((const utf8proc_uint8_t *)b->data, (utf8proc_ssize_t)b->length, &made,
                   options_of(snt_number(args, 0)));
  b->length = 0;
  if (n < 0) return SN_ERR_MEMORY;
  const sn_status status = sn_host_set_string(args, 0, i, snt_text((const char *)made, (size_t)n));
  free(made);
  return status;
}

static sn_status fill_normal(const sn_host_args *args) {
  snt_buffer b = {NULL, 0, 0, false};
  sn_status status = SN_OK;
  for (int64_t i = 0, n = snt_size(args->in); i < n && status == SN_OK; i++)
    status = normalize(args, i, &b);
  snt_buffer_end(&b);
  return status;
}
#endif

sn_tensor *(sn_normalize_utf8)(sn_tensor *t, sn_normal_form form) {
  sn_context *c = sn_context_of(t);
  SN_FRAME(c, "sn_normalize_utf8");
  if (!snt_strings_ok(c, t, "t") || !snt_in_range(c, (int)form, SN_NFKC_CASEFOLD, "form"))
    return sn_error_tensor(c);
#ifdef SINTER_HAS_UTF8PROC
  return SNT_RUN(c, &t, 1, .name = "normalize_utf8", .callback = fill_normal, .dtype = SN_STRING,
                 .shape = snt_shape_of(t), .numbers = {form});
#else
  sn_fail(c, SN_ERR_UNSUPPORTED, "built without utf8proc");
  return sn_error_tensor(c);
#endif
}

// Tensors in the middle of a text.
#include "frontend/text/write_number.h"

enum { MOST_TENSORS = 24, SUMMARIZE = 0 };

typedef struct printer {
  snt_buffer *b;
  const sn_view *view;
  int64_t ends;  // elements shown at both ends of a dim; -1: all
} printer;

static void put(printer *p, const char *text) {
  snt_buffer_add(p->b, snt_text(text, strlen(text)));
}

// The letter behind a backslash that stands for a byte; 0: none.
static char letter_of(unsigned char byte) {
  switch (byte) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '"':
    case '\'':
    case '\\':
      return (char)byte;
    default:
      return 0;
  }
}

// A string in quotes; what ASCII does not print as C writes it.
static void put_quoted(printer *p, sn_text text) {
  static const char digits[] = "01234567";
  put(p, "\"");
  for (size_t i = 0; i < text.length; i++) {
    const unsigned char byte = (unsigned char)text.data[i];
    const char named = letter_of(byte);
    const char octal[5] = {'\\', digits[byte >> 6], digits[byte >> 3 & 7], digits[byte & 7], 0};
    if (named) {
      const char escaped[3] = {'\\', named, 0};
      put(p, escaped);
    } else if (byte < 32 || byte == 127) {
      put(p, octal);
    } else {
      snt_buffer_add(p->b, snt_text(text.data + i, 1));
    }
  }
  put(p, "\"");
}

static void put_element(printer *p, int64_t i) {
  const snt_style style = {0, 0, 0, 'r'};
  if (p->view->dtype == SN_STRING)
    put_quoted(p, sn_view_string(p->view, i));
  else if (p->view->dtype == SN_BOOL)
    put(p, ((const bool *)p->view->data)[i] ? "1" : "0");
  else
    snt_write_number(p->b, p->view, i, &style);
}

// Between items of a dim: a blank of the last one; else as many lines as there are dims inside, and blanks up to the column.
static void put_gap(printer *p, int dim) {
  const int rank = p->view->shape.rank;
  if (dim == rank - 1) put(p, " ");
  for (int i = dim; i < rank - 1; i++) put(p, "\n");
  for (int i = 0; i <= dim && dim < rank - 1; i++) put(p, " ");
}

static void put_dim(printer *p, int dim, int64_t first) {
  const sn_shape *shape = &p->view->shape;
  if (dim == shape->rank) {
    put_element(p, first);
    return;
  }
  int64_t step = 1;
  for (int d = dim + 1; d < shape->rank; d++) step *= shape->dims[d];
  const int64_t n = shape->dims[dim];
  const bool is_cut = p->ends >= 0 && n > 2 * p->ends;
  put(p, "[");
  for (int64_t i = 0; i < n; i++) {
    if (i) put_gap(p, dim);
    if (is_cut && i == p->ends) {
      put(p, "...");
      i = n - p->ends - 1;
      continue;
    }
    put_dim(p, dim + 1, first + i * step);
  }
  put(p, "]");
}

// in: the tensors; the text; the placeholder.
static void put_all(const sn_host_args *args, snt_buffer *b) {
  const int n = args->n_in - 2;
  sn_text text = snt_scalar(&args->in[n]);
  const sn_text holder = snt_scalar(&args->in[n + 1]);
  int next = 0;
  for (size_t i = 0; i < text.length;) {
    if (next < n && text.length - i >= holder.length &&
        !memcmp(text.data + i, holder.data, holder.length)) {
      printer p = {b, &args->in[next++], snt_number(args, SUMMARIZE)};
      put_dim(&p, 0, 0);
      i += holder.length;
    } else {
      snt_buffer_add(b, snt_text(text.data + i++, 1));
    }
  }
}

static sn_status fill_format(const sn_host_args *args) {
  snt_buffer b = {NULL, 0, 0, false};
  const locale_t before = snt_c_locale();
  if (!before) return SN_ERR_MEMORY;
  put_all(args, &b);
  snt_restore_locale(before);
  const sn_status status = snt_buffer_flush(&b, args, 0);
  snt_buffer_end(&b);
  return status;
}

static int count_of(const char *text, const char *part) {
  int n = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) n++;
  return n;
}

sn_tensor *(sn_string_format_opts)(sn_context *context, const char *text, sn_tensor *const *xs,
                                   int n, const sn_string_format_options *options) {
  sn_context *c = context;
  SN_FRAME(c, "sn_string_format");
  SN_SCOPE(c);
  const char *holder = options && options->placeholder ? options->placeholder : "{}";
  sn_tensor *in[MOST_TENSORS + 2];
  const bool is_sound = text && options && n >= 0 && n <= MOST_TENSORS && (xs || !n) && *holder;
  if (!is_sound)
    sn_fail(c, SN_ERR_ARGUMENT, "text, xs, options or placeholder is none, or %d tensors", n);
  else if (count_of(text, holder) != n)
    sn_fail(c, SN_ERR_ARGUMENT, "%d placeholders \"%s\" for %d tensors", count_of(text, holder),
            holder, n);
  if (!is_sound || count_of(text, holder) != n) return sn_error_tensor(c);
  for (int i = 0; i < n; i++) in[i] = xs[i];
  in[n] = sn_scalar_string(c, text);
  in[n + 1] = sn_scalar_string(c, holder);
  const int64_t ends = options->summarize ? options->summarize : 3;
  return sn_escape(SNT_RUN(c, in, n + 2, .name = "string_format", .callback = fill_format,
                           .dtype = SN_STRING, .numbers = {ends < 0 ? -1 : ends}));
}

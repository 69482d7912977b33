// sn_associative_scan: pairs of neighbours are combined, those scanned, and the places between them filled in: 2 log n calls of
// the callback on slices, in eager mode and in traces alike.
//
// Invariant: the callback's first operands are of elements that come before those of its second ones.
#include "frontend/control/control.h"
#include "frontend/ops/compose.h"

#include <sinter/sinter.h>

#include <string.h>

#undef sn_escape

typedef struct scanner {
  sn_context *context;
  sn_callback combine;
  void *user;
  sn_tensor *const *xs;
  int n;
  sn_tensor **out;
  bool reverse;
  sni_arena arena;
} scanner;

static const char name[] = "sn_associative_scan";

static sn_status status_of(const scanner *s) {
  return s->context->diag.status;
}

static sn_tensor **room(scanner *s, int n) {
  sn_tensor **list = SNI_ARENA_ARRAY(&s->arena, sn_tensor *, n + 1);
  if (!list)
    sni_error_from(s->context, sni_fail_memory(&s->context->diag, (size_t)n, "a scan"), NULL);
  return list;
}

// Rows start, start + step, .. below stop.
static sn_status take_rows(sn_tensor *const *from, int n, int64_t start, int64_t stop, int64_t step,
                           sn_tensor **to) {
  const sn_range_spec range = {start, stop, step};
  for (int i = 0; i < n; i++) to[i] = (sn_slice)(from[i], &range, 1);
  return SN_OK;
}

static sn_status check_types(const scanner *s, sn_tensor *const *a, sn_tensor *const *given) {
  char x[SNI_TENSOR_NAME], y[SNI_TENSOR_NAME];
  for (int i = 0; i < s->n; i++) {
    if (sni_type_equal(sni_context_dims(s->context), &a[i]->type, &given[i]->type)) continue;
    const bool same = a[i]->type.dtype == given[i]->type.dtype;
    sni_error(s->context, same ? SN_ERR_SHAPE : SN_ERR_DTYPE,
              "%s: output %d of the callback is %s, but its operand %d is %s", name, i,
              sni_describe(given[i], y), i, sni_describe(a[i], x));
  }
  return status_of(s);
}

// to = combine(a, b).
static sn_status combine(scanner *s, sn_tensor *const *a, sn_tensor *const *b, sn_tensor **to) {
  const sni_user_code code = {s->combine, s->user, s->n, "the callback of ", name, "", false};
  sn_tensor **in = room(s, 2 * s->n);
  if (!in || status_of(s)) return status_of(s);
  for (int i = 0; i < s->n; i++) {
    in[i] = a[i];
    in[s->n + i] = b[i];
  }
  SNI_TRY(sni_run_user_code(&code, s->context, in, to));
  for (int i = 0; i < s->n; i++)
    if (to[i]->kind == SNI_TENSOR_VARIABLE) to[i] = (sn_read_variable)(to[i]);
  return status_of(s) ? status_of(s) : check_types(s, a, to);
}

static sn_tensor *shaped(sn_context *c, sn_tensor *t, const sni_dim *dims, int n) {
  sni_type type = {.dtype = t->type.dtype, .rank = n};
  if (sn_failed(t)) return t;
  memcpy(type.dims, dims, (size_t)n * sizeof(*dims));
  return sni_reshape_to(c, t, &type);
}

// even[0], odd[0], even[1], ..: m of each, and one more of even where there is one.
static sn_tensor *interleave(sn_context *c, sn_tensor *even, sn_tensor *odd, int64_t m) {
  sn_tensor *last = NULL, *first = even;
  if (sn_failed(even) || sn_failed(odd)) return &c->error_tensor;
  sni_type type = odd->type;
  const sni_dim inner = sni_dims_product(c, type.dims + 1, type.rank - 1),
                column[3] = {m, 1, inner};
  const bool has_last = !sni_type_equal(sni_context_dims(c), &even->type, &odd->type);
  if (has_last) first = sni_take(c, even, 0, 0, m);
  if (has_last) last = sni_take(c, even, 0, m, 1);
  sn_tensor *pairs =
      (sn_concat)((sn_tensor *const[]){shaped(c, first, column, 3), shaped(c, odd, column, 3)}, 2,
                  1);
  type.dims[0] = 2 * m;
  sn_tensor *both = shaped(c, pairs, type.dims, type.rank);
  return last ? (sn_concat)((sn_tensor *const[]){both, last}, 2, 0) : both;
}

static sn_status scan(scanner *s, sn_tensor *const *xs, int64_t length, sn_tensor **to) {
  const int n = s->n;
  sn_tensor **a = room(s, n), **b = room(s, n), **odd = room(s, n), **even = room(s, n);
  if (!a || !b || !odd || !even) return status_of(s);
  if (length < 2) {
    for (int i = 0; i < n; i++) to[i] = xs[i];
    return SN_OK;
  }
  const int64_t m = length / 2;
  SNI_TRY(take_rows(xs, n, 0, 2 * m, 2, a));
  SNI_TRY(take_rows(xs, n, 1, 2 * m, 2, b));
  SNI_TRY(combine(s, a, b, odd));
  SNI_TRY(scan(s, odd, m, odd));
  if (length > 2) {
    SNI_TRY(take_rows(odd, n, 0, (length - 1) / 2, 1, a));
    SNI_TRY(take_rows(xs, n, 2, length, 2, b));
    SNI_TRY(combine(s, a, b, even));
  }
  for (int i = 0; i < n; i++) {
    sn_tensor *first = sni_take(s->context, xs[i], 0, 0, 1);
    if (length > 2) first = (sn_concat)((sn_tensor *const[]){first, even[i]}, 2, 0);
    to[i] = interleave(s->context, first, odd[i], m);
  }
  return status_of(s);
}

static void turn(sn_tensor *const *from, int n, sn_tensor **to) {
  (void)take_rows(from, n, SN_END, SN_END, -1, to);
}

static sn_status run_scan(scanner *s, int64_t length) {
  sn_tensor **xs = room(s, s->n), **ys = room(s, s->n);
  if (!xs || !ys) return status_of(s);
  for (int i = 0; i < s->n; i++) xs[i] = (sn_identity)(s->xs[i]);
  if (s->reverse) turn(xs, s->n, xs);
  SNI_TRY(scan(s, xs, length, ys));
  if (s->reverse) turn(ys, s->n, ys);
  for (int i = 0; i < s->n; i++) s->out[i] = ys[i];
  return status_of(s);
}

static sn_status run_in_scope(scanner *s, int64_t length) {
  if (s->context->trace) return run_scan(s, length);
  sn_scope scope = sn_scope_begin(s->context);
  const sn_status status = run_scan(s, length);
  for (int i = 0; i < s->n && !status; i++) sn_escape(s->out[i]);
  sn_scope_end(scope);
  return status ? status : status_of(s);
}

// ---- public
static bool fail(const scanner *s, const char *text) {
  sni_error(s->context, SN_ERR_ARGUMENT, "%s: %s", name, text);
  return false;
}

static bool check(const scanner *s, int n_out, int64_t *out_length) {
  char text[SNI_TENSOR_NAME];
  sn_context *c = s->context;
  if (!s->combine) return fail(s, "the callback is NULL");
  if (s->n < 1 || s->n != n_out) return fail(s, "expected as many outputs as xs, and one at least");
  if (!sni_check_control_lists(c, name, s->xs, s->n, s->out, n_out)) return false;
  for (int i = 0; i < s->n; i++) {
    const sni_type *type = &s->xs[i]->type;
    int64_t length = -1;
    if (!type->rank || !sni_dim_is_constant(sni_context_dims(c), type->dims[0], &length) ||
        (i && length != *out_length)) {
      sni_error(c, SN_ERR_SHAPE,
                "%s: xs[%d] is %s, expected rows, known in number, as many of each", name, i,
                sni_describe(s->xs[i], text));
      return false;
    }
    *out_length = length;
  }
  return true;
}

sn_status sn_associative_scan_at(sn_context *context, sn_callback combine_, void *user,
                                 sn_tensor *const *xs, int n, sn_tensor **out, int n_out,
                                 const sn_associative_scan_options *options, const char *file,
                                 int line) {
  sn_associative_scan_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  scanner s = {.context = context,
               .combine = combine_,
               .user = user,
               .xs = xs,
               .n = n,
               .out = out,
               .reverse = o.reverse};
  SNI_ENTER(context, name, context_refused);
  int64_t length = 0;
  sn_status status = status_of(&s);
  if (!status && !check(&s, n_out, &length)) status = status_of(&s);
  sni_arena_init(&s.arena, &context->family->allocator);
  if (!status) status = run_in_scope(&s, length);
  sni_arena_deinit(&s.arena);
  return sni_control_end(context, status, out, n_out, file, line);
}

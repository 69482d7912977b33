// The public loops: what their arguments must be, then a trace or one op after the other.
#include "frontend/control/loops.h"

#include <sinter/control.h>

#include <inttypes.h>
#include <string.h>

sn_status sni_fail_lengths(const sni_loop *r, int x, const sni_type *type, sni_dim length) {
  char text[SNI_TENSOR_NAME], size[64];
  sni_dim_format(sni_context_dims(r->context), length, size, sizeof(size));
  sni_error(r->context, SN_ERR_SHAPE, "%s: xs[%d] is %s, expected %s rows", r->name, x,
            sni_describe_type(r->context, type, text), size);
  return SN_ERR_SHAPE;
}

sn_status sni_fail_rank(const sni_loop *r, int output) {
  sni_error(r->context, SN_ERR_SHAPE,
            "%s: output %d of the body has rank %d, and the iterations need an axis", r->name,
            output, SN_MAX_RANK);
  return SN_ERR_SHAPE;
}

static bool fail(const sni_loop *r, sn_status status, const char *text) {
  sni_error(r->context, status, "%s: %s", r->name, text);
  return false;
}

static bool check(const sni_loop *r) {
  enum { exact = 53 };
  const int64_t most = (int64_t)1 << exact;
  if (!r->body) return fail(r, SN_ERR_ARGUMENT, "the body is NULL");
  if (!sni_check_control_lists(r->context, r->name, r->init, r->n_carries, r->out, r->n_out) ||
      !sni_check_control_lists(r->context, r->name, r->xs, r->n_xs, r->out, r->n_out))
    return false;
  if (r->n_out < r->n_carries) return fail(r, SN_ERR_ARGUMENT, "fewer outputs than carried values");
  if (!r->condition && !r->has_length && !r->n_xs)
    return fail(r, SN_ERR_ARGUMENT, "without xs it needs a .length");
  if (r->length < 0 || r->length > most || r->first_number > most || r->first_number < -most) {
    sni_error(r->context, SN_ERR_ARGUMENT,
              "%s: %" PRId64 " iterations from %" PRId64
              " on, expected 0 to 2^53 of them, from a number within 2^53",
              r->name, r->length, r->first_number);
    return false;
  }
  for (int i = 0; i < r->n_xs; i++) {
    char text[SNI_TENSOR_NAME];
    if (r->xs[i]->type.rank) continue;
    sni_error(r->context, SN_ERR_SHAPE, "%s: xs[%d] is %s, which has no rows", r->name, i,
              sni_describe(r->xs[i], text));
    return false;
  }
  return true;
}

static sn_status run(sni_loop *r, bool complete, const char *file, int line) {
  sn_context *context = r->context;
  SNI_ENTER(context, r->name, context_refused);
  r->location = sni_control_location(context, file, line);
  r->file = file;
  r->line = line;
  bool ok = !context->diag.status;
  if (ok && !complete)
    ok = fail(r, SN_ERR_ARGUMENT,
              "a callback is NULL, or nothing is carried, or "
              "the counts of carried values and outputs differ");
  sn_status status = ok && check(r) ? SN_OK : context->diag.status;
  if (!status)
    status = !context->trace                      ? sni_loop_op_by_op(r)
             : r->in_segments && !r->sizes_change ? sni_scan_in_segments(r)
                                                  : sni_loop_in_trace(r);
  return sni_control_end(context, status, r->out, r->n_out, file, line);
}

sn_status sn_while_loop_at(sn_context *context, sn_callback condition, sn_callback body, void *user,
                           sn_tensor *const *init, int n, sn_tensor **out, int n_out,
                           bool sizes_change, const char *file, int line) {
  sni_loop r = {.context = context,
                .name = "sn_while_loop",
                .condition = condition,
                .body = body,
                .user = user,
                .init = init,
                .n_carries = n,
                .out = out,
                .n_out = n_out,
                .sizes_change = sizes_change};
  return run(&r, condition && n > 0 && n == n_out, file, line);
}

sn_status sn_fori_loop_at(sn_context *context, int64_t first, int64_t end, sn_callback body,
                          void *user, sn_tensor *const *init, int n, sn_tensor **out, int n_out,
                          bool sizes_change, const char *file, int line) {
  sni_loop r = {.context = context,
                .name = "sn_fori_loop",
                .body = body,
                .user = user,
                .init = init,
                .n_carries = n,
                .out = out,
                .n_out = n_out,
                .length = end > first ? (int64_t)((uint64_t)end - (uint64_t)first) : 0,
                .has_length = true,
                .counts = true,
                .first_number = first,
                .sizes_change = sizes_change};
  return run(&r, n > 0 && n == n_out, file, line);
}

sn_status sn_scan_at(sn_context *context, sn_callback body, void *user, sn_tensor *const *init,
                     int n_carries, sn_tensor *const *xs, int n_xs, sn_tensor **out, int n_out,
                     const sn_scan_options *options, const char *file, int line) {
  sn_scan_options o = {0};
  if (options) memcpy(&o, options, options->size < sizeof(o) ? options->size : sizeof(o));
  sni_loop r = {.context = context,
                .name = "sn_scan",
                .body = body,
                .user = user,
                .init = init,
                .xs = xs,
                .n_carries = n_carries,
                .n_xs = n_xs,
                .out = out,
                .n_out = n_out,
                .length = o.length,
                .has_length = o.length != 0,
                .reverse = o.reverse,
                .in_segments = o.checkpoint,
                .sizes_change = o.sizes_change};
  return run(&r, true, file, line);
}

sn_status sn_map_fn_at(sn_context *context, sn_callback body, void *user, sn_tensor *const *xs,
                       int n_xs, sn_tensor **out, int n_out, const char *file, int line) {
  sni_loop r = {.context = context,
                .name = "sn_map_fn",
                .body = body,
                .user = user,
                .xs = xs,
                .n_xs = n_xs,
                .out = out,
                .n_out = n_out};
  return run(&r, true, file, line);
}

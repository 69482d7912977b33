// sn_jacobian, sn_batch_jacobian, sn_hessian and those of a tape: checks, then as sn_gradients does, with nodes that
// sni_jacobian appends (passes/gradient/vjp_jacobian.c).
#include "frontend/gradient/gradients.h"
#include "frontend/gradient/record.h"
#include "frontend/ops/compose.h"

#include <string.h>

// ---- checks
static bool check_float(sn_context *context, const sn_tensor *t, const char *what, int i) {
  char text[SNI_TENSOR_NAME], number[32] = "";
  if (!sni_is_complex(t->type.dtype)) return true;
  if (i >= 0) snprintf(number, sizeof(number), "[%d]", i);
  sni_error(context, SN_ERR_GRADIENT,
            "%s: %s%s is %s: derivatives are those of real numbers: take sn_real and sn_imag of it",
            context->frame.op, what, number, sni_describe(t, text));
  return false;
}

static bool check_rows(sn_context *context, const sn_tensor *y, const sn_tensor *x, int i) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (y->type.rank && x->type.rank && sni_dims_agree(context, y->type.dims[0], x->type.dims[0]))
    return true;
  sni_error(context, SN_ERR_SHAPE,
            "%s: y is %s, but xs[%d] is %s: expected as many rows along axis 0", context->frame.op,
            sni_describe(y, a), i, sni_describe(x, b));
  return false;
}

static bool check_dims(sn_context *context, const sn_tensor *y, const sn_tensor *x, int i,
                       bool of_batch) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  sni_type type;
  // The batch of cotangents or tangents has one axis more than y or x.
  const bool has_room = y->type.rank < SN_MAX_RANK && x->type.rank < SN_MAX_RANK;
  if (sni_jacobian_type(&y->type, &x->type, of_batch, &type) && has_room) return true;
  sni_error(
      context, SN_ERR_SHAPE,
      "%s: y is %s and xs[%d] is %s: the derivatives have more than %d dims, or their batch has",
      context->frame.op, sni_describe(y, a), i, sni_describe(x, b), SN_MAX_RANK);
  return false;
}

static bool check(sn_context *context, const sni_gradient_call *call) {
  const bool of_batch = call->kind == SNI_DERIVATIVE_BATCH_JACOBIAN;
  const sn_tensor *y = call->ys[0];
  sn_tensor *const *xs = call->xs;
  if ((unsigned)call->mode > SN_JACOBIAN_REVERSE) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: .mode is %d, expected one of sn_jacobian_mode",
              context->frame.op, (int)call->mode);
    return false;
  }
  if (!check_float(context, y, "y", -1)) return false;
  for (int i = 0; i < call->n; i++) {
    if (!check_float(context, xs[i], "xs", i)) return false;
    if (of_batch && !check_rows(context, y, xs[i], i)) return false;
    if (!check_dims(context, y, xs[i], i, of_batch)) return false;
  }
  return true;
}

// ---- jacobians
typedef struct request {
  const char *name;
  sni_derivative_kind kind;
  bool has_tape;
  sn_tape *tape;
  const sn_jacobian_options *options;
} request;

static void run(const request *r, sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out) {
  sn_jacobian_options o = {0};
  sni_gradient_call call = {.kind = r->kind, .ys = &y, .n_ys = 1, .xs = xs, .n = n, .out = out};
  SNI_ENTERED entered = NULL;
  if (r->options)
    memcpy(&o, r->options, r->options->size < sizeof(o) ? r->options->size : sizeof(o));
  const sn_gradients_options given = {.size = sizeof(given), .unconnected = o.unconnected};
  sn_context *context = sni_gradients_begin(r->name, &call, &given, &entered);
  if (!context) return;
  call.mode = o.mode;
  const bool ok = check(context, &call);
  if (!ok || n == 0)  // with respect to nothing there is nothing to do
    sni_gradients_end(context, &call, ok);
  else if (r->has_tape)
    sni_derivative_of_tape(context, r->tape, &call);
  else
    sni_derivative_at(context, &call);
}

static void locate(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out, const char *file,
                   int line) {
  const sni_gradient_call call = {.ys = &y, .n_ys = 1, .xs = xs, .n = n, .out = out};
  sni_locate_derivative(&call, file, line);
}

void sn_jacobian_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                    const sn_jacobian_options *options, const char *file, int line) {
  const request r = {.name = "sn_jacobian", .kind = SNI_DERIVATIVE_JACOBIAN, .options = options};
  run(&r, y, xs, n, out);
  locate(y, xs, n, out, file, line);
}

void sn_batch_jacobian_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                          const sn_jacobian_options *options, const char *file, int line) {
  const request r = {
      .name = "sn_batch_jacobian", .kind = SNI_DERIVATIVE_BATCH_JACOBIAN, .options = options};
  run(&r, y, xs, n, out);
  locate(y, xs, n, out, file, line);
}

void sn_tape_jacobian_at(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out,
                         const sn_jacobian_options *options, const char *file, int line) {
  const request r = {"sn_tape_jacobian", SNI_DERIVATIVE_JACOBIAN, true, tape, options};
  run(&r, y, xs, n, out);
  locate(y, xs, n, out, file, line);
}

void sn_tape_batch_jacobian_at(sn_tape *tape, sn_tensor *y, sn_tensor *const *xs, int n,
                               sn_tensor **out, const sn_jacobian_options *options,
                               const char *file, int line) {
  const request r = {"sn_tape_batch_jacobian", SNI_DERIVATIVE_BATCH_JACOBIAN, true, tape, options};
  run(&r, y, xs, n, out);
  locate(y, xs, n, out, file, line);
}

// ---- hessians
static bool check_hessian(sn_context *context, const sn_tensor *y, sn_tensor *const *xs, int n,
                          sn_tensor **out) {
  char text[SNI_TENSOR_NAME];
  if (context->diag.status) return false;
  if (n < 1 || !xs || !out) {
    sni_error(context, SN_ERR_ARGUMENT, "sn_hessian: n is %d, or an array is NULL", n);
    return false;
  }
  if (!sni_operand_ok(context, "sn_hessian", 0, y) || !check_float(context, y, "y", -1))
    return false;
  if (y->type.rank) {
    sni_error(context, SN_ERR_SHAPE, "sn_hessian: y is %s, expected a scalar",
              sni_describe(y, text));
    return false;
  }
  for (int i = 0; i < n; i++)
    if (!sni_operand_ok(context, "sn_hessian", 1 + i, xs[i]) ||
        !check_float(context, xs[i], "xs", i))
      return false;
  for (int i = 0; i < n * n; i++)
    if (!check_dims(context, xs[i / n], xs[i % n], i % n, false)) return false;
  return true;
}

// One row of blocks: the Jacobian of the gradient with respect to one x.
static void hessian_row(sn_context *context, const sn_tensor *x, sn_tensor *gradient,
                        sn_tensor *const *xs, int n, sn_tensor **out) {
  const request r = {
      "sn_hessian", SNI_DERIVATIVE_JACOBIAN, false, NULL,
      &(sn_jacobian_options){sizeof(sn_jacobian_options), SN_JACOBIAN_REVERSE, SN_ZEROS}};
  if (gradient) {
    run(&r, gradient, xs, n, out);
    return;
  }
  for (int k = 0; k < n; k++) {
    sni_type type;
    sni_jacobian_type(&x->type, &xs[k]->type, false, &type);
    out[k] = sni_emit_full(context, &type, 0);
  }
}

static void hessian(sn_context *context, sn_tensor *y, sn_tensor *const *xs, int n,
                    sn_tensor **out) {
  const sn_gradients_options options = {.size = sizeof(options), .unconnected = SN_NONE};
  const size_t bytes = (size_t)n * sizeof(sn_tensor *);
  sn_tensor **g = sni_alloc_zeroed(&context->family->allocator, bytes);
  if (!g) {
    sni_error_from(context, sni_fail_memory(&context->diag, bytes, "gradients"), NULL);
    return;
  }
  (sn_gradients_opts)(y, xs, n, g, &options);
  for (int i = 0; i < n && !context->diag.status; i++)
    hessian_row(context, xs[i], g[i], xs, n, out + (size_t)i * (size_t)n);
  sni_free(&context->family->allocator, g, bytes);
}

void sn_hessian_at(sn_tensor *y, sn_tensor *const *xs, int n, sn_tensor **out, const char *file,
                   int line) {
  sn_tensor *failed;
  {
    SNI_ENTERED context = sni_begin("sn_hessian", &y, 1, &failed);
    if (context && check_hessian(context, y, xs, n, out)) hessian(context, y, xs, n, out);
    for (int i = 0; n > 0 && i < n * n && out && (!context || context->diag.status); i++)
      out[i] = context ? &context->error_tensor : failed;
  }
  locate(y, xs, n, out, file, line);
}

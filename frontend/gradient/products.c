// Products with matrices of derivatives that are never made: sn_jvp, sn_hvp, of gradients of gradients.
//
// The gradient of y with respect to x is linear in its seed u: g = J^T u. So the gradient of <g, v> with respect to u is J v,
// whatever u is, and what u was given as is read by nobody.
#include "frontend/gradient/gradients.h"
#include "frontend/ops/compose.h"

#undef sn_jvp

static bool is_float(sn_context *context, const char *name, const sn_tensor *t) {
  char text[SNI_TENSOR_NAME];
  if (sni_is_float(t->type.dtype)) return true;
  sni_error(context, SN_ERR_GRADIENT, "%s: %s is no float", name, sni_describe(t, text));
  return false;
}

static bool check(sn_context *context, const char *name, const sn_tensor *y, sn_tensor *const *xs,
                  sn_tensor *const *vs, int n) {
  char a[SNI_TENSOR_NAME], b[SNI_TENSOR_NAME];
  if (context->diag.status) return false;
  if (n < 1 || !xs || !vs) {
    sni_error(context, SN_ERR_ARGUMENT, "%s: n is %d, or an array is NULL", name, n);
    return false;
  }
  if (!sni_operand_ok(context, name, 0, y) || !is_float(context, name, y)) return false;
  for (int i = 0; i < n; i++) {
    if (!sni_operand_ok(context, name, 1 + i, xs[i]) ||
        !sni_operand_ok(context, name, 1 + n + i, vs[i]) || !is_float(context, name, xs[i]))
      return false;
    if (sni_type_equal(sni_context_dims(context), &xs[i]->type, &vs[i]->type)) continue;
    sni_error(context, SN_ERR_GRADIENT, "%s: vector %d is %s, but xs[%d] is %s", name, i,
              sni_describe(vs[i], a), i, sni_describe(xs[i], b));
    return false;
  }
  return true;
}

// <a, b>, the sum over all elements of all pairs of which the first one is there; NULL: none is.
static sn_tensor *inner_product(sn_tensor *const *a, sn_tensor *const *b, int n) {
  sn_tensor *sum = NULL;
  for (int i = 0; i < n; i++) {
    if (!a[i]) continue;
    sn_tensor *product = (sn_mul)(a[i], b[i]);
    sn_tensor *term = (sn_sum_opts)(product, NULL);
    sum = sum ? (sn_add)(sum, term) : term;
  }
  return sum;
}

static sn_tensor **room_for(sn_context *context, int n) {
  const size_t bytes = (size_t)n * sizeof(sn_tensor *);
  sn_tensor **room = sni_alloc_zeroed(&context->family->allocator, bytes);
  if (!room) sni_error_from(context, sni_fail_memory(&context->diag, bytes, "gradients"), NULL);
  return room;
}

static void free_room(sn_context *context, sn_tensor **room, int n) {
  if (room) sni_free(&context->family->allocator, room, (size_t)n * sizeof(*room));
}

// ---- forward mode
static sn_tensor *zeros_like(sn_context *context, const sn_tensor *y) {
  return sni_emit_full(context, &y->type, 0);
}

static sn_tensor *jvp(sn_context *context, sn_tensor *y, sn_tensor *const *xs,
                      sn_tensor *const *tangents, int n, sn_tensor **g) {
  // an op's result, so that no constant is kept for it and a tape has seen it
  sn_tensor *seed = sni_unary(context, SNI_OP_IDENTITY, zeros_like(context, y)), *out = NULL;
  const sn_gradients_options first = {.size = sizeof(first), .unconnected = SN_NONE, .seed = seed};
  const sn_gradients_options second = {.size = sizeof(second), .unconnected = SN_ZEROS};
  if (context->diag.status) return &context->error_tensor;
  (sn_gradients_opts)(y, xs, n, g, &first);
  if (context->diag.status) return &context->error_tensor;
  sn_tensor *sum = inner_product(g, tangents, n);
  if (!sum) return seed;
  (sn_gradients_opts)(sum, &seed, 1, &out, &second);
  return context->diag.status ? &context->error_tensor : out;
}

sn_tensor *sn_jvp(sn_tensor *y, sn_tensor *const *xs, sn_tensor *const *tangents, int n) {
  sn_tensor *failed, *out;
  SNI_ENTERED context = sni_begin("sn_jvp", &y, 1, &failed);
  if (!context) return failed;
  if (!check(context, "sn_jvp", y, xs, tangents, n)) return &context->error_tensor;
  sn_tensor **g = room_for(context, n);
  out = g ? jvp(context, y, xs, tangents, n, g) : &context->error_tensor;
  free_room(context, g, n);
  return out;
}

// ---- second derivatives
static void hvp(sn_context *context, sn_tensor *y, sn_tensor *const *xs, sn_tensor *const *vs,
                int n, sn_tensor **g, sn_tensor **out) {
  const sn_gradients_options first = {.size = sizeof(first), .unconnected = SN_NONE};
  const sn_gradients_options second = {.size = sizeof(second), .unconnected = SN_ZEROS};
  (sn_gradients_opts)(y, xs, n, g, &first);
  if (context->diag.status) return;
  sn_tensor *sum = inner_product(g, vs, n);
  if (sum) (sn_gradients_opts)(sum, xs, n, out, &second);
  for (int i = 0; i < n && !sum; i++) out[i] = zeros_like(context, xs[i]);
}

void sn_hvp_at(sn_tensor *y, sn_tensor *const *xs, sn_tensor *const *vs, int n, sn_tensor **out,
               const char *file, int line) {
  sn_tensor *failed;
  {
    SNI_ENTERED context = sni_begin("sn_hvp", &y, 1, &failed);
    if (context && !out) sni_error(context, SN_ERR_ARGUMENT, "sn_hvp: out is NULL");
    if (context && out && check(context, "sn_hvp", y, xs, vs, n)) {
      sn_tensor **g = room_for(context, n);
      if (g) hvp(context, y, xs, vs, n, g, out);
      free_room(context, g, n);
    }
    for (int i = 0; i < n && out && (!context || context->diag.status); i++)
      out[i] = context ? &context->error_tensor : failed;
  }
  const sni_gradient_call call = {.ys = &y, .n_ys = 1, .xs = xs, .n = n, .out = out};
  sni_locate_derivative(&call, file, line);
}

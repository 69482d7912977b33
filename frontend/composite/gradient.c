// Gradients with respect to the tensors of a struct: a struct like it.
#include "frontend/composite/composite.h"
#include "frontend/gradient/record.h"

typedef struct struct_gradient {
  sn_tape *tape;
  sn_tensor *y;
  const void *xs;
  void *out;
  const sn_gradients_options *options;
} struct_gradient;

// The floats of xs, and where their gradients go.
static int collect(const sni_leaves *leaves, const void *xs, sn_tensor **tensors) {
  int n = 0;
  for (int i = 0; i < leaves->n; i++) {
    sn_tensor *t = sni_leaf_tensor(leaves, i, xs);
    if (t && sni_is_inexact(t->type.dtype)) tensors[n++] = t;
  }
  return n;
}

static void spread(const sni_leaves *leaves, const struct_gradient *g, sn_tensor *const *given) {
  for (int i = 0; i < leaves->n; i++) {
    sn_tensor *t = sni_leaf_tensor(leaves, i, g->xs);
    if (leaves->items[i].kind != SN_FIELD_TENSOR) continue;
    *sni_tensor_in(leaves, i, g->out) = t && sni_is_inexact(t->type.dtype) ? *given++ : NULL;
  }
}

// False: an error is pending.
static bool differentiate(sn_context *context, const sni_leaves *leaves, const struct_gradient *g) {
  sni_allocator *allocator = &context->family->allocator;
  const size_t bytes = 2 * (size_t)(leaves->n_tensors + 1) * sizeof(sn_tensor *);
  if (!sni_check_struct(context, leaves, g->xs)) return false;
  sn_tensor **xs = sni_alloc(allocator, bytes);
  if (!xs) {
    sni_error_from(context, sni_fail_memory(&context->diag, bytes, "gradients"), NULL);
    return false;
  }
  sn_tensor **given = xs + leaves->n_tensors + 1;
  const int n = collect(leaves, g->xs, xs);
  if (g->tape)
    sn_tape_gradient_opts(g->tape, g->y, xs, n, given, g->options);
  else
    sn_gradients_opts(g->y, xs, n, given, g->options);
  if (!context->diag.status) {
    sni_copy_struct(leaves, g->xs, g->out);
    spread(leaves, g, given);
  }
  sni_free(allocator, xs, bytes);
  return !context->diag.status;
}

static void gradient(const char *name, const sn_composite *type, const struct_gradient *g,
                     const char *file, int line) {
  sn_context *context = sni_operands_context(&g->y, 1);
  if (!context && g->tape) context = g->tape->context;
  if (!context) return;
  SNI_ENTER(context, name, );
  sni_leaves leaves = {0};
  const bool is_first = !context->diag.status;
  sn_status status = SN_OK;
  if (!g->xs || !g->out || !type)
    sni_error(context, SN_ERR_ARGUMENT, "%s: the type, xs or out is NULL", name);
  else if ((status = sni_leaves_init(&leaves, type, &context->family->allocator, &context->diag)))
    sni_error_from(context, status, NULL);
  else if (is_first)
    (void)differentiate(context, &leaves, g);
  sni_leaves_deinit(&leaves, &context->family->allocator);
  if (!context->diag.status) return;
  sni_fail_struct(context, type, g->out);
  if (is_first) sni_locate_error(context, file, line);
}

void sn_gradients_struct_at(sn_tensor *y, const sn_composite *type, const void *xs, void *out,
                            const sn_gradients_options *options, const char *file, int line) {
  gradient("sn_gradients_struct", type, &(struct_gradient){NULL, y, xs, out, options}, file, line);
}

void sn_tape_gradient_struct_at(sn_tape *tape, sn_tensor *y, const sn_composite *type,
                                const void *xs, void *out, const sn_gradients_options *options,
                                const char *file, int line) {
  sn_context *context = sni_operands_context(&y, 1);
  if (!tape && context) {
    SNI_ENTER(context, "sn_tape_gradient_struct", );
    sni_error(context, SN_ERR_ARGUMENT, "sn_tape_gradient_struct: tape is NULL");
    sni_fail_struct(context, type, out);
    sni_locate_error(context, file, line);
  } else if (tape) {
    gradient("sn_tape_gradient_struct", type, &(struct_gradient){tape, y, xs, out, options}, file,
             line);
  }
}

void sn_tape_watch_struct_at(sn_tape *tape, const sn_composite *type, const void *of,
                             const char *file, int line) {
  sni_leaves leaves;
  if (!tape || !tape->context) return;
  sn_context *context = tape->context;
  SNI_ENTER(context, "sn_tape_watch_struct", );
  sn_status status =
      type && of ? sni_leaves_init(&leaves, type, &context->family->allocator, &context->diag)
                 : sni_fail(&context->diag, SN_ERR_ARGUMENT,
                            "sn_tape_watch_struct: the type or the struct is NULL");
  if (status) {
    sni_error_from(context, status, NULL);
    sni_locate_error(context, file, line);
    return;
  }
  for (int i = 0; i < leaves.n; i++) {
    sn_tensor *t = sni_leaf_tensor(&leaves, i, of);
    if (t) sn_tape_watch_at(tape, t, file, line);
  }
  sni_leaves_deinit(&leaves, &context->family->allocator);
}

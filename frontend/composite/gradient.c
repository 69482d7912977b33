// Gradients with respect to the tensors of a struct: a struct like it.
#include "frontend/composite/composite.h"
#include "frontend/gradient/gradients.h"
#include "frontend/gradient/record.h"

#include <stdio.h>

typedef struct struct_gradient {
  const char *name;
  sn_tape *tape;  // NULL: as sn_gradients
  sn_tensor *y;
  const void *xs;
  void *out;
  const sn_gradients_options *options;
} struct_gradient;

static bool is_moved(const sni_leaves *leaves, int leaf, const void *xs) {
  const sn_tensor *t = sni_leaf_tensor(leaves, leaf, xs);
  return t && sni_is_inexact(t->type.dtype);
}

// The floats of xs, and where their gradients go.
static int collect(const sni_leaves *leaves, const void *xs, sn_tensor **tensors) {
  int n = 0;
  for (int i = 0; i < leaves->n; i++)
    if (is_moved(leaves, i, xs)) tensors[n++] = sni_leaf_tensor(leaves, i, xs);
  return n;
}

typedef struct named_fields {
  const sni_leaves *leaves;
  const void *xs;
} named_fields;

static const char *name_field(const void *owner, int x, char *buffer) {
  const named_fields *f = owner;
  char path[SNI_LEAF_PATH];
  int leaf = 0;
  while (!is_moved(f->leaves, leaf, f->xs) || x-- > 0) leaf++;
  snprintf(buffer, SNI_X_NAME, "field \"%s\"", sni_leaf_path(f->leaves, leaf, path));
  return buffer;
}

// What is no float has no gradient; of a handle it is what makes it one.
static void spread(sn_context *context, const sni_leaves *leaves, const struct_gradient *g,
                   sn_tensor *const *given) {
  sni_struct_writer writer = {.context = context, .leaves = leaves, .to = g->out};
  for (int i = 0; i < leaves->n; i++) {
    if (!sni_is_tensor_leaf(leaves, i)) continue;
    const bool of_handle = leaves->items[i].kind == SN_FIELD_HANDLE;
    sn_tensor *own = of_handle ? sni_leaf_tensor(leaves, i, g->xs) : NULL;
    sni_write_tensor(&writer, i, is_moved(leaves, i, g->xs) ? *given++ : own);
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
  const named_fields named = {leaves, g->xs};
  sn_tensor *y = g->y;
  sni_gradient_call call = {.ys = &y,
                            .n_ys = 1,
                            .xs = xs,
                            .n = collect(leaves, g->xs, xs),
                            .out = given,
                            .name_x = name_field,
                            .owner = &named};
  if (g->tape)
    sni_gradients_of_tape(g->name, g->tape, &call, g->options);
  else
    sni_gradients(g->name, &call, g->options);
  if (!context->diag.status) {
    sni_copy_struct(leaves, g->xs, g->out);
    spread(context, leaves, g, given);
  }
  sni_free(allocator, xs, bytes);
  return !context->diag.status;
}

static void gradient(const sn_composite *type, const struct_gradient *g, const char *file,
                     int line) {
  sn_context *context = sni_operands_context(&g->y, 1);
  if (!context && g->tape) context = g->tape->context;
  if (!context) return;
  SNI_ENTER(context, g->name, );
  sni_leaves leaves = {0};
  const bool is_first = !context->diag.status;
  sn_status status = SN_OK;
  if (!g->xs || !g->out || !type)
    sni_error(context, SN_ERR_ARGUMENT, "%s: the type, xs or out is NULL", g->name);
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
  gradient(type, &(struct_gradient){"sn_gradients_struct", NULL, y, xs, out, options}, file, line);
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
    gradient(type, &(struct_gradient){"sn_tape_gradient_struct", tape, y, xs, out, options}, file,
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
